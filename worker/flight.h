// SPDX-License-Identifier: Apache-2.0
// What the flight recorder is told of a shard: all stamps when it begins, and what came of it when it
// ends. No clock is read for it.
//
// Ownership: owns its mapping. Threads: one.
#pragma once

#include "ipc/batch.h"
#include "ipc/endpoint.h"
#include "ipc/recorder.h"

struct btk_flight {
    struct btk_recorder recorder;
    struct btk_recorder_stamps stamps; // of the shard in work
};

// Without a recorder the worker works as well; the log says why.
void btk_flight_open(struct btk_flight *flight, const struct btk_endpoint *endpoint,
                     uint32_t worker_id);
void btk_flight_begin(struct btk_flight *flight, const struct btk_assignment *assignment,
                      const struct btk_shard_report *report, uint64_t previous_finish_ns);
void btk_flight_end(struct btk_flight *flight, const struct btk_shard_report *report);
void btk_flight_close(struct btk_flight *flight);
