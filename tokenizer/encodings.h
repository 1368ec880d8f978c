// SPDX-License-Identifier: Apache-2.0
// How struct btk_encodings works inside: texts, then raw tokens, then a plan, then columns.
//
//     encode_batch.c   texts -> copies, raw tokens of each sequence
//     encode_plan.c    sequences -> entries: which windows, how many tokens, how much padding
//     encode_fill.c    entries -> columns
//     encodings.c      memory, views
//
// All sizes are known, and refused if they are too large, before the columns are written.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/engine.h"
#include "tokenizer/postprocessor/program.h"
#include "tokenizer/postprocessor/windows.h"

// Inside of the library: what btk_encoding calls sources.
#define BTK_FIELD_SOURCES (1u << 31)

// Memory that only grows.
struct btk_column {
    void *data;
    size_t bytes;
};

// Tokens as the model gives them, of all sequences of all documents, back to back.
struct btk_raw_tokens {
    size_t capacity;
    size_t count;
    struct btk_column ids, offsets, word_ids, sources;
    struct btk_column spaces; // two numbers a token: what trimming takes off
};

struct btk_raw_sequence {
    size_t text_begin; // in `text`
    size_t first;      // raw token
    size_t count;
};

struct btk_document_plan {
    struct btk_raw_sequence sequences[2];
    struct btk_windows windows[2];
    uint64_t first_entry;
    uint64_t entry_count;
    bool is_pair;
};

// One encoding. `index`: among those of its document.
struct btk_encoding_entry {
    size_t first; // token in the columns
    size_t count; // with padding
    size_t padding;
    size_t text_begin; // in `token_text`
    size_t first_range;
    size_t range_count;
};

struct btk_encodings {
    struct btk_column text; // copies of all texts, valid UTF-8
    size_t text_bytes;
    struct btk_raw_tokens raw;
    struct btk_column documents; // struct btk_document_plan
    size_t document_count;
    struct btk_column entries; // struct btk_encoding_entry
    size_t entry_count;
    struct btk_column ids, type_ids, offsets, word_ids, sequence_ids, sources, token_ends;
    struct btk_column special_tokens_mask, attention_mask;
    struct btk_column token_text;
    size_t token_text_bytes;
    struct btk_column ranges; // struct btk_sequence_range
    size_t range_count;
    uint32_t fields;
    uint64_t growth_count;
};

// One call of btk_encode_batch().
struct btk_batch_call {
    const struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    const struct btk_encoding_options *options;
    struct btk_encodings *encodings;
    struct btk_post_program programs[2]; // of one text, of two
    uint32_t fields;
    struct btk_error *error;
};

// Room for `bytes`; what stands there is kept. -ENOMEM.
BTK_MUST_USE int btk_column_reserve(struct btk_encodings *encodings, struct btk_column *column,
                                    size_t bytes);

// What one document becomes, and the same for all of them. -EINVAL, -E2BIG, -ENOMEM with the error
// filled.
BTK_MUST_USE int btk_plan_document(struct btk_batch_call *call, struct btk_document_plan *plan);
BTK_MUST_USE int btk_plan_batch(struct btk_batch_call *call);

// Writes all entries. -ENOMEM, -E2BIG.
BTK_MUST_USE int btk_fill_entries(struct btk_batch_call *call);

// Which window of each part the entry `index` of a document has; 0 for all of entry 0.
void btk_plan_windows(const struct btk_post_program *program, const struct btk_document_plan *plan,
                      uint64_t index, uint64_t *out_windows);

// The tokens of a part with one of its windows.
struct btk_window btk_plan_part_window(const struct btk_post_part *part,
                                       const struct btk_document_plan *plan, uint64_t window);

// Encodes with columns of the caller for a post-processor that has no template.
BTK_MUST_USE int btk_encode_generally(const struct btk_tokenizer *tokenizer,
                                      struct btk_scratch *scratch, struct btk_bytes text,
                                      const struct btk_encode_options *options,
                                      struct btk_encoding *encoding, struct btk_error *error);
