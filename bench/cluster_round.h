// SPDX-License-Identifier: Apache-2.0
// One round of the cluster benchmark: all documents once, through a cluster or in this process.
//
//     reserve, write documents, one warm-up batch | CLOCK | submit all, wait for all | CLOCK | digest
#pragma once

#include <stdint.h>

#include "bench/cut.h"
#include "common/error.h"

struct btk_cluster_work {  // borrowed
    const char *tokenizer; // a path or an embedded one's name; NULL: the default
    const struct btk_cut_list *documents;
    uint64_t shard_bytes;
};

struct btk_cluster_round {
    double seconds;
    double client_cpu_s; // processor time by process; alone, all of it is the client's
    double coordinator_cpu_s;
    double workers_cpu_s;
    uint64_t tokens;
    uint64_t ids_xxh64;
};

// In this process, by threads that share nothing but the tokenizer.
BTK_MUST_USE int btk_cluster_round_alone(const struct btk_cluster_work *work, unsigned threads,
                                         struct btk_cluster_round *out_round,
                                         struct btk_error *error);

// Through a cluster that is started for it and stopped again.
BTK_MUST_USE int btk_cluster_round_run(const struct btk_cluster_work *work, unsigned worker_count,
                                       struct btk_cluster_round *out_round,
                                       struct btk_error *error);
