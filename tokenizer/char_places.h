// SPDX-License-Identifier: Apache-2.0
// From bytes to characters: the places of tokens, which nearly always go forward.
//
//     text      h  é  .  l  l  o
//     byte      0  1  2  3  4  5
//     number    0  1  1  2  3  4       of the character that the byte is part of
//
// The bytes of a window are numbered, and a place is two look-ups. A token of a part of a character has
// the place of all of it.
//
// Ownership: borrows the text. Threads: one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

enum { BTK_CHAR_WINDOW_BYTES = 4096 };

struct btk_char_places {
    struct btk_bytes text; // valid UTF-8
    size_t begin, end;     // the window; no bytes: there is none yet
    uint32_t next;         // number of the character that begins at `end`
    uint32_t numbers[BTK_CHAR_WINDOW_BYTES];
};

void btk_char_places_init(struct btk_char_places *places, struct btk_bytes text);

// `offsets`: begins and ends in bytes, which become characters. Stops before the first token that does
// not lie in one window; returns how many came before it.
size_t btk_char_places_convert(struct btk_char_places *places, uint32_t *offsets, size_t count);
