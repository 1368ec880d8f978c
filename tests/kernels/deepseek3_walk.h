// SPDX-License-Identifier: Apache-2.0
// DeepSeek V3's sequence of Splits from piece to piece, for check_words.
#pragma once

#include "kernels/pretok/words.h"

enum {
    EAST = SET(HAN_COMMON) | SET_KANA,
    WORD = SET_L | SET_M,
    OTHER = SET_P | SET_S,
    BEFORE = SET_ALL & ~(SET_L | OTHER | SET(NEWLINE)),
};

static const struct words_rules outside = {
    .before = BEFORE & ~(SET_N | EAST),
    .word = WORD & ~EAST,
    .number = SET_N,
    .digits = 3,
    .other = OTHER & ~EAST,
    .other_newline = true,
    .newlines = true,
    .barrier = SET_N | EAST,
};

// Within kana stand marks, punctuation, symbols and code points that are none of these.
static const struct words_rules inside = {
    .before = BEFORE & EAST,
    .word = WORD & EAST,
    .other = OTHER & EAST,
    .barrier = SET_ALL & ~EAST,
};

static bool is_ascii_letter(uint8_t byte)
{
    return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static inline size_t deepseek3_piece_end(struct btk_pretok *pretok, size_t position)
{
    size_t length;
    const enum btk_unicode_kind kind = walk_kind_at(pretok, position, &length);
    if (set_has(EAST, kind)) return words_piece_end(pretok, position, &inside);
    // ASCII punctuation goes with ASCII letters, and no others.
    if (set_has(OTHER, kind) && length == 1 && position + 1 < pretok->length
        && is_ascii_letter(pretok->text[position + 1]))
        return walk_ascii_end(pretok, position + 1, SET_CASED);
    return words_piece_end(pretok, position, &outside);
}

static size_t deepseek3_walk(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                             size_t capacity)
{
    size_t count = 0;
    while (count < capacity && pretok->position < pretok->length) {
        const size_t begin = pretok->position;
        pretok->position = deepseek3_piece_end(pretok, begin);
        out_pieces[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)pretok->position};
    }
    return count;
}
