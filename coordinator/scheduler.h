// SPDX-License-Identifier: Apache-2.0
// What the coordinator decides, as a state machine: no sockets, no clock, no shared memory of its
// own. The loop feeds it with what happened and does what it says, so a simulator can do the same
// with a clock and workers that it invents.
//
//     submit, cancel, release, client gone  --.                  .-->  assign a shard
//     worker ready, dead, results memory    ---+--> scheduler --+--->  complete a shard, a batch
//     report, dispatch (once a turn)        --'                  '-->  forget results, slab, client
//
// Shards are cut from a batch when there is a worker for them, so a batch of a million documents
// costs one structure. Clients take turns, one shard each; a client's own batches keep their order.
//
//     batch    queued --cut--> all cut --last report--> DONE --release--> gone
//                |                |
//                '---cancel, deadline, malformed: nothing more is cut; FAILED when none runs
//     shard    cut --assign--> running --report--> block kept until release
//                ^                |
//                '-----death------'   blamed twice: quarantine (alone on its worker); thrice: POISON
//
// Ownership: clients, batches and shards are the scheduler's. `ends` of a request is borrowed until
// the slab of its batch is let go (BTK_ACTION_SLAB_UNPIN). Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "coordinator/result_bound.h"
#include "ipc/batch.h"

enum {
    BTK_SCHEDULER_WORKERS_MAX = 256,
    BTK_SCHEDULER_CLIENT_SLOTS = 1024, // a client's id modulo this is its slot
    BTK_SHARD_DOCUMENTS_MAX = 8192,    // unless a group is larger
    BTK_SHARD_PADDED_TOKENS = 1 << 22, // with so many no other document is taken, either
    BTK_SHARD_OVERFLOW_FACTOR = 16,    // how much larger shards with memory of their own are
    BTK_SHARD_BLAMES_QUARANTINE = 2,
    BTK_SHARD_BLAMES_POISON = 3,
};

enum btk_action_kind {
    BTK_ACTION_ASSIGN = 1,   // worker_id, client_id, assignment
    BTK_ACTION_COMPLETE,     // client_id, completion
    BTK_ACTION_RESULTS_GONE, // worker_id, epoch, client_id, results_id: nobody reads it any more
    BTK_ACTION_SLAB_UNPIN,   // client_id, slab_id: once for each call of submit
    BTK_ACTION_CLIENT_GONE,  // client_id: nothing of it runs any more; its id is free
    BTK_ACTION_TRACE_SHARD, // worker_id, epoch, trace, traced: a shard of a traced batch was reported
    BTK_ACTION_TRACE_END,   // trace, status: nothing more comes of a traced batch
};

// A shard of a traced batch, as its worker reported it.
struct btk_traced_shard {
    uint32_t shard_index;
    uint32_t document_count;
    uint64_t bytes;
    uint64_t submitted_ns;
    uint64_t dispatched_ns;
    struct btk_shard_report report;
};

struct btk_action {
    enum btk_action_kind kind;
    uint32_t worker_id;
    uint32_t epoch;
    uint32_t client_id;
    uint32_t slab_id;
    uint32_t trace;
    uint32_t status; // enum btk_status
    uint64_t results_id;
    union {
        struct btk_assignment assignment;
        struct btk_completion completion;
        struct btk_traced_shard traced;
    };
};

// Does one action. It must not call the scheduler.
typedef void btk_action_fn(void *context, const struct btk_action *action);

// All are set: defaults are the caller's business.
struct btk_scheduler_options {
    uint64_t shard_bytes;
    uint64_t credit_bytes;       // a worker gets no more while it has this much
    uint32_t credit_shards;      // or this many
    uint32_t batch_limit;        // in flight, per client
    uint64_t client_limit_bytes; // text in flight and results not released, per client
    uint64_t result_limit_bytes; // that a batch could produce
    btk_action_fn *act;
    void *context;
};

struct btk_scheduler;

BTK_MUST_USE int btk_scheduler_new(const struct btk_scheduler_options *options,
                                   struct btk_scheduler **out_scheduler); // -ENOMEM
void btk_scheduler_free(struct btk_scheduler **scheduler);

