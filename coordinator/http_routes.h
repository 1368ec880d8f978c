// SPDX-License-Identifier: Apache-2.0
// What is answered, without the server: status, type and body of each path.
//
// Threads: the HTTP server's; the coordinator is only read through its published snapshot.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/buffer.h"
#include "coordinator/http_bridge.h"

struct btk_coordinator;

struct btk_http_answer {
    unsigned status;
    const char *type;       // of the content
    const char *policy;     // Content-Security-Policy; NULL: nothing may run or load
    unsigned retry_after_s; // 0: not said
    struct btk_buffer body; // the caller clears it
};

// Looks at a GET. False: there is no such path.
bool btk_http_routes_get(struct btk_coordinator *coordinator, const char *path,
                         struct btk_http_answer *out_answer);

bool btk_http_routes_is_post(const char *path); // /tokenize, /decode

// Reads the body of a POST into a job. True: it may be submitted; false: the answer says why not.
bool btk_http_routes_read(struct btk_http_bridge *bridge, const char *path, struct btk_bytes body,
                          struct btk_http_job *job, struct btk_http_answer *out_answer);
// The answer to a POST whose job is done.
void btk_http_routes_finish(struct btk_http_bridge *bridge, const struct btk_http_job *job,
                            struct btk_http_answer *out_answer);

void btk_http_routes_error(struct btk_http_answer *answer, unsigned status, const char *type,
                           const char *message);
