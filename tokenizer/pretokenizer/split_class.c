// SPDX-License-Identifier: Apache-2.0
// Splitting at characters of a class, at words, at scripts, and at every so many characters.
#include <stdbool.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "tokenizer/code_map.h"
#include "tokenizer/pretokenizer/code_points.h"
#include "tokenizer/pretokenizer/stage.h"

static uint16_t class_of_kind(uint32_t kind)
{
    switch (kind) {
    case BTK_STEP_SPLIT_WHITESPACE: return BTK_CLASS_WHITESPACE;
    case BTK_STEP_SPLIT_PUNCTUATION: return BTK_CLASS_BERT_PUNCTUATION;
    default: return BTK_CLASS_NUMBER;
    }
}

static inline uint16_t classes_at(const uint8_t *text, size_t *out_length)
{
    return btk_unicode_classes(btk_utf8_decode(text, out_length));
}

static bool is_late_number_at(const uint8_t *text)
{
    size_t length;
    return btk_code_point_is_late_number(btk_utf8_decode(text, &length));
}

// The next character at or after `at` that is of the class; `end`: none.
static inline size_t find_class(const uint8_t *text, size_t at, size_t end, uint16_t class,
                                size_t *out_length)
{
    const uint16_t *const ascii = btk_unicode_class_values[btk_unicode_class_pages[0]];
    while (at < end) {
        size_t length = 1;
        if (text[at] < 0x80) {
            if (ascii[text[at]] & class) {
                *out_length = 1;
                return at;
            }
        } else if ((classes_at(text + at, &length) & class)
                   || (class == BTK_CLASS_NUMBER && length == 4 && is_late_number_at(text + at)))
        {
            *out_length = length;
            return at;
        }
        at += length;
    }
    return end;
}

// Past bytes that are ASCII beyond the space, eight at a time, as far as that goes.
static inline size_t skip_visible(const uint8_t *text, size_t at, size_t end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        const uint64_t stops = ((word - ones * (' ' + 1)) | word) & ones * 0x80;
        if (stops) return at + (size_t)__builtin_ctzll(stops) / 8;
    }
    return at;
}

// White space beyond ASCII is U+0085, U+00A0, U+1680, U+2000 to U+205F and U+3000.
static inline bool may_begin_whitespace(uint8_t lead)
{
    return lead == 0xc2 || (lead >= 0xe1 && lead <= 0xe3);
}

static inline size_t find_whitespace(const uint8_t *text, size_t at, size_t end, size_t *out_length)
{
    while ((at = skip_visible(text, at, end)) < end) {
        const uint8_t byte = text[at];
        if (byte >= 0x80 && !may_begin_whitespace(byte)) {
            at += btk_utf8_length(byte);
            continue;
        }
        if (classes_at(text + at, out_length) & BTK_CLASS_WHITESPACE) return at;
        at += *out_length;
    }
    return end;
}

int btk_stage_split_class(struct btk_stage *stage)
{
    const uint8_t *const text = stage->span.text.data;
    const uint16_t class = class_of_kind(stage->step->kind);
    struct btk_splitter splitter = btk_splitter_of(stage);
    for (size_t i = 0; i < stage->in_count; i++) {
        const struct btk_piece piece = stage->in[i];
        btk_stage_tick(stage, i);
        size_t begin = piece.begin, length = 1;
        while (begin < piece.end) {
            const size_t at = class == BTK_CLASS_WHITESPACE
                                  ? find_whitespace(text, begin, piece.end, &length)
                                  : find_class(text, begin, piece.end, class, &length);
            if (at > begin) btk_splitter_add(&splitter, begin, at, false);
            if (at == piece.end) break;
            btk_splitter_add(&splitter, at, at + length, true);
            begin = at + length;
        }
        btk_splitter_end(&splitter);
    }
    return 0;
}

