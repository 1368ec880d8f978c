// SPDX-License-Identifier: Apache-2.0
// The cluster at one moment, in private memory: what health, metrics and status are written from.
// The loop takes one ten times a second; readers of other threads see the one that was published
// last and never wait for the loop, nor it for them.
//
// Ownership: the board owns both snapshots. Threads: take and publish are the loop's; read_begin
// and read_end may be called by any.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "coordinator/image_store.h"
#include "coordinator/latency.h"
#include "coordinator/scheduler.h"

struct btk_coordinator;

struct btk_worker_snapshot {
    uint32_t id;
    uint32_t pid;
    uint32_t epoch;
    uint32_t cpu;
    bool is_ready;
    uint32_t queue_depth;
    uint64_t restarts;
    double utilization; // of the last second, 0..1
    struct btk_worker_totals totals;
    struct btk_latency_set last_10s; // RETURN stays empty
    struct btk_latency_set last_60s;
};

struct btk_tokenizer_snapshot {
    uint32_t id;
    uint64_t image_bytes;
};

struct btk_cluster_snapshot {
    uint64_t taken_ns;
    uint64_t uptime_ns;
    int stage; // enum btk_coordinator_stage
    uint32_t client_count;
    uint32_t ready_count;
    struct btk_image_names tokenizers;
    bool has_profiles;
    struct btk_profile profiles[BTK_COORDINATOR_TOKENIZERS_MAX]; // of `tokenizers`, by all workers
    struct btk_tokenizer_snapshot tokenizer_list[BTK_COORDINATOR_TOKENIZERS_MAX]; // as names.list
    uint64_t slab_bytes;
    struct btk_scheduler_counts counts;
    uint64_t trace_spans_exported;
    uint64_t trace_spans_dropped;
    struct btk_latency_set since_start;
    struct btk_latency_set last_10s;
    struct btk_latency_set last_60s;
    uint32_t worker_count; // places
    struct btk_worker_snapshot workers[BTK_SCHEDULER_WORKERS_MAX];
};

struct btk_snapshot_board {
    pthread_mutex_t mutex; // of `published`
    struct btk_cluster_snapshot *published;
    struct btk_cluster_snapshot *next; // the loop's own
    uint64_t last_second_ns;
    uint64_t busy_ns[BTK_SCHEDULER_WORKERS_MAX]; // a second ago
    double utilization[BTK_SCHEDULER_WORKERS_MAX];
};

BTK_MUST_USE int btk_snapshot_board_init(struct btk_snapshot_board *board); // -ENOMEM
void btk_snapshot_board_clear(struct btk_snapshot_board *board);

// Takes a snapshot, and publishes it unless a reader is at it just now.
void btk_snapshot_board_update(struct btk_coordinator *coordinator, uint64_t now_ns);

// What was published last, for reading until read_end.
const struct btk_cluster_snapshot *btk_snapshot_board_read_begin(struct btk_snapshot_board *board);
void btk_snapshot_board_read_end(struct btk_snapshot_board *board);
