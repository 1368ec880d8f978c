// SPDX-License-Identifier: Apache-2.0
// The JSON of POST /tokenize and /decode, in the shapes of Text Embeddings Inference.
//
//     /tokenize   {"inputs": "text" | ["text", ..], "add_special_tokens": true, "model": "bpe"}
//            ->   [[{"id":1, "text":"..", "special":false, "start":0, "stop":2}, ..], ..]
//                 beside it the options of common/request_options.h, "offsets_unit", and "fields":
//                 {"inputs": [{"text": "..", "pair": ".."}, ..], "fields": ["ids", "offsets"], "truncation": {..}}
//            ->   [{"ids": [..], "offsets": [[0,5], ..]}, ..]
//     /decode     {"ids": [1, ..] | [[1, ..], ..], "skip_special_tokens": true, "model": "bpe"}
//            ->   ["text", ..]
//
// start and stop count characters; they are null for special tokens, whose text is the token's own.
// Padding to the longest is to that of the request.
//
// Threads: the HTTP server's.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "coordinator/http_bridge.h"

// Reads a body and writes its documents into the slab: the job may be submitted. -EINVAL with what
// was expected; -EAGAIN, -EMSGSIZE: room; -ENOMEM.
BTK_MUST_USE int btk_http_json_read_tokenize(struct btk_http_bridge *bridge, struct btk_bytes body,
                                             struct btk_http_job *job, struct btk_error *error);
BTK_MUST_USE int btk_http_json_read_decode(struct btk_http_bridge *bridge, struct btk_bytes body,
                                           struct btk_http_job *job, struct btk_error *error);

// Writes what came of a job that is done and OK. -EPROTO: its blocks are not what they should be;
// -EINVAL: an input cannot be encoded; -EMSGSIZE: it would become too large; -EIO: the cluster could
// not; all with a message; -ENOMEM.
BTK_MUST_USE int btk_http_json_write(const struct btk_http_bridge *bridge,
                                     const struct btk_http_job *job, struct btk_buffer *out_json,
                                     struct btk_error *error);

// {"error": .., "error_type": ..}. -ENOMEM.
BTK_MUST_USE int btk_http_json_write_error(struct btk_buffer *out_json, const char *type,
                                           const char *message);
