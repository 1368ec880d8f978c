// SPDX-License-Identifier: Apache-2.0
// What the input asks for, in batches: documents back to back, and the lines that they came from.
//
// Ownership: a batch owns its buffers. Threads: one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/encoding.h>

#include "common/buffer.h"

enum { BTK_REQUEST_MESSAGE_MAX = 200 };

// An error that stands in the place of a result.
struct btk_request_error {
    const char *code; // "invalid_json", ...; NULL: none
    uint64_t offset;  // BTK_NO_OFFSET: none
    char message[BTK_REQUEST_MESSAGE_MAX];
};

// One line of results: of one document, of a list of them, or an error.
struct btk_request_line {
    uint32_t document_count;
    bool is_batch; // {"batch": [...]}
    struct btk_request_error error;
};

#define BTK_REQUEST_NO_PAIR UINT64_MAX

// What a document is: one text, or words; its pair stands behind it.
struct btk_request_shape {
    uint64_t pair_begin; // in the document; BTK_REQUEST_NO_PAIR: none
    uint64_t first_word; // in `word_ends`: those of the text, then those of the pair
    uint32_t word_count;
    uint32_t pair_word_count;
    bool is_split;
    bool pair_is_split;
};

struct btk_request_options; // common/request_options.h

struct btk_request_batch {
    struct btk_buffer text;              // UTF-8, or uint32_t ids to decode
    struct btk_buffer ends;              // uint64_t: where each document ends in `text`
    struct btk_buffer shapes;            // struct btk_request_shape of each document
    struct btk_buffer word_ends;         // uint64_t, from the beginning of their text
    struct btk_buffer lines;             // struct btk_request_line
    struct btk_request_options *options; // of all its documents; belongs to the reader of the input
    bool has_shapes;                     // not all documents are single texts
};

static inline size_t btk_request_document_count(const struct btk_request_batch *batch)
{
    return batch->ends.length / sizeof(uint64_t);
}

static inline size_t btk_request_line_count(const struct btk_request_batch *batch)
{
    return batch->lines.length / sizeof(struct btk_request_line);
}

static inline const struct btk_request_line *
btk_request_lines(const struct btk_request_batch *batch)
{
    return (const struct btk_request_line *)(const void *)batch->lines.data;
}

static inline struct btk_bytes btk_request_document(const struct btk_request_batch *batch,
                                                    size_t index)
{
    const uint64_t *const ends = (const uint64_t *)(const void *)batch->ends.data;
    const uint64_t begin = index ? ends[index - 1] : 0;
    return (struct btk_bytes){batch->text.data + begin, ends[index] - begin};
}

static inline const struct btk_request_shape *
btk_request_shape_of(const struct btk_request_batch *batch, size_t index)
{
    return (const struct btk_request_shape *)(const void *)batch->shapes.data + index;
}

void btk_request_batch_init(struct btk_request_batch *batch);
void btk_request_batch_reset(struct btk_request_batch *batch); // keeps the memory
void btk_request_batch_clear(struct btk_request_batch *batch);

// The text so far is one more document. `shape`: NULL for a single text. -ENOMEM.
BTK_MUST_USE int btk_request_end_document(struct btk_request_batch *batch,
                                          const struct btk_request_shape *shape);
BTK_MUST_USE int btk_request_add_line(struct btk_request_batch *batch,
                                      const struct btk_request_line *line);

// A document as the engine and the client library take it; borrows the batch.
struct btk_encode_input btk_request_input(const struct btk_request_batch *batch, size_t index);
