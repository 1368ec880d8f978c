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

#include <budtiktok/encoding.h>
#include <budtiktok/tokenizer.h>

#ifdef __cplusplus
extern "C" {
#endif

struct btk_encodings;

// --- Options (truncation and padding: <budtiktok/encoding.h>)

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

// --- Results

BTK_API_MUST_USE BTK_API int btk_encodings_new(struct btk_encodings **out_encodings,
                                               struct btk_error_info *error); // -ENOMEM
BTK_API void btk_encodings_free(struct btk_encodings **encodings); // NULL is fine; NULL afterwards

// How many times memory had to grow.
BTK_API uint64_t btk_encodings_growth_count(const struct btk_encodings *encodings);

// Memory that it holds, bytes.
BTK_API uint64_t btk_encodings_bytes(const struct btk_encodings *encodings);

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

// Encodings of a document: itself, then what overflowed (with BTK_FIELD_OVERFLOWING).
BTK_API size_t btk_encodings_document_count(const struct btk_encodings *encodings);
BTK_API size_t btk_encodings_count(const struct btk_encodings *encodings, size_t document);
BTK_API struct btk_encoding_view btk_encodings_get(const struct btk_encodings *encodings,
                                                   size_t document, size_t index);

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
