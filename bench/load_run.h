// SPDX-License-Identifier: Apache-2.0
// One run of the load driver, and what came of it.
//
//     closed loop   `concurrency` requests are in flight, a reply sends the next one
//     open loop     requests are due at times that nobody's slowness changes; what cannot be sent in
//                   time waits here, and its latency counts from when it was due. (Gil Tene:
//                   coordinated omission.)
#pragma once

#include "bench/load_plan.h"
#include "bench/load_transport.h"
#include "common/histogram.h"

struct btk_load_run_plan { // borrowed
    struct btk_bytes text;
    struct btk_load_sizes sizes;
    uint32_t in_flight; // at most; in a closed loop, exactly
    double rate;        // 0: a closed loop
    bool is_poisson;
    double seconds;
};

enum btk_load_row {
    BTK_LOAD_LATENCY, // from when it was due (closed loop: sent)
    BTK_LOAD_QUEUE_WAIT,
    BTK_LOAD_IPC_TRANSFER,
    BTK_LOAD_TOKENIZATION,
    BTK_LOAD_RETURN,
    BTK_LOAD_SEND_DELAY, // from when it was due until it was sent
    BTK_LOAD_ROWS,
};

struct btk_load_result {
    struct btk_histogram_snapshot rows[BTK_LOAD_ROWS];
    double seconds; // until the last reply
    uint64_t done, refused, failed;
    uint64_t not_sent;      // due before the end, but never sent
    uint64_t lost;          // sent, but no reply came
    uint64_t bytes, tokens; // of those done
    uint64_t sums_checked;
    uint64_t sums_right;          // the parts add up to the caller's clock within 5 % or 20 us
    uint64_t caller_ns, parts_ns; // sums over those checked
};

// Errors of the transport.
BTK_MUST_USE int btk_load_run(const struct btk_load_run_plan *plan,
                              const struct btk_load_transport *transport,
                              struct btk_load_result *out_result, struct btk_error *error);
