// SPDX-License-Identifier: Apache-2.0
// Unigram of one piece: the division into tokens with the highest sum of scores.
//
//     text     ▁ a b c d ▁ e        Viterbi: for each end, the best token that ends there
//              |-------| |---|      a place that no token lies across: all before it is settled
//
// What is settled is given out, and only its score goes on (sums are rounded, so it cannot begin
// again at 0): the memory follows the longest stretch without such a place, not the text.
//
// Source: encode_optimized() and tokenize() of the reference's models/unigram/model.rs. Among equal
// sums the token that began first stays. A character without a token of its own may be unknown, at
// 10 below the lowest score. Tokens that are the unknown one and stand together are one string,
// which is looked up once more: it may be a token, or become bytes, or it is unknown.
//
// sentencepiece itself (EncodeOptimized() of its unigram_model.cc) does the same with sums in single
// precision, which begin again at 0 beyond 100,000 (BTK_MODEL_SINGLE_SUMS), and does not look up strings
// of unknown characters once more (BTK_MODEL_SENTENCEPIECE).
//
// Ownership: the scratch owns its arrays. Threads: a scratch is for one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"
#include "tokenizer/progress.h"

struct btk_unigram_node {
    double score;
    uint32_t start; // of the best token that ends here
    uint32_t id;
    uint32_t next; // end of the token that begins here, on the best way
};

struct btk_unigram {
    struct btk_unigram_node *nodes; // of the stretch that is not settled
    size_t capacity;
    struct btk_bytes piece;
    size_t base;                         // where the nodes begin
    size_t at;                           // tokens of the best way are given out up to here
    size_t ready;                        // and known up to here
    double score;                        // at `ready`
    size_t unknown_begin, unknown_end;   // the string of unknown tokens that is not given out
    size_t fallback_begin, fallback_end; // the string that is given out as bytes, all of it
    size_t fallback_at;
    uint64_t spill_count;
    struct btk_progress progress;
};

// -ENOMEM.
BTK_MUST_USE int btk_unigram_init(struct btk_unigram *unigram);
void btk_unigram_clear(struct btk_unigram *unigram); // NULL is fine

// Begins a piece of at least one byte, which stays until its last tokens are given out.
void btk_unigram_begin(struct btk_unigram *unigram, struct btk_bytes piece);

// The next tokens, at most `capacity`, and their begins and ends in the piece; none: this was all.
// -ENOMEM; -ENODATA: the unknown token is needed and there is none.
BTK_MUST_USE int btk_unigram_next(const struct btk_image *image, struct btk_unigram *unigram,
                                  size_t capacity, uint32_t *out_ids, uint32_t *out_places,
                                  size_t *out_count);
