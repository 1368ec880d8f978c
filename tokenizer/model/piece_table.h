// SPDX-License-Identifier: Apache-2.0
// What the short pieces of the vocabulary become, worked out when the image is compiled. All workers
// read the same table; what they find is kept in their own cache, which is nearer.
//
//     line      2 pieces (short_piece.h); of no fixed number of lines
//     a piece   in one of the two lines that its hash names; nowhere else
//
// The hash has no secret: a look-up reads two lines, whoever has chosen the vocabulary or the text.
// Source: cuckoo hashing with buckets (Pagh, Rodler 2001; Dietzfelbinger, Weidling 2007).
//
// Ownership: part of the image. Threads: read only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/model/short_piece.h"

enum { BTK_PIECE_TABLE_WAYS = 2 };

struct btk_piece_places {
    uint32_t lines[2];
};

// `line_count` is not 0.
static inline struct btk_piece_places btk_piece_table_places(const struct btk_short_key *key,
                                                             uint32_t line_count)
{
    static const uint64_t seeds[2] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd1b54a32d192ed03)};
    const uint64_t hash = btk_short_key_hash(key, seeds);
    return (struct btk_piece_places){{(uint32_t)((hash & UINT32_MAX) * line_count >> 32),
                                      (uint32_t)((hash >> 32) * line_count >> 32)}};
}

// What the piece becomes; NULL: the table does not have it.
static inline const struct btk_short_piece *btk_piece_table_find(const struct btk_image *image,
                                                                 const struct btk_short_key *key)
{
    if (!image->piece_line_count) return NULL;
    const struct btk_piece_places places = btk_piece_table_places(key, image->piece_line_count);
    for (size_t i = 0; i < 2; i++) {
        const struct btk_short_piece *const line =
            image->pieces + (size_t)places.lines[i] * BTK_PIECE_TABLE_WAYS;
        for (size_t way = 0; way < BTK_PIECE_TABLE_WAYS; way++)
            if (btk_short_piece_is(&line[way], key)) return &line[way];
    }
    return NULL;
}
