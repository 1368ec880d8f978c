// SPDX-License-Identifier: Apache-2.0
// Everything that an encoding holds: pairs, words, batches, truncation with what overflows, padding.
// Part of <budtiktok/tokenizer.h>, which includes it.
//
//     texts + options --btk_encode_batch--> struct btk_encodings       owned by the caller, reused
//                                           document 0: its encoding, what overflowed ...
//                                           document 1: ...
//                     <--btk_encodings_get--  struct btk_encoding_view  columns in place
//
// A pair, of which no more than 128 tokens are wanted, the second text alone being cut:
//
//     struct btk_encoding_options options = BTK_ENCODING_DEFAULTS;
//     options.fields = BTK_FIELD_IDS | BTK_FIELD_OFFSETS | BTK_FIELD_OVERFLOWING;
//     options.truncation = (struct btk_truncation){.is_on = true, .max_length = 128, .stride = 32,
//                                                  .strategy = BTK_TRUNCATE_ONLY_SECOND};
//     struct btk_encode_input input = {.text = {question, strlen(question)}, .has_pair = true,
//                                      .pair = {context, strlen(context)}};
//     struct btk_encodings *encodings = NULL;
//     if (btk_encodings_new(&encodings, &error) != 0) ...
//     if (btk_encode_batch(tokenizer, scratch, &input, 1, &options, encodings, &error) != 0) ...
//     for (size_t i = 0; i < btk_encodings_count(encodings, 0); i++) {
//         struct btk_encoding_view view = btk_encodings_get(encodings, 0, i); // 0: what was kept
//         ... view.ids[0 .. view.token_count) ...
//     }
//
// All of it is what tokenizers 0.23.3 gives; where that one panics, these calls return -EINVAL.
//
// Ownership: views borrow the encodings and are good until the next call with them. Memory grows to
// what the largest call needed and is then reused: no allocation for a call after that. Threads: one
// at a time for each struct btk_encodings.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/tokenizer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct btk_encodings;

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

// Begin with BTK_ENCODING_DEFAULTS.
struct btk_encoding_options {
    struct btk_encode_options encode;
    uint32_t fields; // set of enum btk_field; ids are always there
    struct btk_truncation truncation;
    struct btk_padding padding;
    // Nothing is encoded that could become more than this: tokens of all encodings of a call, each
    // encoding counted as 16 more. 0: BTK_ENCODING_COST_MAX. What the texts hold themselves is free.
    uint64_t cost_max;
};

#define BTK_ENCODING_COST_MAX (UINT64_C(1) << 26)

#define BTK_PADDING_DEFAULTS                                                                       \
    {                                                                                              \
        .token = "[PAD]", .token_bytes = 5                                                         \
    }

#define BTK_ENCODING_DEFAULTS                                                                      \
    {                                                                                              \
        .encode = BTK_ENCODE_DEFAULTS, .fields = BTK_FIELD_IDS, .padding = BTK_PADDING_DEFAULTS    \
    }

// The truncation and padding that stand in the tokenizer file; off where there are none. The text of
// the padding token is the tokenizer's.
BTK_API void btk_tokenizer_configured(const struct btk_tokenizer *tokenizer,
                                      struct btk_truncation *out_truncation,
                                      struct btk_padding *out_padding);

// Do the options make sense for this tokenizer? What the reference's setters would refuse: a stride
// that is longer than max_length without special tokens. Not asked by btk_encode_batch(), as the
// reference does not ask for what stands in a file. -EINVAL.
BTK_API_MUST_USE BTK_API int btk_truncation_check(const struct btk_tokenizer *tokenizer,
                                                  const struct btk_truncation *truncation,
                                                  struct btk_error_info *error);

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

BTK_API_MUST_USE BTK_API int btk_encodings_new(struct btk_encodings **out_encodings,
                                               struct btk_error_info *error); // -ENOMEM
BTK_API void btk_encodings_free(struct btk_encodings **encodings); // NULL is fine; NULL afterwards

// How many times memory had to grow.
BTK_API uint64_t btk_encodings_growth_count(const struct btk_encodings *encodings);

// Encodes documents, replacing what was in `encodings`. Padding to the longest is to that of all
// `count` documents. Errors: those of btk_encode(); -EINVAL: the options do not fit the input (no
// pair where the second text is to be cut, nothing left to cut, stride not shorter than what is
// left), or the post-processor has no such input; -E2BIG: more than options->cost_max. After a
// failure there are no documents; the message names the document if there are several.
BTK_API_MUST_USE BTK_API int btk_encode_batch(const struct btk_tokenizer *tokenizer,
                                              struct btk_scratch *scratch,
                                              const struct btk_encode_input *inputs, size_t count,
                                              const struct btk_encoding_options *options,
                                              struct btk_encodings *encodings,
                                              struct btk_error_info *error);

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
    const struct btk_sequence_range *ranges; // always there; none: one sequence, which is all of it
    size_t range_count;
};

// Encodings of a document: itself, then what overflowed (with BTK_FIELD_OVERFLOWING).
BTK_API size_t btk_encodings_document_count(const struct btk_encodings *encodings);
BTK_API size_t btk_encodings_count(const struct btk_encodings *encodings, size_t document);
BTK_API struct btk_encoding_view btk_encodings_get(const struct btk_encodings *encodings,
                                                   size_t document, size_t index);

// The text of one token, when BTK_FIELD_TOKENS was asked for; not NUL-terminated. NULL: no such token.
BTK_API const char *btk_encoding_token(const struct btk_encoding_view *view, size_t token,
                                       size_t *out_bytes);

// --- Places. Each returns false where the reference's Encoding returns None; what a column that is
// not there would have to say is false, too. Positions are in the unit of the offsets.

BTK_API bool btk_encoding_token_to_sequence(const struct btk_encoding_view *view, size_t token,
                                            size_t *out_sequence);
BTK_API bool btk_encoding_token_to_chars(const struct btk_encoding_view *view, size_t token,
                                         size_t *out_sequence, uint32_t out_range[2]);
BTK_API bool btk_encoding_token_to_word(const struct btk_encoding_view *view, size_t token,
                                        size_t *out_sequence, uint32_t *out_word);
BTK_API bool btk_encoding_char_to_token(const struct btk_encoding_view *view, size_t position,
                                        size_t sequence, size_t *out_token);
BTK_API bool btk_encoding_char_to_word(const struct btk_encoding_view *view, size_t position,
                                       size_t sequence, uint32_t *out_word);
BTK_API bool btk_encoding_word_to_tokens(const struct btk_encoding_view *view, uint32_t word,
                                         size_t sequence, size_t out_range[2]);
BTK_API bool btk_encoding_word_to_chars(const struct btk_encoding_view *view, uint32_t word,
                                        size_t sequence, uint32_t out_range[2]);

#ifdef __cplusplus
}
#endif