// --- Clients

// -EEXIST: the slot is taken; -ENOMEM.
BTK_MUST_USE int btk_scheduler_add_client(struct btk_scheduler *scheduler, uint32_t client_id);
// Drops what waits; what runs is ignored when it is reported. CLIENT_GONE follows.
void btk_scheduler_remove_client(struct btk_scheduler *scheduler, uint32_t client_id);

// A client that does not keep up with what it is told gets nothing more done until it does.
void btk_scheduler_pause_client(struct btk_scheduler *scheduler, uint32_t client_id,
                                bool is_paused);

// A submission that was copied and checked against its slab.
struct btk_batch_request {
    uint32_t client_id;
    struct btk_submission submission; // submitted_ns is clamped by now_ns
    const uint64_t *ends;             // in shared memory: each is read once
    struct btk_result_shape shape;    // of its options
    uint32_t trace;                   // what actions call it by; 0: it is not traced
};

// Queues the batch, or refuses it with a FAILED completion.
void btk_scheduler_submit(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                          uint64_t now_ns);
// For what is wrong before it can be scheduled (unknown options, slab): FAILED, and the unpin.
void btk_scheduler_refuse(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                          enum btk_status status);
// What a batch is called by; 0: it is not there, or not traced.
uint32_t btk_scheduler_trace(const struct btk_scheduler *scheduler, uint32_t client_id,
                             uint64_t batch_id);
void btk_scheduler_cancel(struct btk_scheduler *scheduler, uint32_t client_id, uint64_t batch_id);
void btk_scheduler_release(struct btk_scheduler *scheduler, uint32_t client_id, uint64_t batch_id);

// --- Workers

// A new incarnation takes work from now on. `epoch` is never used again.
void btk_scheduler_add_worker(struct btk_scheduler *scheduler, uint32_t worker_id, uint32_t epoch);

// The incarnation is dead, or leaves. `blamed_shard_id`: what it died of, 0: nothing of its own.
void btk_scheduler_remove_worker(struct btk_scheduler *scheduler, uint32_t worker_id,
                                 uint64_t blamed_shard_id);

struct btk_results_memory {
    uint32_t worker_id;
    uint32_t epoch;
    uint32_t client_id;
    uint64_t results_id;
    uint64_t bytes;
    uint64_t shard_id; // 0: for all shards of the client
};

// The worker made memory for results. False: nobody wants it (old epoch, client or shard gone).
bool btk_scheduler_add_results(struct btk_scheduler *scheduler,
                               const struct btk_results_memory *memory);

// Whether the memory that a report names was added: if not, the worker's channel has it.
bool btk_scheduler_knows_results(const struct btk_scheduler *scheduler, uint32_t worker_id,
                                 const struct btk_shard_report *report);

// Reports of an older epoch or of unknown shards are dropped.
void btk_scheduler_report(struct btk_scheduler *scheduler, uint32_t worker_id,
                          const struct btk_shard_report *report);

// --- The turn

// Hands out as much as credits allow.
void btk_scheduler_dispatch(struct btk_scheduler *scheduler, uint64_t now_ns);

// New batches are refused with BTK_STATUS_SHUTTING_DOWN from now on.
void btk_scheduler_drain(struct btk_scheduler *scheduler);

struct btk_scheduler_counts {
    uint64_t batches_in_flight;
    uint64_t queue_depth; // batches that are not wholly handed out, and shards that came back
    uint64_t queue_bytes;
    uint64_t shards_running;
    uint64_t requests_total; // batches that were submitted
    uint64_t batches_done_total;
    uint64_t batches_failed_total;
    uint64_t batches_refused_total; // for overload
    uint64_t shards_total;          // finished
    uint64_t shards_returned_total; // by deaths
    uint64_t shards_poisoned_total;
    uint64_t documents_total;
    uint64_t tokens_total;
    uint64_t bytes_total; // text of finished shards
};

void btk_scheduler_counts(const struct btk_scheduler *scheduler,
                          struct btk_scheduler_counts *out_counts);
uint32_t btk_scheduler_worker_load(const struct btk_scheduler *scheduler, uint32_t worker_id);
