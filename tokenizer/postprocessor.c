// SPDX-License-Identifier: Apache-2.0
// Columns after the model: units of offsets, trimming, type ids, special tokens.
#include <errno.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "tokenizer/engine.h"

// Walks along the text and counts characters. Begins and ends each grow nearly always, but spaces
// that several tokens show take the begins back behind the ends: so there are two.
struct char_cursor {
    struct btk_bytes text;
    size_t byte;
    uint32_t chars;
};

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

static size_t distance(const struct char_cursor *cursor, size_t byte)
{
    return byte > cursor->byte ? byte - cursor->byte : cursor->byte - byte;
}

// Characters that begin in [begin, end), eight bytes at a time where there are as many.
static uint32_t count_chars(struct btk_bytes text, size_t begin, size_t end)
{
    const uint64_t lowest = UINT64_C(0x0101010101010101);
    uint32_t continuations = 0;
    const uint32_t bytes = (uint32_t)(end - begin);
    for (; begin < end && text.length - begin >= 8; begin += 8) {
        uint64_t word;
        memcpy(&word, text.data + begin, sizeof word);
        const size_t unused = end - begin < 8 ? 8 - (end - begin) : 0;
        const uint64_t found = (word >> 7 & ~(word >> 6) & lowest) << 8 * unused;
        continuations += (uint32_t)(found * lowest >> 56);
    }
    for (; begin < end; begin++) continuations += is_continuation(text.data[begin]);
    return bytes - continuations;
}

static uint32_t chars_before(struct char_cursor *cursor, const struct char_cursor *other,
                             size_t byte)
{
    if (distance(other, byte) < distance(cursor, byte)) *cursor = *other;
    if (cursor->byte < byte)
        cursor->chars += count_chars(cursor->text, cursor->byte, byte);
    else
        cursor->chars -= count_chars(cursor->text, byte, cursor->byte);
    cursor->byte = byte;
    return cursor->chars;
}

// A token of a part of a character has the place of all of it.
static void widen(struct btk_bytes text, uint32_t *offsets)
{
    while (offsets[0] > 0 && offsets[0] < text.length && is_continuation(text.data[offsets[0]]))
        offsets[0]--;
    while (offsets[1] < text.length && is_continuation(text.data[offsets[1]])) offsets[1]++;
}

enum { TICK_EVERY = 1 << 14 }; // tokens

enum { SPACE_MARK = 0x120 }; // the byte 0x20 in the byte-level alphabet

static size_t spaces_at_begin(struct btk_bytes text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.length; count++) {
        size_t length;
        const uint32_t code_point = btk_utf8_decode(text.data + at, &length);
        if (code_point != SPACE_MARK && !(btk_unicode_classes(code_point) & BTK_CLASS_WHITESPACE))
            break;
        at += length;
    }
    return count;
}

static size_t spaces_at_end(struct btk_bytes text)
{
    size_t count = 0;
    for (size_t end = text.length; end > 0; count++) {
        size_t at = end - 1, length;
        while (at > 0 && is_continuation(text.data[at])) at--;
        const uint32_t code_point = btk_utf8_decode(text.data + at, &length);
        if (code_point != SPACE_MARK && !(btk_unicode_classes(code_point) & BTK_CLASS_WHITESPACE))
            break;
        end = at;
    }
    return count;
}

void btk_postprocess_count_spaces(struct btk_bytes text, uint32_t out_spaces[2])
{
    out_spaces[0] = (uint32_t)spaces_at_begin(text);
    out_spaces[1] = (uint32_t)spaces_at_end(text);
}

// process_offsets() of the reference's pre_tokenizers/byte_level.rs: it counts in the token's text
// and moves offsets by as much, whatever their unit.
void btk_postprocess_trim(bool adds_prefix_space, size_t index, const uint32_t spaces[2],
                          uint32_t offsets[2])
{
    size_t leading = spaces[0];
    const size_t trailing = spaces[1];
    if (leading) {
        const bool is_first = index == 0 || offsets[0] == 0;
        if (is_first && adds_prefix_space && leading == 1) leading = 0;
        offsets[0] = (uint32_t)btk_min_size(offsets[0] + leading, offsets[1]);
    }
    if (trailing && offsets[1] >= trailing)
        offsets[1] = (uint32_t)btk_max_size(offsets[1] - trailing, offsets[0]);
}

// How many spaces a token shows at its ends, where nobody has counted them before. An added token shows
// those that it took from the text, so it is asked there; `offsets` are bytes still.
static void count_spaces(const struct btk_encoder *encoder, size_t at, const uint32_t *offsets,
                         uint32_t out_spaces[2])
{
    const struct btk_token_info info = encoder->image->tokens[encoder->encoding->ids[at]];
    const uint32_t *const counted = encoder->spaces ? encoder->spaces + 2 * at : NULL;
    if (counted && counted[0] != BTK_SPACES_OF_SOURCE) {
        memcpy(out_spaces, counted, 2 * sizeof *counted);
    } else if (info.flags & BTK_TOKEN_ADDED) {
        btk_postprocess_count_spaces(
            (struct btk_bytes){encoder->text.data + offsets[0], offsets[1] - offsets[0]},
            out_spaces);
    } else {
        out_spaces[0] = info.leading_spaces;
        out_spaces[1] = info.trailing_spaces;
    }
}

