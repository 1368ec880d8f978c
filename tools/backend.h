// SPDX-License-Identifier: Apache-2.0
// Who does the work of a job: the engine in this process, or a cluster.
//
// A backend has `depth` slots, each for one batch that it works on; the batch stays untouched until
// the slot is released.
#pragma once

#include <stdint.h>

#include <budtiktok/client.h>
#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/error.h"
#include "tools/options.h"
#include "tools/request.h"
#include "tools/stream_steps.h"

enum { BTK_BACKEND_DEPTH_MAX = 8 };

// What every document of the job is asked for; how it is encoded belongs to the batch.
struct btk_backend_request {
    uint32_t operation; // enum btk_operation
    uint32_t fields;
    uint8_t offsets_unit;
    uint8_t invalid_utf8;
    bool skip_special_tokens;
    uint8_t stream; // enum btk_stream_choice
};

// The result of a document: encodings (the first is it, the others overflowed), text, or an error.
struct btk_result_view {
    uint32_t status; // enum btk_status
    uint64_t error_offset;
    const char *message; // of the error; NULL: the status says it all
    const uint8_t *text; // decode
    size_t text_bytes;
    const struct btk_encoding_view *encodings;
    size_t encoding_count;
};

struct btk_backend {
    void *self;
    unsigned depth;
    // All return 0 or a negative errno value with *error filled.
    int (*submit)(void *self, unsigned slot, const struct btk_request_batch *batch,
                  struct btk_error *error);
    int (*wait)(void *self, unsigned slot, struct btk_error *error);
    // What is wrong with the options of the batch, if anything is: all of its documents have it.
    void (*check)(void *self, unsigned slot, struct btk_result_view *out_view);
    // Good until it is called again.
    int (*view)(void *self, unsigned slot, size_t index, struct btk_result_view *out_view);
    // Decoding as a stream: the document's steps (stream_steps.h).
    int (*steps)(void *self, size_t index, struct btk_json_writer *writer, bool *out_is_error);
    void (*release)(void *self, unsigned slot);
    void (*close)(void *self);
};

// The engine in this process. --tokenizer: a path, or the name of an embedded model.
BTK_MUST_USE int btk_engine_backend_open(const struct btk_options *options,
                                         const struct btk_backend_request *request,
                                         struct btk_backend *out_backend, struct btk_error *error);

// The cluster at --connect. -ENOENT, -ECONNREFUSED, -ETIMEDOUT: nobody answers.
BTK_MUST_USE int btk_cluster_backend_open(const struct btk_options *options,
                                          const struct btk_backend_request *request,
                                          struct btk_backend *out_backend, struct btk_error *error);
