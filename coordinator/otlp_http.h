// SPDX-License-Identifier: Apache-2.0
// One POST to a collector after the other, over a connection that is kept: the only file that knows
// libcurl.
//
// Ownership: owns the connection; borrows the config. Threads: open and close by the one that starts the
// thread that posts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "coordinator/otlp_config.h"

struct btk_otlp_http;

// Asked while a post waits; true: give up.
typedef bool btk_otlp_stop_fn(void *context);

// -ENOMEM; -ENOTSUP: libcurl does not start.
BTK_MUST_USE int btk_otlp_http_open(const struct btk_otlp_config *config, btk_otlp_stop_fn *stop,
                                    void *context, struct btk_otlp_http **out_http,
                                    struct btk_error *error);
void btk_otlp_http_close(struct btk_otlp_http **http); // NULL is fine

// 0: taken. -EAGAIN: may be tried again, after *out_retry_ms if that is not 0; -EIO: never. With a
// message.
BTK_MUST_USE int btk_otlp_http_post(struct btk_otlp_http *http, struct btk_bytes body,
                                    uint32_t timeout_ms, uint32_t *out_retry_ms,
                                    struct btk_error *error);
