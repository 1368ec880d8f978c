// SPDX-License-Identifier: Apache-2.0
// Results as JSON Lines, as bare ids, or as NumPy arrays.
//
//     jsonl  one object a line
//     u32    FILE: all ids, one after the other; FILE.ends: u64, where each document ends
//     npy    the same two as NumPy arrays (format 1.0), FILE and FILE.ends.npy
//
// Ownership: owns its buffers and what it opened. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <budtiktok/client.h>

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/json_writer.h"
#include "tools/backend.h"
#include "tools/options.h"
#include "tools/request.h"

enum btk_output_format { BTK_OUTPUT_JSONL, BTK_OUTPUT_U32, BTK_OUTPUT_NPY };

// Writes what a document gives as a stream. -errno.
typedef int btk_output_steps_fn(void *context, size_t index, struct btk_json_writer *writer,
                                bool *out_is_error);

struct btk_output {
    enum btk_output_format format;
    uint32_t fields; // set of enum btk_field
    int fd;
    int ends_fd; // -1: none
    struct btk_buffer buffer;
    struct btk_buffer ends;
    uint64_t token_count;
    uint64_t document_count;
    uint64_t error_count;
    const char *path;
    btk_output_steps_fn *steps; // NULL: documents are not streams
};

// Reads --output, --output-format and --fields, and opens what is written to. -EINVAL; -errno with
// the file's name.
BTK_MUST_USE int btk_output_open(struct btk_output *output, const struct btk_options *options,
                                 struct btk_error *error);

// Writes what is left and what only is known at the end. -errno.
BTK_MUST_USE int btk_output_finish(struct btk_output *output, struct btk_error *error);
void btk_output_close(struct btk_output *output);

// A document's view, by its index in the batch; BTK_OUTPUT_NO_DOCUMENT: is there an error of all?
#define BTK_OUTPUT_NO_DOCUMENT SIZE_MAX
typedef int btk_output_view_fn(void *context, size_t index, struct btk_result_view *out_view);

// Writes all lines of a batch. -errno.
BTK_MUST_USE int btk_output_write(struct btk_output *output, const struct btk_request_batch *batch,
                                  btk_output_view_fn *view, void *context, struct btk_error *error);
