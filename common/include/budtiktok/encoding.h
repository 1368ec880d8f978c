// SPDX-License-Identifier: Apache-2.0
// What documents and encodings are, in the words that the engine library and the client library
// share: a text, its pair, words; truncation and padding; the columns of an encoding.
//
// Plain data: nothing here allocates. Ownership: everything that a struct points to is borrowed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// --- Options

enum btk_truncation_strategy {
    BTK_TRUNCATE_LONGEST_FIRST = 0,
    BTK_TRUNCATE_ONLY_FIRST = 1,
    BTK_TRUNCATE_ONLY_SECOND = 2,
};

enum btk_direction {
    BTK_DIRECTION_RIGHT = 0, // the end is cut off, or padded
    BTK_DIRECTION_LEFT = 1,
};

// As the reference's enable_truncation: special tokens count, too.
struct btk_truncation {
    bool is_on;
    uint8_t strategy;    // enum btk_truncation_strategy
    uint8_t direction;   // enum btk_direction
    uint64_t max_length; // tokens
    uint64_t stride;     // tokens that what overflows repeats of the part before
};

// As the reference's enable_padding.
struct btk_padding {
    bool is_on;
    bool has_length;      // false: to the longest of the call
    uint8_t direction;    // enum btk_direction
    uint64_t length;      // tokens
    uint64_t multiple_of; // 0: none
    uint32_t id;
    uint32_t type_id;
    const char *token; // UTF-8
    size_t token_bytes;
};

// The longest padding token that a request may give, bytes.
#define BTK_PAD_TOKEN_BYTES_MAX 1024

#define BTK_PADDING_DEFAULTS                                                                       \
    {                                                                                              \
        .token = "[PAD]", .token_bytes = 5                                                         \
    }

// Where truncation and padding come from.
enum btk_option_source {
    BTK_OPTION_IS_OFF = 0,
    BTK_OPTION_IS_GIVEN = 1,      // by the request
    BTK_OPTION_IS_CONFIGURED = 2, // what stands in the tokenizer file, if anything does
};

// --- Input

// One text, or words: input that is split already. Words stand back to back in `data`; word i ends at
// word_ends[i], which is not inside of a character. Each is encoded for itself; word ids count them,
// offsets speak of the word.
struct btk_encode_text {
    const char *data;
    size_t bytes;
    const uint64_t *word_ends; // NULL: one text
    size_t word_count;
};

struct btk_encode_input {
    struct btk_encode_text text;
    bool has_pair;
    struct btk_encode_text pair;
};

// --- Results

// A part of an encoding that is of one of the texts.
struct btk_sequence_range {
    uint32_t sequence_id; // 0: the text, 1: its pair
    uint32_t reserved;
    uint64_t begin; // tokens
    uint64_t end;
};

// Columns that were not asked for are NULL.
struct btk_encoding_view {
    size_t token_count;
    const uint32_t *ids;
    const uint32_t *type_ids;
    const uint32_t *offsets;      // begin and end of each
    const uint32_t *word_ids;     // UINT32_MAX: none
    const uint32_t *sequence_ids; // UINT32_MAX: none
    const uint8_t *special_tokens_mask;
    const uint8_t *attention_mask;
    const uint32_t *token_ends;              // for btk_encoding_token
    const char *token_text;                  // for btk_encoding_token
    uint32_t token_text_begin;               // for btk_encoding_token
    uint32_t token_text_end;                 // for btk_encoding_token
    const struct btk_sequence_range *ranges; // none: one sequence, which is all of it
    size_t range_count;
};

// The text of one token, when BTK_FIELD_TOKENS was asked for; not NUL-terminated. NULL: no such token.
static inline const char *btk_encoding_token(const struct btk_encoding_view *view, size_t token,
                                             size_t *out_bytes)
{
    if (!view->token_ends || token >= view->token_count) return NULL;
    const uint32_t begin = token ? view->token_ends[token - 1] : view->token_text_begin;
    const uint32_t end = view->token_ends[token];
    if (begin > end || end > view->token_text_end) return NULL;
    *out_bytes = end - begin;
    return view->token_text + begin;
}

#ifdef __cplusplus
}
#endif