// What the text says of the offsets.
struct offset_work {
    bool is_ascii;
    bool counts; // in characters
    bool trims;
    struct char_cursor begins, ends;
};

static void place_token(struct btk_encoder *encoder, struct offset_work *work, size_t at,
                        size_t first)
{
    uint32_t *const offsets = &encoder->encoding->offsets[2 * at];
    uint32_t spaces[2] = {0, 0};
    if (!work->is_ascii) widen(encoder->text, offsets);
    if (work->trims) count_spaces(encoder, at, offsets, spaces);
    if (work->counts) {
        offsets[0] = chars_before(&work->begins, &work->ends, offsets[0]);
        offsets[1] = chars_before(&work->ends, &work->begins, offsets[1]);
    }
    if (encoder->spaces)
        memcpy(&encoder->spaces[2 * at], spaces, sizeof spaces);
    else if (spaces[0] || spaces[1])
        btk_postprocess_trim(encoder->image->config->flags & BTK_PIPELINE_TRIM_PREFIX_SPACE,
                             at - first, spaces, offsets);
}

// Tokens that need nothing but characters for bytes, as many as lie in windows.
static size_t convert(struct btk_encoder *encoder, const struct offset_work *work, size_t begin,
                      size_t end)
{
    if (!work->counts || work->trims) return begin;
    return begin
           + btk_char_places_convert(&encoder->scratch->char_places,
                                     encoder->encoding->offsets + 2 * begin, end - begin);
}

void btk_postprocess_offsets(struct btk_encoder *encoder, size_t first)
{
    const struct btk_bytes text = encoder->text;
    const struct char_cursor cursor = {.text = text};
    struct offset_work work = {.begins = cursor, .ends = cursor};
    work.is_ascii = encoder->scratch->kernels->ascii_prefix(text.data, text.length) == text.length;
    work.trims = encoder->spaces || (encoder->image->config->flags & BTK_PIPELINE_TRIM_OFFSETS);
    work.counts = !work.is_ascii && encoder->options->offsets_unit == BTK_OFFSETS_CHAR;
    if (work.is_ascii && !work.trims) return;
    btk_char_places_init(&encoder->scratch->char_places, text);
    for (size_t i = first; i < encoder->encoding->count;) {
        const size_t end = btk_min_size(i + TICK_EVERY, encoder->encoding->count);
        btk_progress_tick(&encoder->scratch->progress);
        while (i < end) {
            i = convert(encoder, &work, i, end);
            if (i < end) place_token(encoder, &work, i++, first);
        }
    }
}

void btk_postprocess_columns(struct btk_encoder *encoder, size_t first)
{
    struct btk_encoding *const encoding = encoder->encoding;
    if (encoding->offsets) btk_postprocess_offsets(encoder, first);
    if (encoding->type_ids)
        for (size_t i = first; i < encoding->count; i++)
            encoding->type_ids[i] = encoder->image->config->text_type_id;
    if (encoding->special_tokens_mask)
        memset(encoding->special_tokens_mask + first, 0, encoding->count - first);
}

static int append_template(struct btk_encoder *encoder, size_t first, size_t count)
{
    struct btk_encoding *const encoding = encoder->encoding;
    if (!encoder->options->add_special_tokens) return 0;
    if (encoding->capacity - encoding->count < count) return -ENOBUFS;
    for (size_t i = first; i < first + count; i++) {
        const struct btk_template_token token = encoder->image->template_tokens[i];
        const size_t at = encoding->count++;
        encoding->ids[at] = token.id;
        if (encoding->offsets) encoding->offsets[2 * at] = encoding->offsets[2 * at + 1] = 0;
        if (encoding->type_ids) encoding->type_ids[at] = token.type_id;
        if (encoding->word_ids) encoding->word_ids[at] = UINT32_MAX;
        if (encoding->special_tokens_mask) encoding->special_tokens_mask[at] = 1;
        if (encoding->sources) encoding->sources[2 * at] = encoding->sources[2 * at + 1] = 0;
    }
    return 0;
}

int btk_postprocess_prefix(struct btk_encoder *encoder)
{
    return append_template(encoder, 0, encoder->image->config->prefix_count);
}

int btk_postprocess_suffix(struct btk_encoder *encoder)
{
    const struct btk_image_config *const config = encoder->image->config;
    return append_template(encoder, config->prefix_count, config->suffix_count);
}
