// SPDX-License-Identifier: Apache-2.0
// Merging of short lists of symbols: each time the merge that comes first is looked for among all.
//
//     place      0    1    2    3    4       a token stands where its first symbol stood
//     alive      1    1    0    1    0
//     keys       r|0  r|1  -    none         rank of the merge with the next token, and the place: the least
//                                            key is the merge that comes first, the leftmost of equal ranks
//
// Ownership: the lists are the caller's. Threads: no state.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/image.h"

enum {
    BTK_LINE_SYMBOLS_MAX = 64,    // places are bits of a word
    BTK_LINE_RANKS_MAX = 1 << 24, // a rank and a place are one number
};

// Merges 1 to BTK_LINE_SYMBOLS_MAX symbols of an image with at most BTK_LINE_RANKS_MAX ranks, in place;
// returns how many tokens that gives. `lengths`: of each symbol, then of each token.
size_t btk_bpe_merge_line(const struct btk_image *image, uint32_t *ids, uint32_t *lengths,
                          uint32_t count);
