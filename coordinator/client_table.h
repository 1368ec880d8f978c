// SPDX-License-Identifier: Apache-2.0
// The clients that are attached: their pages, rings, slabs and doorbells.
//
//     hello -> welcome +pages, bells -> slab_request -> slab +fd -> slab_mapped -> submissions
//     channel closed or process dead -> scheduler is told -> CLIENT_GONE -> everything unmapped
//
// A completion that does not fit into the ring waits here, and so does one that names memory which
// the client was not told of yet; both are bounded by what the client has in flight.
//
// Ownership: the table owns its clients and all their memory. Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "coordinator/channel.h"
#include "coordinator/image_store.h"
#include "coordinator/scheduler.h"
#include "ipc/client_page.h"
#include "ipc/control.h"
#include "ipc/shared_memory.h"

enum { BTK_CLIENT_SLABS_MAX = 64 };

struct btk_coordinator;
struct btk_client_entry;

struct btk_client_slab {
    struct btk_shared_memory memory;
    uint32_t id;
    uint32_t pins;    // batches that look into it
    bool is_attached; // sealed and given to the workers
    bool is_dropped;  // by the client: goes with its last pin
    struct btk_client_slab *next;
};

// How a client inside of this process hears of its batches, instead of by page and bell.
struct btk_client_sink {
    void (*on_completion)(void *context, const struct btk_completion *completion);
    void (*on_results)(void *context, uint64_t results_id, int *fd); // takes the descriptor
    void (*on_results_gone)(void *context, uint64_t results_id);
    void *context;
};

struct btk_client_entry {
    struct btk_coordinator *coordinator;
    uint32_t id;
    char name[BTK_CONTROL_NAME_MAX];
    uint32_t pid;
    struct btk_channel channel;
    int pidfd;
    int bell_in;  // the client rings it
    int bell_out; // we ring it
    struct btk_shared_memory client_page;
    struct btk_shared_memory server_page;
    struct btk_ring submissions;
    struct btk_ring completions;
    struct btk_client_slab *slabs;
    uint32_t slab_count;
    uint32_t last_slab_id;
    uint64_t slab_bytes;
    uint32_t asked_count; // slabs that are in the making
    uint64_t asked_bytes;
    uint64_t results_bytes;
    struct btk_buffer waiting; // completions that are not in the ring yet
    size_t waiting_offset;
    struct btk_submission_trace trace; // came just before the batch that it names
    bool needs_bell;                   // in this turn
    bool is_touched;                   // in the list of what flush looks at
    bool is_broken;                    // dropped by flush: what found it could not
    bool is_gone;                      // freed by flush
    bool is_leaving;                   // no channel any more; the scheduler has not let it go yet
    bool uses_image[BTK_IMAGES_MAX];   // by slot: registered options with it
    uint32_t options_held[BTK_OPTIONS_PLACES]; // by place: the id; 0: none
    struct btk_client_entry *next_touched;
    const struct btk_client_sink *sink; // NULL: a process of its own
};

struct btk_client_table {
    struct btk_client_entry *slots[BTK_SCHEDULER_CLIENT_SLOTS];
    uint32_t count;
    uint32_t last_id;
    uint32_t worker_count;            // that their pages tell of
    uint32_t waiting_count;           // clients with waiting completions
    int waiting_timer;                // -1: not set
    struct btk_client_entry *touched; // in this turn
};

// A stranger said hello_client. Takes its channel, pidfd and page; on failure they stay the
// caller's.
BTK_MUST_USE int btk_client_table_admit(struct btk_coordinator *coordinator,
                                        struct btk_channel *channel, struct btk_peer *peer,
                                        struct btk_channel_inbound *inbound,
                                        struct btk_error *error);

// A client in this process with one slab of `slab_bytes`, writable through *out_slab_address.
BTK_MUST_USE int btk_client_table_add_internal(struct btk_coordinator *coordinator,
                                               const struct btk_client_sink *sink,
                                               uint64_t slab_bytes, void **out_slab_address,
                                               struct btk_client_entry **out_client);

struct btk_client_entry *btk_client_table_find(const struct btk_client_table *table,
                                               uint32_t client_id);

// The slab maker's answer; `context` is the coordinator.
void btk_client_slabs_made(void *context, uint32_t client_id, uint64_t asked_bytes, int rc,
                           struct btk_shared_memory *memory);

// One submission that was copied out of a ring.
void btk_client_table_submit(struct btk_client_entry *client,
                             const struct btk_submission *submission, uint64_t now_ns);

// --- What the scheduler says
void btk_client_table_complete(struct btk_client_entry *client,
                               const struct btk_completion *completion);
void btk_client_table_unpin(struct btk_client_entry *client, uint32_t slab_id);
void btk_client_table_forget(struct btk_client_entry *client);
// So many workers are ready.
void btk_client_table_tell_workers(struct btk_client_table *table, uint32_t count);
// At the end of a turn: rings the bells of those that got something.
void btk_client_table_flush(struct btk_coordinator *coordinator);

// The channel and the rings are closed now; the rest when nothing of it runs.
void btk_client_table_drop(struct btk_client_entry *client, const char *why);
void btk_client_table_clear(struct btk_coordinator *coordinator);

// Whether all clients have taken all of their completions.
bool btk_client_table_is_settled(const struct btk_client_table *table);

// --- Results
// Hands a results memory of a worker on: before any completion that names it.
void btk_client_table_give_results(struct btk_client_entry *client,
                                   const struct btk_results_memory *memory, int *fd);
void btk_client_table_results_gone(struct btk_client_entry *client, uint64_t results_id);
