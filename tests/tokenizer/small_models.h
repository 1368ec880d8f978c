// SPDX-License-Identifier: Apache-2.0
// Tokenizers that tests make up: small enough to check everything against a simple way to do it.
//
// Ownership: the JSON is the caller's buffer. Threads: no state. Failures end the test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "tokenizer/image.h"

enum { BTK_SMALL_TOKENS_MAX = 1024, BTK_SMALL_TOKEN_BYTES_MAX = 40 };

struct btk_small_token {
    uint8_t bytes[BTK_SMALL_TOKEN_BYTES_MAX];
    size_t length;
};

struct btk_small_merge {
    uint32_t left, right, merged; // ids
};

// Ids are places in `tokens`, ranks are places in `merges`.
struct btk_small_model {
    struct btk_small_token tokens[BTK_SMALL_TOKENS_MAX];
    uint32_t token_count;
    struct btk_small_merge merges[BTK_SMALL_TOKENS_MAX];
    uint32_t merge_count;
};

// splitmix64: the next number of a sequence that the seed decides.
uint64_t btk_small_random(uint64_t *state);

// A byte-level BPE: the 256 bytes, and merges of random tokens made of "abcd".
void btk_small_bpe(struct btk_small_model *model, uint64_t seed, uint32_t merge_count);

// A WordPiece: [UNK], and random pieces of "abc" and U+00E9, half of them behind "##".
void btk_small_wordpiece(struct btk_small_model *model, uint64_t seed, uint32_t piece_count);

// The model as a tokenizer.json without added tokens; `more` is put into the object as it stands
// (",\"added_tokens\":[..]"), and may replace the normalizer.
void btk_small_bpe_json(const struct btk_small_model *model, const char *more,
                        struct btk_buffer *out_json);
void btk_small_wordpiece_json(const struct btk_small_model *model, const char *more,
                              struct btk_buffer *out_json);

// The compiled image in aligned memory for free().
void *btk_small_image(const struct btk_buffer *json, size_t *out_bytes);
