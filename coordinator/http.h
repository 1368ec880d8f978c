// SPDX-License-Identifier: Apache-2.0
// The HTTP server: one thread of libmicrohttpd, the only file that knows it.
//
//     GET /  /healthz  /readyz  /metrics  /debug/latency  /info        from the published snapshot
//     POST /tokenize  /decode                                          through the bridge to the loop
//
// Health and metrics never wait for the data plane: they are written from the snapshot. A POST is
// suspended while the loop has it. What is bounded: connections, header time and size, body.
//
// On loopback the Host header must name it (a web page may not talk to us through the browser);
// elsewhere work needs a token. Threads: open, drain and close are the loop's.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/error.h"
#include "common/histogram.h"

struct btk_coordinator;
struct btk_http;

// Binds "ADDR:PORT" (port 0: any) and writes what it became to coordinator->http_address. Starts no
// thread yet. -EADDRINUSE; -EINVAL: not an address; -EACCES: off loopback without a token.
BTK_MUST_USE int btk_http_open(struct btk_coordinator *coordinator, struct btk_http **out_http,
                               struct btk_error *error);
// Starts the thread. -errno.
BTK_MUST_USE int btk_http_start(struct btk_http *http, struct btk_error *error);
// Whether a request that is not answered names the image. NULL: no. The loop's.
bool btk_http_uses_image(const struct btk_http *http, uint32_t tokenizer_id);
// Whether every request was answered. NULL: yes.
bool btk_http_is_settled(struct btk_http *http);
// Answers what is still open and stops the thread. NULL and half-opened ones are fine.
void btk_http_close(struct btk_http **http);

// Adds the "return" of what was asked for over HTTP. NULL is fine.
void btk_http_add_returned(const struct btk_http *http, struct btk_histogram_snapshot *returned);
