// SPDX-License-Identifier: Apache-2.0
// Steps that look at one character at a time. Sources: the reference's normalizers/bert.rs, strip.rs,
// unicode.rs (Nmt), utils.rs (Lowercase), byte_level.rs, prepend.rs.
#include "common/unicode_normal.h"
#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/normalizer/step_functions.h"

enum { PROGRESS_EVERY_BYTES = 1 << 16 };

static void tick(const struct btk_pass *pass, size_t at)
{
    if (at % PROGRESS_EVERY_BYTES < 4) btk_progress_tick(pass->progress);
}

static bool is_nmt_control(uint32_t c)
{
    return (c >= 1 && c <= 8) || c == 0x0b || (c >= 0x0e && c <= 0x1f) || c == 0x7f || c == 0x8f
           || c == 0x9f;
}

static bool is_nmt_space(uint32_t c)
{
    return c == 0x09 || c == 0x0a || c == 0x0c || c == 0x0d || c == 0x1680
           || (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581
           || c == 0xfeff || c == 0xfffd;
}

bool btk_normalizer_set_has(enum btk_normalizer_set set, uint32_t c)
{
    switch (set) {
    case BTK_NORMALIZER_BERT_CONTROL: return btk_unicode_classes(c) & BTK_CLASS_BERT_CONTROL;
    case BTK_NORMALIZER_BERT_MN: return btk_unicode_classes(c) & BTK_CLASS_BERT_MN;
    case BTK_NORMALIZER_WHITESPACE: return btk_unicode_classes(c) & BTK_CLASS_WHITESPACE;
    case BTK_NORMALIZER_MARK: return btk_unicode_normal_bits(c) & BTK_NORMAL_MARK;
    case BTK_NORMALIZER_NMT_CONTROL: return is_nmt_control(c);
    case BTK_NORMALIZER_NMT_SPACE: return is_nmt_space(c);
    case BTK_NORMALIZER_BLANK: return c == ' ';
    case BTK_NORMALIZER_REGEX_SPACE: return btk_unicode_classes(c) & BTK_CLASS_SPACE;
    default: return false;
    }
}

// No set of a filter has a character of 0x20 to 0x7e; of a map, the space at most, which stays.
void btk_normalizer_filter(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text;
    size_t kept = 0, bytes;
    btk_pass_begin_transform(pass);
    for (size_t at = btk_plain_end(text, 0); at < text.length && !pass->status;) {
        tick(pass, at);
        const uint32_t c = btk_utf8_decode(text.data + at, &bytes);
        if (btk_normalizer_set_has(runner->step->numbers[0], c)) {
            btk_pass_copy(pass, kept, at);
            kept = at + bytes;
            btk_pass_remove(pass, at, kept);
        }
        at = btk_plain_end(text, at + bytes);
    }
    btk_pass_copy(pass, kept, text.length);
}

void btk_normalizer_map(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text;
    size_t kept = 0, bytes;
    btk_pass_begin_transform(pass);
    for (size_t at = btk_plain_end(text, 0); at < text.length && !pass->status;) {
        tick(pass, at);
        const uint32_t c = btk_utf8_decode(text.data + at, &bytes);
        if (btk_normalizer_set_has(runner->step->numbers[0], c)) {
            btk_pass_copy(pass, kept, at);
            btk_pass_put(pass, ' ', 0);
            kept = at + bytes;
        }
        at = btk_plain_end(text, at + bytes);
    }
    btk_pass_copy(pass, kept, text.length);
}

void btk_normalizer_chinese(struct btk_step_runner *runner, struct btk_pass *pass)
{
    (void)runner;
    const struct btk_bytes text = pass->source->text;
    size_t kept = 0, bytes;
    btk_pass_begin_transform(pass);
    for (size_t at = btk_plain_end(text, 0); at < text.length && !pass->status;) {
        tick(pass, at);
        const uint32_t c = btk_utf8_decode(text.data + at, &bytes);
        if (btk_unicode_classes(c) & BTK_CLASS_CHINESE) {
            btk_pass_copy(pass, kept, at);
            btk_pass_put(pass, ' ', 0);
            btk_pass_put(pass, c, 1);
            btk_pass_put(pass, ' ', 1);
            kept = at + bytes;
        }
        at = btk_plain_end(text, at + bytes);
    }
    btk_pass_copy(pass, kept, text.length);
}

static bool has_upper(const uint8_t *text, size_t length)
{
    unsigned found = 0;
    for (size_t i = 0; i < length; i++) found |= (uint8_t)(text[i] - 'A') < 26;
    return found;
}

static void lower_ascii(struct btk_pass *pass, size_t from, size_t to)
{
    if (pass->starts || has_upper(pass->source->text.data + from, to - from))
        btk_pass_lower_ascii(pass, from, to);
    else
        btk_pass_copy(pass, from, to);
}

static void lower_one(struct btk_pass *pass, size_t from, size_t to, uint32_t code_point)
{
    if (!(btk_unicode_classes(code_point) & BTK_CLASS_HAS_LOWERCASE)) {
        btk_pass_copy(pass, from, to);
        return;
    }
    uint32_t lower[BTK_UNICODE_LOWERCASE_MAX];
    const size_t count = btk_unicode_to_lowercase(code_point, lower);
    for (size_t i = 0; i < count; i++) btk_pass_put(pass, lower[i], i > 0);
}

void btk_normalizer_lowercase(struct btk_step_runner *runner, struct btk_pass *pass)
{
    (void)runner;
    const struct btk_bytes text = pass->source->text;
    btk_pass_begin_transform(pass);
    for (size_t at = 0; at < text.length && !pass->status;) {
        btk_progress_tick(pass->progress);
        const size_t chunk = btk_min_size(text.length - at, PROGRESS_EVERY_BYTES);
        const size_t ascii = pass->kernels->ascii_prefix(text.data + at, chunk);
        if (ascii) lower_ascii(pass, at, at + ascii);
        at += ascii;
        for (size_t bytes; at < text.length && text.data[at] >= 0x80; at += bytes) {
            const uint32_t c = btk_utf8_decode(text.data + at, &bytes);
            lower_one(pass, at, at + bytes, c);
        }
    }
}

static bool is_whitespace_at(struct btk_bytes text, size_t at, size_t *out_bytes)
{
    return btk_unicode_classes(btk_utf8_decode(text.data + at, out_bytes)) & BTK_CLASS_WHITESPACE;
}

static size_t strip_left(struct btk_bytes text)
{
    size_t begin = 0, bytes;
    while (begin < text.length && is_whitespace_at(text, begin, &bytes)) begin += bytes;
    return begin;
}

static size_t strip_right(struct btk_bytes text)
{
    size_t end = text.length, bytes;
    while (end > 0) {
        size_t at = end - 1;
        while (at > 0 && (text.data[at] & 0xc0) == 0x80) at--;
        if (!is_whitespace_at(text, at, &bytes)) break;
        end = at;
    }
    return end;
}

// The reference counts both sides on the whole text: of white space alone, nothing is left.
void btk_normalizer_strip(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text;
    const uint32_t sides = runner->step->flags;
    const size_t begin = sides & BTK_NORMALIZER_LEFT ? strip_left(text) : 0;
    const size_t end =
        btk_max_size(sides & BTK_NORMALIZER_RIGHT ? strip_right(text) : text.length, begin);
    if (begin == 0 && end == text.length) return;
    btk_pass_begin_transform(pass);
    btk_pass_remove(pass, 0, begin);
    btk_pass_copy(pass, begin, end);
    btk_pass_remove(pass, end, text.length);
}

// The first character is part of the list; what stands behind it is not looked at.
void btk_normalizer_prepend(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text, added = runner->data;
    size_t first_bytes, bytes;
    const uint32_t first = btk_utf8_decode(text.data, &first_bytes);
    for (size_t at = 0; at < added.length; at += bytes)
        btk_pass_put(pass, btk_utf8_decode(added.data + at, &bytes), at > 0);
    btk_pass_put(pass, first, 1);
    pass->at = first_bytes;
    btk_pass_copy(pass, first_bytes, text.length);
}

static uint32_t alphabet_character(uint8_t byte)
{
    if (btk_byte_prints(byte)) return byte;
    if (byte <= 0x20) return 0x100u + byte;
    return byte == 0xad ? 0x143 : 0x121u + byte - 0x7fu;
}

void btk_normalizer_byte_level(struct btk_step_runner *runner, struct btk_pass *pass)
{
    (void)runner;
    const struct btk_bytes text = pass->source->text;
    size_t kept = 0;
    btk_pass_begin_transform(pass);
    for (size_t at = 0; at < text.length && !pass->status;) {
        if (text.data[at] > 0x20 && text.data[at] < 0x7f) {
            at++;
            continue;
        }
        tick(pass, at);
        btk_pass_copy(pass, kept, at);
        const size_t bytes = btk_utf8_length(text.data[at]);
        for (size_t i = 0; i < bytes; i++)
            btk_pass_put(pass, alphabet_character(text.data[at + i]), i > 0);
        at += bytes;
        kept = at;
    }
    btk_pass_copy(pass, kept, text.length);
}
