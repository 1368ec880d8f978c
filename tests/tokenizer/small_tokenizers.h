// SPDX-License-Identifier: Apache-2.0
// Tokenizers of a few tokens, written by the test that needs them.
//
// Ownership: what is returned is the caller's. All abort the test when memory or the compiler fail.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <budtiktok/tokenizer.h>

#include "common/buffer.h"

// A WordPiece model of uncased BERT: [UNK] foo bar ##bar a b and the Chinese character U+4E2D, ids
// 0 to 6. `added`: JSON objects with commas between, or "". `more`: members of the file such as
// "\"post_processor\": {...},", or "".
char *btk_small_wordpiece_json(const char *added, const char *more);

// A byte-level BPE: the 256 bytes at ids 0 to 255 in the order of the bytes, "ab" 256, "abab" 257.
// `normalizer`: JSON.
char *btk_small_bpe_json(const char *added, const char *normalizer, const char *pretokenizer);

// Compiles; frees the JSON.
struct btk_buffer btk_small_image(char *json);

// Opens; frees the JSON.
struct btk_tokenizer *btk_small_open(char *json);
