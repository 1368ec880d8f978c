// SPDX-License-Identifier: Apache-2.0
// What the patterns have in common: sets of kinds of characters, and the end of a run of a set.
//
// A set is one bit for each enum btk_unicode_kind. Every set that is given here is a constant in the
// caller, and each pattern gets a body of its own in which the ASCII part of a run is one or two
// operations on masks.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/unicode_kinds.h"
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"

#define BTK_WALK_INLINE static inline __attribute__((always_inline))

#define SET(kind) (1u << BTK_KIND_##kind)

enum {
    SET_CASED = SET(UPPER) | SET(LOWER),
    SET_HAN_NOT_COMMON =
        SET(HAN_LETTER) | SET(HAN_MARK) | SET(HAN_NUMBER) | SET(HAN_PUNCTUATION) | SET(HAN_SYMBOL),
    SET_HAN = SET_HAN_NOT_COMMON | SET(HAN_COMMON),
    SET_KANA = SET(KANA_LETTER) | SET(KANA_MARK) | SET(KANA_PUNCTUATION) | SET(KANA_SYMBOL)
               | SET(KANA_OTHER),
    SET_L = SET_CASED | SET(LETTER) | SET(HAN_LETTER) | SET(HAN_COMMON) | SET(KANA_LETTER),
    SET_M = SET(MARK) | SET(HAN_MARK) | SET(KANA_MARK),
    SET_N = SET(NUMBER) | SET(HAN_NUMBER),
    SET_P = SET(PUNCTUATION) | SET(HAN_PUNCTUATION) | SET(KANA_PUNCTUATION),
    SET_S = SET(SYMBOL) | SET(HAN_SYMBOL) | SET(KANA_SYMBOL),
    SET_OTHER = SET(OTHER) | SET(KANA_OTHER) | SET(NEW_NUMBER),
    SET_SPACE = SET(SPACE) | SET(NEWLINE) | SET(BLANK),
    SET_ALL = (1u << BTK_KIND_COUNT) - 1,
};

BTK_WALK_INLINE bool set_has(uint32_t set, enum btk_unicode_kind kind)
{
    return set >> kind & 1;
}

BTK_WALK_INLINE enum btk_unicode_kind walk_kind_at(const struct btk_pretok *pretok, size_t position,
                                                   size_t *out_length)
{
    const uint8_t byte = pretok->text[position];
    if (byte < 0x80) {
        *out_length = 1;
        return (enum btk_unicode_kind)btk_unicode_kind_values[0][byte];
    }
    return btk_unicode_kind(btk_utf8_decode(pretok->text + position, out_length));
}

// The ASCII part of a set, from the masks of 64 bytes. A set holds both of P and S or none, as ASCII
// punctuation is in either, and all white space or none.
BTK_WALK_INLINE uint64_t walk_mask(const struct btk_word_masks *masks, uint32_t set)
{
    uint64_t mask = 0;
    if ((set & SET_CASED) == SET_CASED)
        mask |= masks->letter;
    else if (set & SET(UPPER))
        mask |= masks->upper;
    else if (set & SET(LOWER))
        mask |= masks->letter & ~masks->upper;
    if (set & SET(NUMBER)) mask |= masks->digit;
    if (set & SET(SPACE)) mask |= masks->space;
    if (!(set & SET(PUNCTUATION))) return set & SET(OTHER) ? mask | masks->control : mask;
    const uint64_t not_punctuation = masks->letter | masks->digit | masks->space | masks->high;
    return mask | ~(set & SET(OTHER) ? not_punctuation : not_punctuation | masks->control);
}

// Of the text around `position`; a walk may have to go back before the window.
static inline void walk_fill_window(struct btk_pretok *pretok, size_t position)
{
    const size_t bytes = btk_min_size(pretok->length - position, BTK_PRETOK_WINDOW_BYTES);
    pretok->kernels->word_masks(pretok->text + position, bytes, pretok->masks.words);
    pretok->window_begin = position;
    pretok->window_end = position + bytes;
}

// The end of the run of bytes below 0x80 that are of the set.
BTK_WALK_INLINE size_t walk_ascii_end(struct btk_pretok *pretok, size_t position, uint32_t set)
{
    while (position < pretok->length) {
        if (position < pretok->window_begin || position >= pretok->window_end)
            walk_fill_window(pretok, position);
        const size_t inside = position - pretok->window_begin;
        const uint64_t mask = walk_mask(&pretok->masks.words[inside / 64], set) >> (inside % 64);
        const size_t left = 64 - inside % 64;
        const size_t ones = ~mask ? (size_t)__builtin_ctzll(~mask) : 64;
        if (ones < left) return btk_min_size(position + ones, pretok->length);
        position += left;
    }
    return pretok->length;
}

// The end of the run of characters of the set, from `position` on.
BTK_WALK_INLINE size_t walk_run_end(struct btk_pretok *pretok, size_t position, uint32_t set)
{
    for (;;) {
        if (position < pretok->length && pretok->text[position] < 0x80)
            position = walk_ascii_end(pretok, position, set);
        size_t length;
        if (position >= pretok->length || pretok->text[position] < 0x80
            || !set_has(set, walk_kind_at(pretok, position, &length)))
            return position;
        position += length;
    }
}

// Where the character before `position` begins.
BTK_WALK_INLINE size_t walk_back(const struct btk_pretok *pretok, size_t position)
{
    position--;
    while ((pretok->text[position] & 0xc0) == 0x80) position--;
    return position;
}
