// SPDX-License-Identifier: Apache-2.0
// One piece of text through the model of an image: ids, and where in the piece each token stands.
//
//     kind        tokens of a piece                       their places
//     BPE         bpe.h                                   one behind the other; after dropped characters
//                                                         too early, behind fallback affixes too far
//     WordPiece   wordpiece.h                             one behind the other
//     Unigram     unigram.h                               the same, but bytes have that of their string
//     WordLevel   the piece, or the unknown token         all of it
//
// Places may end behind the piece (bytes of an affix), as the reference's do; who shows them decides
// what that means.
//
// Ownership: the scratch owns its arrays. Threads: a scratch is for one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"
#include "tokenizer/model/bpe.h"
#include "tokenizer/model/unigram.h"

struct btk_model_scratch {
    size_t piece_bytes_max;
    uint32_t *ids;    // the result
    uint32_t *places; // begin and end of each token
    size_t capacity;  // tokens
    struct btk_bpe_scratch bpe;
    struct btk_unigram unigram;
};

// How many tokens one byte of a piece can become at most.
size_t btk_model_tokens_per_byte(const struct btk_image_config *config);

// For pieces of at most `piece_bytes_max` bytes; Unigram takes longer ones as well. -ENOMEM.
BTK_MUST_USE int btk_model_scratch_init(struct btk_model_scratch *scratch,
                                        const struct btk_image *image, size_t piece_bytes_max);
void btk_model_scratch_clear(struct btk_model_scratch *scratch); // NULL is fine

void btk_model_set_progress(struct btk_model_scratch *scratch, struct btk_progress progress);

// Does the same piece become the same tokens each time?
bool btk_model_is_certain(const struct btk_image_config *config);

// The tokens of a piece of at least one byte, in one portion or more: call again until there are
// none. -ENODATA: a character or word is unknown and the vocabulary has no unknown token; -ENOMEM.
BTK_MUST_USE int btk_model_begin(const struct btk_image *image, struct btk_model_scratch *scratch,
                                 struct btk_bytes piece, size_t *out_count);
BTK_MUST_USE int btk_model_next(const struct btk_image *image, struct btk_model_scratch *scratch,
                                size_t *out_count);
