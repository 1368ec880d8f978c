// SPDX-License-Identifier: Apache-2.0
// A cluster of its own for a benchmark: `budtiktok serve` from the folder of the running program, in
// a folder that nobody else has, and what processor time it takes.
//
// Ownership: stop removes the folder. Threads: one. It dies with the program that started it.
#pragma once

#include <budtiktok/client.h>

#include <stdint.h>
#include <sys/types.h>

#include "common/base.h"
#include "common/error.h"

enum { BTK_CLUSTER_PROCESS_WORKERS_MAX = 256 };

struct btk_cluster_process {
    pid_t coordinator;
    pid_t workers[BTK_CLUSTER_PROCESS_WORKERS_MAX];
    unsigned worker_count;
    char folder[64];
    char endpoint[96];
};

struct btk_cluster_process_options {
    const char *tokenizer; // as `serve --tokenizer` takes it; NULL: the embedded ones
    unsigned worker_count;
    uint64_t shard_bytes;
};

// Returns when it is ready. -errno; -ECHILD: it ended instead.
BTK_MUST_USE int btk_cluster_process_start(const struct btk_cluster_process_options *options,
                                           struct btk_cluster_process *out_cluster,
                                           struct btk_error *error);
// SIGTERM, and waits. One that was not started is fine.
void btk_cluster_process_stop(struct btk_cluster_process *cluster);

// Asks the cluster which processes its workers are. Errors of btk_client_status().
BTK_MUST_USE int btk_cluster_process_find_workers(struct btk_cluster_process *cluster,
                                                  struct btk_client *client,
                                                  struct btk_error *error);

// Processor time so far; a process that is gone counts for nothing.
struct btk_cluster_cpu {
    uint64_t client_ns; // of the calling process
    uint64_t coordinator_ns;
    uint64_t workers_ns; // together
};

struct btk_cluster_cpu btk_cluster_process_cpu(const struct btk_cluster_process *cluster);
