// SPDX-License-Identifier: Apache-2.0
// Pieces of at most 16 bytes and what they became, as they stand in the cache of a worker and in the
// table of an image: half a cache line each (struct btk_short_piece, image_format.h).
//
//     words     | 16 bytes of text, and behind it 0xff, which no UTF-8 has | all 0xfe: nothing is there
//     ids       | up to 3                                                  |
//     layout    | count of ids, 2 bits | 15 bits: does a token end at byte 1, 2, .. |
//
// Only pieces whose tokens stand one behind the other and fill the piece have a layout.
//
// Hash: multiplication and folding after Wang Yi's wyhash.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "tokenizer/image_format.h"

struct btk_short_key {
    uint64_t words[2];
};

// For each length 16 bytes: what stands behind the text.
extern const uint8_t btk_short_padding[BTK_SHORT_BYTES_MAX + 1][BTK_SHORT_BYTES_MAX];

// The key of a piece of 1 to BTK_SHORT_BYTES_MAX bytes; with 0 the key that no piece has, known or not.
// BTK_SHORT_BYTES_MAX bytes can be read at `text`.
static inline struct btk_short_key btk_short_key_read(const uint8_t *text, size_t length)
{
    uint64_t words[2], padding[2];
    memcpy(words, text, sizeof words);
    memcpy(padding, btk_short_padding[length], sizeof padding);
    return (struct btk_short_key){{words[0] | padding[0], words[1] | padding[1]}};
}

// The same, and only `length` bytes are read.
static inline struct btk_short_key btk_short_key_copy(const uint8_t *text, size_t length)
{
    struct btk_short_key key = {{UINT64_MAX, UINT64_MAX}};
    memcpy(&key, text, length);
    return key;
}

static inline uint64_t btk_fold(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t btk_short_key_hash(const struct btk_short_key *key, const uint64_t seeds[2])
{
    return btk_fold(key->words[0] ^ seeds[0], key->words[1] ^ seeds[1]);
}

static inline bool btk_short_piece_is(const struct btk_short_piece *piece,
                                      const struct btk_short_key *key)
{
    return !((piece->words[0] ^ key->words[0]) | (piece->words[1] ^ key->words[1]));
}

enum { BTK_SHORT_NOTHING_BYTE = 0xfe }; // what memory without pieces is filled with

static inline bool btk_short_piece_is_nothing(const struct btk_short_piece *piece)
{
    return (piece->words[0] & piece->words[1]) == UINT64_C(0xfefefefefefefefe);
}

static inline size_t btk_short_layout_count(uint32_t layout)
{
    return layout & 3;
}

// Bit i: a token ends at byte i + 1; not the last one, which ends with the piece.
static inline uint32_t btk_short_layout_ends(uint32_t layout)
{
    return layout >> 2;
}

// The end of the token that begins at byte `begin` of a piece of `length` bytes.
static inline size_t btk_short_layout_end(uint32_t layout, size_t begin, size_t length)
{
    const uint32_t ends = btk_short_layout_ends(layout) >> begin; // the lowest bit: byte begin + 1
    return ends ? begin + 1 + (size_t)__builtin_ctz(ends) : length;
}

// Where each of `count` tokens ends, one bit a byte, without the last; false: they leave holes, or do not
// fill the piece. `places`: begin and end of each token.
bool btk_piece_ends(const uint32_t *places, size_t count, size_t length, uint32_t *out_ends);

// False: these tokens do not fit.
bool btk_short_piece_try_fill(struct btk_short_piece *out_piece, const struct btk_short_key *key,
                              size_t length, const uint32_t *ids, const uint32_t *places,
                              size_t count);
