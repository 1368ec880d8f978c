// SPDX-License-Identifier: Apache-2.0
// Splitting at a literal, at a pattern that is written by hand, and at any pattern.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/pretokenizer/stage.h"

enum { SHORT_LITERAL_BYTES = 4 }; // up to here comparing at each place is linear enough

static inline size_t find_short(const uint8_t *text, size_t at, size_t end,
                                struct btk_bytes literal)
{
    const uint8_t first = literal.data[0];
    for (; at + literal.length <= end; at++) {
        if (text[at] != first) continue;
        size_t same = 1;
        while (same < literal.length && text[at + same] == literal.data[same]) same++;
        if (same == literal.length) return at;
    }
    return end;
}

static size_t find_long(const uint8_t *text, size_t at, size_t end, struct btk_bytes literal)
{
    const uint8_t *const found = memmem(text + at, end - at, literal.data, literal.length);
    return found ? (size_t)(found - text) : end;
}

static void split_literal(struct btk_splitter *splitter, const uint8_t *text,
                          struct btk_piece piece, struct btk_bytes literal)
{
    size_t begin = piece.begin;
    while (begin < piece.end) {
        const size_t at = literal.length <= SHORT_LITERAL_BYTES
                              ? find_short(text, begin, piece.end, literal)
                              : find_long(text, begin, piece.end, literal);
        if (at > begin) btk_splitter_add(splitter, begin, at, false);
        if (at == piece.end) return;
        btk_splitter_add(splitter, at, at + literal.length, true);
        begin = at + literal.length;
    }
}

// Nothing is found before each character and at the end.
static void split_nothing(struct btk_splitter *splitter, const uint8_t *text,
                          struct btk_piece piece)
{
    for (size_t at = piece.begin; at < piece.end;) {
        const size_t next = at + btk_utf8_length(text[at]);
        btk_splitter_add(splitter, at, at, true);
        btk_splitter_add(splitter, at, next, false);
        at = next;
    }
    btk_splitter_add(splitter, piece.end, piece.end, true);
}

int btk_stage_split_literal(struct btk_stage *stage)
{
    struct btk_splitter splitter = btk_splitter_of(stage);
    for (size_t i = 0; i < stage->in_count; i++) {
        btk_stage_tick(stage, i);
        if (stage->data.length)
            split_literal(&splitter, stage->span.text.data, stage->in[i], stage->data);
        else
            split_nothing(&splitter, stage->span.text.data, stage->in[i]);
        btk_splitter_end(&splitter);
    }
    return 0;
}

// --- Patterns that are written by hand: all text falls into matches

static btk_pretok_next_fn *const pattern_functions[] = {
#define PATTERN(name, NAME, source) btk_pretok_##name##_next,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

static void split_pattern(struct btk_splitter *splitter, const struct btk_stage *stage,
                          struct btk_piece piece)
{
    struct btk_piece matches[64];
    size_t count;
    const struct btk_bytes text = {stage->span.text.data + piece.begin, piece.end - piece.begin};
    btk_pretok_next_fn *const next = pattern_functions[stage->step->numbers[1]];
    btk_pretok_init(stage->pretok, stage->kernels, text);
    while ((count = next(stage->pretok, matches, BTK_ARRAY_COUNT(matches))) != 0)
        for (size_t i = 0; i < count; i++)
            btk_splitter_add(splitter, piece.begin + matches[i].begin, piece.begin + matches[i].end,
                             true);
}

int btk_stage_split_pattern(struct btk_stage *stage)
{
    struct btk_splitter splitter = btk_splitter_of(stage);
    for (size_t i = 0; i < stage->in_count; i++) {
        btk_stage_tick(stage, i);
        split_pattern(&splitter, stage, stage->in[i]);
        btk_splitter_end(&splitter);
    }
    return 0;
}
