// SPDX-License-Identifier: Apache-2.0
// One document after the other through an idle cluster: the caller's clock, the four parts that the
// library tells of, and whether they add up.
//
//     CLOCK  submit, wait, read the ids  CLOCK        queue_wait + ipc_transfer + tokenization + return
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "common/json_writer.h"

enum btk_trip_row {
    BTK_TRIP_CALLER, // the caller's clock
    BTK_TRIP_QUEUE_WAIT,
    BTK_TRIP_IPC_TRANSFER,
    BTK_TRIP_TOKENIZATION,
    BTK_TRIP_RETURN,
    BTK_TRIP_UNEXPLAINED, // how far the sum of the parts is from the caller's clock
    BTK_TRIP_ROWS,
};

struct btk_round_trip_plan { // borrowed
    const char *tokenizer;
    struct btk_bytes text; // documents are taken from here, one behind the other
    size_t document_bytes;
    size_t count;
    unsigned worker_count;
};

struct btk_trip_figures { // microseconds
    double p50_us, p90_us, p99_us, max_us;
};

struct btk_round_trips {
    struct btk_trip_figures rows[BTK_TRIP_ROWS];
    size_t count;
    size_t sums_right; // trips whose parts add up to the caller's clock within 5 % or 20 us
    size_t document_bytes;
};

// Starts a cluster for it and stops it again.
BTK_MUST_USE int btk_round_trips_run(const struct btk_round_trip_plan *plan,
                                     struct btk_round_trips *out_trips, struct btk_error *error);

void btk_round_trips_print(const struct btk_round_trips *trips);
void btk_round_trips_write(const struct btk_round_trips *trips, struct btk_json_writer *writer);
