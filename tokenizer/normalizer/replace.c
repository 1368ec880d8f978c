// SPDX-License-Identifier: Apache-2.0
// Replace. Sources: replace() of the reference's tokenizer/normalizer.rs; FindMatches of the crate onig
// 6.5.3: matches do not overlap, and none is empty where the one before ended.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/byte_replace.h"
#include "tokenizer/code_map.h"
#include "tokenizer/normalizer/step_functions.h"

enum { PROGRESS_EVERY_MATCHES = 4096, PROGRESS_EVERY_BYTES = 1 << 16 };

static struct btk_bytes content_of(const struct btk_step_runner *runner)
{
    const size_t pattern_bytes = runner->step->numbers[0];
    return (struct btk_bytes){runner->data.data + pattern_bytes,
                              runner->data.length - pattern_bytes};
}

static size_t find_text(struct btk_bytes text, size_t from, struct btk_bytes pattern)
{
    const uint8_t *const found =
        pattern.length == 1
            ? memchr(text.data + from, pattern.data[0], text.length - from)
            : memmem(text.data + from, text.length - from, pattern.data, pattern.length);
    return found ? (size_t)(found - text.data) : text.length;
}

static void replace_match(struct btk_pass *pass, size_t *in_out_kept, size_t begin, size_t end,
                          struct btk_bytes content)
{
    btk_pass_copy(pass, *in_out_kept, begin);
    if (begin != end) btk_pass_remove(pass, begin, end);
    btk_pass_insert(pass, content);
    *in_out_kept = end;
}

// An empty pattern stands before each character and at the end.
static void replace_nothing(struct btk_pass *pass, struct btk_bytes content)
{
    const struct btk_bytes text = pass->source->text;
    size_t kept = 0;
    for (size_t at = 0; at <= text.length && !pass->status;) {
        replace_match(pass, &kept, at, at, content);
        at += at < text.length ? btk_utf8_length(text.data[at]) : 1;
    }
}

void btk_normalizer_replace(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text, content = content_of(runner);
    const struct btk_bytes pattern = {runner->data.data, runner->step->numbers[0]};
    if (!pattern.length) {
        replace_nothing(pass, content);
        return;
    }
    const bool is_short = pattern.length == 1 && pattern.data[0] < 0x80 && content.length
                          && content.length <= BTK_REPLACED_BYTES_MAX;
    size_t kept = 0;
    for (size_t count = 1; !pass->status; count++) {
        if (count % PROGRESS_EVERY_MATCHES == 0) btk_progress_tick(pass->progress);
        if (is_short && btk_pass_is_plain(pass) && pass->at == kept) {
            btk_pass_replace_byte(pass, pattern.data[0], content);
            return;
        }
        const size_t at = find_text(text, kept, pattern);
        if (at == text.length) break;
        replace_match(pass, &kept, at, at + pattern.length, content);
    }
    btk_pass_copy(pass, kept, text.length);
}

// The next byte that may begin a character of a set of spaces, from `at` on; the length: none.
static size_t next_space(struct btk_bytes text, size_t at)
{
    while (at < text.length && text.data[at] > ' ' && text.data[at] < 0x80) at++;
    return at;
}

static size_t run_end(enum btk_normalizer_set set, struct btk_bytes text, size_t at,
                      uint32_t *out_count)
{
    *out_count = 0;
    for (size_t bytes; at < text.length; at += bytes, ++*out_count)
        if (!btk_normalizer_set_has(set, btk_utf8_decode(text.data + at, &bytes))) break;
    return at;
}

void btk_normalizer_replace_run(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text;
    const uint32_t set = runner->step->numbers[1], count_min = runner->step->numbers[2];
    size_t kept = 0, at = 0;
    for (uint32_t tick = 1; !pass->status; tick++) {
        if (tick % PROGRESS_EVERY_MATCHES == 0) btk_progress_tick(pass->progress);
        at = next_space(text, at);
        if (at == text.length) break;
        uint32_t count;
        const size_t end = run_end(set, text, at, &count);
        if (count && count >= count_min) replace_match(pass, &kept, at, end, runner->data);
        at = count ? end : at + btk_utf8_length(text.data[at]);
    }
    btk_pass_copy(pass, kept, text.length);
}

void btk_normalizer_replace_begin(struct btk_step_runner *runner, struct btk_pass *pass)
{
    size_t kept = 0;
    if (pass->source->text.length) replace_match(pass, &kept, 0, 0, runner->data);
    btk_pass_copy(pass, kept, pass->source->text.length);
}

void btk_normalizer_replace_all(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text, content = content_of(runner);
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    size_t kept = 0, count = 0;
    int status;
    btk_regex_walk_init(&walk, runner->regex, text);
    while ((status = btk_regex_walk_next(&walk, &piece)) > 0 && !pass->status) {
        if (++count % PROGRESS_EVERY_MATCHES == 0) btk_progress_tick(pass->progress);
        if (!piece.is_match) continue;
        // An image that lies: there would not be room for what comes of it.
        if (piece.end - piece.begin < runner->step->numbers[1]) pass->status = -EPROTO;
        replace_match(pass, &kept, piece.begin, piece.end, content);
    }
    if (status < 0)
        pass->status = status;
    else
        btk_pass_copy(pass, kept, text.length);
}

static bool has_ascii(const struct btk_code_map *set)
{
    for (uint32_t c = 0; c < 0x80; c++)
        if (btk_code_map_has(set, c)) return true;
    return false;
}

// In [at, end); `end`: none.
static size_t find_of_set(const struct btk_pass *pass, const struct btk_code_map *set,
                          bool skips_ascii, size_t at, size_t end, size_t *out_bytes)
{
    const uint8_t *const text = pass->source->text.data;
    while (skips_ascii && at < end) {
        at += pass->kernels->ascii_prefix(text + at, end - at);
        for (; at < end && text[at] >= 0x80; at += *out_bytes)
            if (btk_code_map_has(set, btk_utf8_decode(text + at, out_bytes))) return at;
    }
    return btk_code_map_find(set, text, at, end, out_bytes);
}

void btk_normalizer_replace_set(struct btk_step_runner *runner, struct btk_pass *pass)
{
    const struct btk_bytes text = pass->source->text, content = content_of(runner);
    const struct btk_bytes data = {runner->data.data, runner->step->numbers[0]};
    const struct btk_code_map set = btk_code_map_of(data, runner->step->numbers[2]);
    const bool skips_ascii = !has_ascii(&set);
    size_t kept = 0, at = 0, bytes = 0;
    while (at < text.length && !pass->status) {
        btk_progress_tick(pass->progress);
        size_t end = btk_min_size(at + PROGRESS_EVERY_BYTES, text.length);
        while (end < text.length && (text.data[end] & 0xc0) == 0x80) end++;
        while (!pass->status && (at = find_of_set(pass, &set, skips_ascii, at, end, &bytes)) < end)
        {
            // An image that lies: there would not be room for what comes of it.
            if (bytes < runner->step->numbers[1]) pass->status = -EPROTO;
            replace_match(pass, &kept, at, at + bytes, content);
            at += bytes;
        }
    }
    btk_pass_copy(pass, kept, text.length);
}