int btk_stage_split_set(struct btk_stage *stage)
{
    const uint8_t *const text = stage->span.text.data;
    const struct btk_code_map set = btk_code_map_of(stage->data, stage->step->numbers[1]);
    struct btk_splitter splitter = btk_splitter_of(stage);
    for (size_t i = 0; i < stage->in_count; i++) {
        const struct btk_piece piece = stage->in[i];
        btk_stage_tick(stage, i);
        size_t begin = piece.begin, length = 1;
        while (begin < piece.end) {
            const size_t at = btk_code_map_find(&set, text, begin, piece.end, &length);
            if (at > begin) btk_splitter_add(&splitter, begin, at, false);
            if (at == piece.end) break;
            btk_splitter_add(&splitter, at, at + length, true);
            begin = at + length;
        }
        btk_splitter_end(&splitter);
    }
    return 0;
}

// --- \w+|[^\w\s]+

static inline uint16_t word_kind_at(const uint8_t *text, size_t *out_length)
{
    return classes_at(text, out_length) & (BTK_CLASS_REGEX_WORD | BTK_CLASS_REGEX_SPACE);
}

// The end of the run of characters of one kind that begins at `at`.
static inline size_t kind_end(const uint8_t *text, size_t at, size_t end, uint16_t kind)
{
    const uint16_t *const ascii = btk_unicode_class_values[btk_unicode_class_pages[0]];
    const uint16_t both = BTK_CLASS_REGEX_WORD | BTK_CLASS_REGEX_SPACE;
    while (at < end) {
        size_t length = 1;
        const uint16_t here =
            text[at] < 0x80 ? ascii[text[at]] & both : word_kind_at(text + at, &length);
        if (here != kind) break;
        at += length;
    }
    return at;
}

int btk_stage_split_words(struct btk_stage *stage)
{
    const uint8_t *const text = stage->span.text.data;
    struct btk_splitter splitter = btk_splitter_of(stage);
    for (size_t i = 0; i < stage->in_count; i++) {
        const struct btk_piece piece = stage->in[i];
        btk_stage_tick(stage, i);
        size_t begin = piece.begin;
        while (begin < piece.end) {
            size_t length;
            const uint16_t kind = word_kind_at(text + begin, &length);
            const size_t end = kind_end(text, begin + length, piece.end, kind);
            btk_splitter_add(&splitter, begin, end, kind != BTK_CLASS_REGEX_SPACE);
            begin = end;
        }
        btk_splitter_end(&splitter);
    }
    return 0;
}

// --- UnicodeScripts: a piece begins where a script does that is not the one before. What has no
// script goes with what is before it, and is dropped when nothing is.

static inline uint32_t script_at(const uint8_t *text, size_t *out_length)
{
    *out_length = 1;
    if (text[0] < 0x80) return btk_ascii_scripts[text[0]];
    return btk_code_point_script(btk_utf8_decode(text, out_length));
}

static void split_scripts(const struct btk_stage *stage, struct btk_piece piece)
{
    const uint8_t *const text = stage->span.text.data;
    uint32_t last = 0;
    size_t begin = piece.end, length;
    for (size_t at = piece.begin; at < piece.end; at += length) {
        const uint32_t script = script_at(text + at, &length);
        if (!script || script == last) continue;
        if (last) btk_piece_list_push(stage->out, begin, at);
        begin = at;
        last = script;
    }
    if (last) btk_piece_list_push(stage->out, begin, piece.end);
}

int btk_stage_scripts(struct btk_stage *stage)
{
    for (size_t i = 0; i < stage->in_count; i++) {
        btk_stage_tick(stage, i);
        split_scripts(stage, stage->in[i]);
    }
    return 0;
}

int btk_stage_fixed_length(struct btk_stage *stage)
{
    const uint8_t *const text = stage->span.text.data;
    const size_t chars_max = stage->step->numbers[0];
    for (size_t i = 0; i < stage->in_count; i++) {
        const struct btk_piece piece = stage->in[i];
        btk_stage_tick(stage, i);
        for (size_t begin = piece.begin, at = begin; begin < piece.end; begin = at) {
            for (size_t count = 0; count < chars_max && at < piece.end; count++)
                at += btk_utf8_length(text[at]);
            btk_piece_list_push(stage->out, begin, at);
        }
    }
    return 0;
}
