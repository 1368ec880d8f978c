// SPDX-License-Identifier: Apache-2.0
// From an assignment to a report: checks it against what this worker has, encodes or decodes, writes
// the block of results, takes the stamps and counts.
//
//     assignment -> client, slab, options, image -> documents -> block -> report
//                   any of them missing or wrong: a report with a status and no block
//
// While a shard is in work, its id stands in the worker page: a crash is blamed on it.
//
// Ownership: a runner owns its tables and its workspace, and borrows the page. Threads: one.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "ipc/batch.h"
#include "ipc/worker_page.h"
#include "worker/attached_clients.h"
#include "worker/flight.h"
#include "worker/image_table.h"
#include "worker/options_table.h"
#include "worker/shard.h"

// Gives the memory of one shard's block to the coordinator, before the report that names it. 0, or
// -errno: then the shard has failed.
typedef int btk_shard_send_fn(void *context, const struct btk_control_results *results, int fd);

struct btk_shard_runner {
    struct btk_attached_clients clients;
    struct btk_options_table options;
    struct btk_image_table images;
    struct btk_workspace workspace;
    struct btk_worker_page *page;
    struct btk_flight flight;
    uint32_t worker_id;
    uint32_t epoch;
    uint32_t results_counter; // of the results memories of this incarnation
    uint64_t previous_finish_ns;
    btk_shard_send_fn *send_results;
    void *send_context;
};

// (epoch << 32) | counter: never the same twice.
uint64_t btk_shard_runner_next_results_id(struct btk_shard_runner *runner);

// Always gives a report.
void btk_shard_runner_run(struct btk_shard_runner *runner, const struct btk_assignment *assignment,
                          struct btk_shard_report *out_report);

// A report for a shard that is not begun.
struct btk_shard_report btk_shard_runner_refuse(const struct btk_shard_runner *runner,
                                                const struct btk_assignment *assignment,
                                                uint32_t status);

void btk_shard_runner_clear(struct btk_shard_runner *runner);
