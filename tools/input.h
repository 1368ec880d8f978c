// SPDX-License-Identifier: Apache-2.0
// Files and standard input as batches of requests.
//
// Ownership: owns what it opened. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "common/request_options.h"
#include "tools/line_reader.h"
#include "tools/options.h"
#include "tools/request.h"

enum btk_input_format {
    BTK_INPUT_AUTO,
    BTK_INPUT_TEXT,
    BTK_INPUT_LINES,
    BTK_INPUT_JSONL,
};

struct btk_input {
    enum btk_input_format format;       // as asked for
    enum btk_input_format current;      // of the open file
    bool wants_ids;                     // decode
    struct btk_request_options options; // unless a line says otherwise
    const char *text_key;
    uint64_t document_bytes_max;
    char *const *files; // file_count 0: standard input
    unsigned file_count;
    unsigned next_file;
    int fd; // -1: none is open
    const char *name;
    struct btk_line_reader lines;
    uint64_t bytes_done;
    uint64_t bytes_total;                    // 0: nobody knows
    struct btk_json *pending;                // a line whose options begin a new batch
    struct btk_request_options line_options; // of the line that was read last
};

// Reads the options of the command; opens nothing yet. -EINVAL.
BTK_MUST_USE int btk_input_init(struct btk_input *input, const struct btk_options *options,
                                struct btk_error *error);
void btk_input_clear(struct btk_input *input);

// Fills the batch with some lines; fewer when no more come without waiting. 1; 0: that was all;
// -errno with what happened to which file.
BTK_MUST_USE int btk_input_next(struct btk_input *input, struct btk_request_batch *batch,
                                struct btk_error *error);
