// SPDX-License-Identifier: Apache-2.0
// The workers: places with a number, and the incarnations that fill them.
//
//     EMPTY -> STARTING (spawned) -> GREETED (hello, welcome) -> LOADING (registered) -> READY
//       ^                                                                                 |
//       '------ pidfd: unfinished shards go back, memory stays with its readers ----------'
//
// An incarnation has an epoch that is never used again. Its page is mapped read-only and outlives
// it until its figures were added to the totals.
//
// Ownership: the table owns channels, pidfds and pages. Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/affinity.h"
#include "coordinator/channel.h"
#include "coordinator/image_store.h"
#include "coordinator/options_table.h"
#include "coordinator/scheduler.h"
#include "ipc/shared_memory.h"
#include "ipc/socket.h"
#include "ipc/worker_page.h"

struct btk_coordinator;

enum btk_worker_stage {
    BTK_WORKER_EMPTY = 0,
    BTK_WORKER_SPAWNED,
    BTK_WORKER_GREETED,
    BTK_WORKER_LOADING,
    BTK_WORKER_READY,
    BTK_WORKER_LEAVING, // drained: it takes no work, its end follows
};

enum { BTK_WORKER_ASSIGNMENTS_MAX = 64 };

struct btk_worker_entry {
    struct btk_coordinator *coordinator;
    uint32_t id;
    uint32_t epoch;
    enum btk_worker_stage stage;
    struct btk_channel channel;
    int pidfd;
    uint32_t pid;
    uint32_t cpu;
    bool is_child; // spawned by us: its end has a status, and it is started again
    bool was_killed_for_stall;
    uint8_t incarnation[BTK_SOCKET_ROUTING_BYTES];
    struct btk_shared_memory page;
    bool has_image[BTK_IMAGES_MAX];             // by slot
    uint32_t options_known[BTK_OPTIONS_PLACES]; // the id that each place had when it was last told
    struct btk_assignment
        assignments[BTK_WORKER_ASSIGNMENTS_MAX]; // to go out at the end of the turn
    uint32_t assignment_count;
    uint64_t shards_finished;    // by this incarnation
    uint64_t previous_finish_ns; // of the shard that it reported last; 0: none
    // Lease: what the worker said when it was looked at, and how long it has not moved since,
    // without what it waited for a processor.
    uint64_t checked_ns;
    uint64_t progress;
    uint64_t stalled_ns;
    uint64_t cpu_ns; // of its process then; 0: not known
    // Start and back-off of a place that we fill.
    bool is_ours;
    uint64_t started_ns;
    uint64_t next_start_ns;
    uint32_t failed_starts;
    uint64_t restarts_total;
};

struct btk_worker_table {
    struct btk_worker_entry entries[BTK_SCHEDULER_WORKERS_MAX];
    uint32_t limit; // places beyond it were never used
    uint32_t last_epoch;
    uint64_t oom_kills; // that are accounted for
};

// `count` places that are ours, on these processors in turn; the rest is for others.
void btk_worker_table_init(struct btk_coordinator *coordinator, uint32_t count,
                           const struct btk_cpu_list *cpus);

// A stranger said hello_worker. Takes channel, pidfd and page; on failure they stay the caller's.
BTK_MUST_USE int btk_worker_table_admit(struct btk_coordinator *coordinator,
                                        struct btk_channel *channel, struct btk_peer *peer,
                                        struct btk_channel_inbound *inbound,
                                        struct btk_error *error);

// Reads the control socket until it is empty. Returns whether there was anything.
bool btk_worker_table_receive(struct btk_coordinator *coordinator);

// --- What the scheduler says ---
void btk_worker_table_assign(struct btk_worker_entry *worker,
                             const struct btk_assignment *assignment);
// Sends the assignments of this turn, one message for each worker.
void btk_worker_table_flush(struct btk_coordinator *coordinator);

// --- Images and options come and go ---
// To the workers of this stage.
void btk_worker_table_load_image(struct btk_coordinator *coordinator, uint32_t slot,
                                 enum btk_worker_stage stage);
// It is out of the store already.
void btk_worker_table_unload_image(struct btk_coordinator *coordinator, uint32_t slot,
                                   uint32_t tokenizer_id);
// Whether all workers that are ready have it.
bool btk_worker_table_has_image(const struct btk_worker_table *table, uint32_t slot);

// --- Clients come and go ---
void btk_worker_table_attach_client(struct btk_coordinator *coordinator, uint32_t client_id,
                                    uint64_t results_bytes);
void btk_worker_table_attach_slab(struct btk_coordinator *coordinator, uint32_t client_id,
                                  uint32_t slab_id, const struct btk_shared_memory *memory);
void btk_worker_table_detach_slab(struct btk_coordinator *coordinator, uint32_t client_id,
                                  uint32_t slab_id);
void btk_worker_table_detach_client(struct btk_coordinator *coordinator, uint32_t client_id);
void btk_worker_table_drop_results(struct btk_coordinator *coordinator,
                                   const struct btk_action *action);

// --- Life ---
// The timer's: kills workers that stand still with work, or do not start. Deaths come by pidfd.
void btk_worker_table_check_leases(struct btk_coordinator *coordinator, uint64_t now_ns);
// The loop itself stood still (a suspended machine): nobody is to blame.
void btk_worker_table_forgive(struct btk_coordinator *coordinator, uint64_t now_ns);
// Watches for the death of a child that was spawned just now.
BTK_MUST_USE int btk_worker_table_watch_child(struct btk_worker_entry *worker);
void btk_worker_table_kill(struct btk_worker_entry *worker, const char *why);
uint32_t btk_worker_table_ready_count(const struct btk_worker_table *table);
void btk_worker_table_drain(struct btk_coordinator *coordinator);
bool btk_worker_table_is_empty(const struct btk_worker_table *table);
void btk_worker_table_clear(struct btk_coordinator *coordinator);
