// SPDX-License-Identifier: Apache-2.0
// BPE of one piece: symbols, then merges by rank, the leftmost of equal ranks first.
//
//     piece      h  é  l  l  o            characters, or bytes where the image says so
//     symbols    1  7  9  9  4</w>        ids and lengths; unknown: fallback bytes, the unknown token,
//     merged     15    22     4</w>       or nothing at all, which shifts what follows
//
// Short lists of symbols look for the lowest rank in a line of ranks; long ones keep the candidates
// in a queue (Sennrich, Haddow, Birch 2016; the order of the reference's models/bpe/word.rs). Nothing
// is quadratic: the line is used up to a fixed length.
//
// A model of SentencePiece may have strings that are one symbol (the longest at a place is read, and no
// merge knows it), or words as symbols and no merges.
//
// Stale candidates. The reference drops a candidate whose pair has changed only when the new pair
// merges to another token. The length of a token's text without its prefix is the sum of those of
// its two parts, so as long as right parts are not empty and no two tokens have one id, a pair that
// has changed has grown, and gives another token: looking at the present ranks alone is the same.
// Other vocabularies have BTK_MODEL_KEEPS_STALE, and go through the queue by its rule.
//
// Lengths are bytes of the piece. With BTK_MODEL_COUNTS_ALPHABET they are those that the piece has
// when it is spelled in the byte-level alphabet, where some characters have two bytes: only then do
// dropped bytes and fallback tokens shift the others as far as in the reference.
//
// Ownership: the scratch owns its arrays. Threads: a scratch is for one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"
#include "tokenizer/model/bpe_queue.h"
#include "tokenizer/progress.h"

struct btk_bpe_scratch {
    size_t capacity;   // symbols
    uint32_t *ids;     // the result
    uint32_t *lengths; // of each token
    uint32_t *previous;
    uint32_t *next;
    struct btk_bpe_queue queue;
    uint64_t random;   // dropout: state of the generator
    uint64_t *skipped; // dropout: candidates that are left out; 2 * capacity
    size_t skipped_count;
    struct btk_progress progress; // ticks every 65536 candidates
};

// How many symbols a piece of so many bytes has at most.
size_t btk_bpe_symbols_max(const struct btk_image_config *config, size_t piece_bytes);

// For pieces of at most `capacity` symbols and the merges of an image. -ENOMEM.
BTK_MUST_USE int btk_bpe_scratch_init(struct btk_bpe_scratch *scratch,
                                      const struct btk_image *image, size_t capacity);
void btk_bpe_scratch_clear(struct btk_bpe_scratch *scratch); // NULL is fine

// Merges a piece of at least one byte and at most `capacity` symbols; the tokens are in scratch->ids
// and scratch->lengths. -ENODATA: the unknown token is needed and not in the vocabulary.
BTK_MUST_USE int btk_bpe_merge(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                               struct btk_bytes piece, size_t *out_count);
