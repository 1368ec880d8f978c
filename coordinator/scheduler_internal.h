// SPDX-License-Identifier: Apache-2.0
// What the files of the scheduler share.
//
// Lists are intrusive. A shard stands in one of three places: the list of its worker (running), a
// queue (came back), or the blocks of its batch (finished, its block is kept until release).
#pragma once

#include "coordinator/scheduler.h"
#include "ipc/slab.h"

enum { BTK_SCHEDULER_HASH_SLOTS = 16384 };

struct btk_sched_batch;
struct btk_sched_client;

// Memory for results: of all shards of a client on one incarnation, or of one shard.
struct btk_sched_memory {
    uint64_t results_id;
    uint64_t bytes;
    uint32_t worker_id;
    uint32_t epoch;
    uint32_t client_id;
    uint32_t users; // blocks and running shards
    bool is_retired;
    bool is_own; // of one shard; `room` is not used then
    struct btk_slab room;
};

struct btk_sched_shard {
    uint64_t id; // changes with each assignment
    struct btk_sched_batch *batch;
    struct btk_sched_shard *next;
    struct btk_sched_memory *memory; // NULL: none yet
    uint64_t begin;                  // relative to the text of the batch
    uint64_t bytes;
    uint64_t result_offset;
    uint64_t result_bytes; // set aside while it runs, then its block's
    uint64_t dispatched_ns;
    uint32_t index;
    uint32_t first_document;
    uint32_t document_count;
    uint32_t blames;
    bool needs_own_memory;
};

struct btk_sched_queue {
    struct btk_sched_shard *first, *last;
};

struct btk_sched_batch {
    struct btk_submission submission;
    struct btk_result_shape shape;
    const uint64_t *ends;
    struct btk_sched_client *client;
    struct btk_sched_batch *next;      // in the client's queue of batches to cut
    struct btk_sched_batch *hash_next; // in the table
    struct btk_sched_shard *blocks;
    uint64_t next_begin;
    uint32_t next_document;
    uint32_t shard_count; // cut
    uint32_t open_count;  // cut and not finished
    uint32_t fail_status; // enum btk_status; OK: not failed
    uint32_t trace;       // 0: not traced
    bool is_done;         // BATCH was said; waits for release
};

struct btk_sched_client {
    uint32_t id;
    bool is_gone;
    bool is_paused;
    // Its memory had no room for a block: until something is released, shards are cut larger, so
    // that there are fewer memories of their own.
    bool is_overflowing;
    uint32_t batches_in_flight;
    uint32_t batches_kept;                            // in flight or not released
    uint64_t text_bytes;                              // in flight
    uint64_t result_bytes;                            // of finished blocks that were not released
    struct btk_sched_batch *first_batch, *last_batch; // that are not wholly cut
    struct btk_sched_queue returned;                  // in front of them
    struct btk_sched_client *turn_next, *turn_previous;
    struct btk_sched_memory *memories[BTK_SCHEDULER_WORKERS_MAX];
};

struct btk_sched_worker {
    uint32_t epoch; // 0: not there
    uint32_t running_count;
    uint64_t running_bytes;
    bool is_quarantine; // takes nothing but the shard in quarantine
    struct btk_sched_queue running;
};

struct btk_scheduler {
    struct btk_scheduler_options options;
    struct btk_scheduler_counts counts;
    uint64_t next_shard_id;
    bool is_draining;
    struct btk_sched_client *clients[BTK_SCHEDULER_CLIENT_SLOTS];
    struct btk_sched_client *turn; // whose turn it is; a ring of all clients
    uint32_t client_count;         // in the ring
    struct btk_sched_worker workers[BTK_SCHEDULER_WORKERS_MAX];
    uint32_t worker_limit; // ids beyond it were never seen
    struct btk_sched_queue quarantine;
    struct btk_sched_batch *table[BTK_SCHEDULER_HASH_SLOTS];
    struct btk_sched_batch *free_batches;
    struct btk_sched_shard *free_shards;
};

// --- scheduler_lists: pools, queues and the table

// NULL: no memory. Zeroed.
struct btk_sched_shard *btk_sched_take_shard(struct btk_scheduler *scheduler);
struct btk_sched_batch *btk_sched_take_batch(struct btk_scheduler *scheduler);
void btk_sched_give_shard(struct btk_scheduler *scheduler, struct btk_sched_shard *shard);
void btk_sched_give_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch);
void btk_sched_free_pools(struct btk_scheduler *scheduler);

void btk_sched_queue_push_front(struct btk_sched_queue *queue, struct btk_sched_shard *shard);
void btk_sched_queue_push_back(struct btk_sched_queue *queue, struct btk_sched_shard *shard);
struct btk_sched_shard *btk_sched_queue_pop(struct btk_sched_queue *queue);
// The shard is taken out. False: it is not there.
bool btk_sched_queue_remove(struct btk_sched_queue *queue, struct btk_sched_shard *shard);

struct btk_sched_client *btk_sched_find_client(const struct btk_scheduler *scheduler,
                                               uint32_t client_id);
struct btk_sched_batch *btk_sched_find_batch(const struct btk_scheduler *scheduler,
                                             uint32_t client_id, uint64_t batch_id);
void btk_sched_table_add(struct btk_scheduler *scheduler, struct btk_sched_batch *batch);
void btk_sched_table_remove(struct btk_scheduler *scheduler, struct btk_sched_batch *batch);

// --- scheduler_batch: how shards and batches end

// The shard has ended with a block (result_bytes > 0 in its memory) or without one.
void btk_sched_finish_shard(struct btk_scheduler *scheduler, struct btk_sched_shard *shard,
                            enum btk_status status);
// Nothing more of the batch is handed out; FAILED is said when nothing of it runs.
void btk_sched_fail_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch,
                          enum btk_status status);
// Says BATCH when all shards are cut and finished.
void btk_sched_settle_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch);
// Blocks, room and the structure.
void btk_sched_forget_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch);
void btk_sched_unqueue_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch);
// Frees the client, and says so, when nothing of it runs.
void btk_sched_settle_client(struct btk_scheduler *scheduler, struct btk_sched_client *client);
// Says that nothing more comes of a traced batch; of one that is not, nothing.
void btk_sched_end_trace(struct btk_scheduler *scheduler, uint32_t trace, uint32_t status);
void btk_sched_say_failed(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                          enum btk_status status, uint32_t retry_after_ms);

// --- scheduler_worker: memory

// Gives back the room of the shard; the memory goes when it is retired and this was the last user.
void btk_sched_release_memory(struct btk_scheduler *scheduler, struct btk_sched_shard *shard);
