// SPDX-License-Identifier: Apache-2.0
// What `budtiktok top` shows of one look at a cluster, as lines of ASCII.
//
//     rates     from this look and the one before; from the first alone: since the start
//     latency   of the window that was chosen, in microseconds, and as bars of its four parts:
//               q queue_wait, i ipc_transfer, T tokenization, r return
//     workers   as many as there are rows for
//
// Threads: no state.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/buffer.h"
#include "common/json.h"

enum { BTK_TOP_WINDOWS = 3 }; // 10 s, 60 s, since start

struct btk_top_view {
    const struct btk_json *now;    // the status; borrowed
    const struct btk_json *before; // NULL: this is the first look
    double seconds;                // between the two
    unsigned window;               // 0 .. BTK_TOP_WINDOWS - 1
    unsigned columns;
    unsigned rows;      // 0: as many as it takes
    bool has_styles;    // bold and reversed lines
    const char *notice; // instead of the state: why there is nothing newer; NULL: none
};

BTK_MUST_USE int btk_top_screen_write(const struct btk_top_view *view,
                                      struct btk_buffer *out_lines); // -ENOMEM
