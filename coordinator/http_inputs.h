// SPDX-License-Identifier: Apache-2.0
// "inputs" of POST /tokenize: from JSON into the slab, as documents of a job.
//
//     "text"    {"text": "..", "pair": ".."}    {"words": ["..", ..], "pair": ["..", ..]}    or a list of such
//
// Threads: the HTTP server's.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/json.h"
#include "coordinator/http_bridge.h"

// The most documents that one request may bring.
enum { BTK_HTTP_INPUTS_MAX = 1 << 22 };

// Reserves room and writes the documents; sets job->flags when one of them is more than a text.
// -EINVAL with what was expected; -EAGAIN, -EMSGSIZE: room; -ENOMEM.
BTK_MUST_USE int btk_http_inputs_read(struct btk_http_bridge *bridge, const struct btk_json *inputs,
                                      struct btk_http_job *job, struct btk_error *error);

// An input of a job as it was read; it borrows the slab, or `copy`, which the caller clears.
// -ENOMEM, -EPROTO.
BTK_MUST_USE int btk_http_inputs_get(const struct btk_http_bridge *bridge,
                                     const struct btk_http_job *job, uint32_t index,
                                     struct btk_buffer *copy, struct btk_encode_input *out_input);
