// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE of one piece: merges by rank, the leftmost of equal ranks first.
//
// Short pieces look for the lowest rank in a line of ranks; long ones keep the candidates in a heap
// (Sennrich, Haddow, Birch 2016; the same order as the reference's models/bpe/word.rs). Nothing is
// quadratic: the line is used up to a fixed length.
//
// Ownership: the scratch owns its arrays. Threads: a scratch is for one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"
#include "tokenizer/progress.h"

struct btk_bpe_scratch {
    size_t capacity_bytes; // longest piece
    uint32_t *ids;         // the result, then
    uint32_t *lengths;     // bytes of each token
    uint32_t *previous;
    uint32_t *next;
    uint64_t *heap; // rank << 32 | position
    size_t heap_count;
    struct btk_progress progress; // ticks every 65536 candidates
};

// -ENOMEM.
BTK_MUST_USE int btk_bpe_scratch_init(struct btk_bpe_scratch *scratch, size_t capacity_bytes);
void btk_bpe_scratch_clear(struct btk_bpe_scratch *scratch); // NULL is fine

// Merges a piece of 1 to capacity_bytes bytes. Returns the count of tokens, which are in
// scratch->ids and scratch->lengths.
size_t btk_bpe_merge(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                     struct btk_bytes piece);
