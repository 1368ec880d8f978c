// SPDX-License-Identifier: Apache-2.0
// The context of a trace that a caller is part of, as W3C Trace Context writes it in `traceparent`:
//
//     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
//     version, id of the trace, id of the caller's span, flags (01: sampled)
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"

enum { BTK_TRACE_ID_BYTES = 16, BTK_SPAN_ID_BYTES = 8, BTK_TRACE_FLAG_SAMPLED = 1 };

struct btk_trace_parent {
    uint8_t trace_id[BTK_TRACE_ID_BYTES];
    uint8_t span_id[BTK_SPAN_ID_BYTES];
    uint8_t flags;
    uint8_t is_there; // 0: nobody said; all else is 0 then
    uint8_t reserved[6];
};

// Reads the text as the specification says: what is not valid is not there (-EINVAL, untouched). Of a
// later version what is known of it is taken.
BTK_MUST_USE int btk_trace_parent_parse(const char *text, struct btk_trace_parent *out_parent);

// Whether one that came through shared memory could be a parent: it is there, and no id is zero.
bool btk_trace_parent_is_valid(const struct btk_trace_parent *parent);
