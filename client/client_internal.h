// SPDX-License-Identifier: Apache-2.0
// What the files of the client library share: the client, its batches, its slabs.
//
// Ownership: the client owns everything here. Threads: one at a time.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <budtiktok/client.h>

#include "client/connection.h"
#include "client/result_memory.h"
#include "ipc/endpoint.h"
#include "ipc/slab.h"

enum {
    BTK_CLIENT_OPTIONS_MAX = 1024,
    BTK_CLIENT_FLIGHT_SLOTS = 2048, // power of two; in flight at most half of it
};

// A text slab and who uses it. A slab of a lost connection lives until its last batch is released.
struct btk_text_slab {
    struct btk_shared_memory memory;
    struct btk_slab room;
    uint32_t id;
    uint32_t users;
    bool is_lost;
    struct btk_text_slab *next;
};

// One block of results; in_place header fields are copies that were checked.
struct btk_client_shard {
    struct btk_result_memory *memory; // NULL: the shard failed as a whole
    const uint8_t *block;
    struct btk_result_header header;
    uint64_t returned_ns;
    uint32_t first_document;
    uint32_t document_count;
    uint32_t index;
    uint32_t worker_id;
    uint32_t status;
    uint64_t detail;
};

struct btk_batch {
    struct btk_client *client;
    enum btk_batch_state state;
    uint32_t status;
    uint32_t retry_after_ms;
    uint32_t options_id;
    uint64_t batch_id; // 0: not submitted yet
    uint64_t deadline_ns;
    struct btk_text_slab *slab;
    uint64_t room_offset; // of the table; the text follows
    uint64_t text_offset;
    uint64_t text_capacity;
    uint32_t document_count;
    uint32_t document_capacity;
    uint32_t flags; // set of enum btk_batch_flag
    struct btk_trace_parent trace;
    bool is_released; // by the caller, while in flight: freed when the cluster lets go
    bool is_canceled;
    bool is_malformed;               // a block was not what it should be
    bool is_reported;                // given back already
    struct btk_client_shard *shards; // in the order of their documents once DONE
    uint32_t shard_count;
    uint32_t shard_capacity;
    uint32_t shard_last;   // finished last
    uint32_t shard_cursor; // where document() looked last
    uint64_t token_count;
    void *user_data;
    struct btk_batch *next; // in a list of the client: free, or finished
    struct btk_batch *next_of_all;
};

// What the caller registered; `server_id` is the present coordinator's id for it.
struct btk_client_options_entry {
    char tokenizer[BTK_CONTROL_NAME_MAX];
    struct btk_batch_options options;
    bool is_registered; // false: free
    uint32_t server_id;
};

struct btk_client {
    struct btk_endpoint endpoint;
    struct btk_connection connection;
    struct btk_connection_options hello;
    char name[BTK_CONTROL_NAME_MAX];
    uint64_t slab_bytes;
    uint64_t timeout_ns;
    int epoll_fd;
    bool is_connected;

    struct btk_text_slab *slabs;
    struct btk_result_memories memories;
    struct btk_client_options_entry *options;
    uint32_t options_count;

    struct btk_batch *flight[BTK_CLIENT_FLIGHT_SLOTS]; // by batch id
    uint32_t flight_count;
    uint64_t next_batch_id;
    struct btk_trace_parent trace; // of what is submitted from now on
    struct btk_batch *free_batches;
    struct btk_batch *finished_first, *finished_last;
    uint32_t finished_count;
    struct btk_batch *batches; // all that were ever made
    uint32_t next_request;

    // Releases that did not fit into the ring.
    uint64_t *releases;
    uint32_t release_count;
    uint32_t release_capacity;

    // The reply that is being waited for; BYTES of it live until the next receive.
    struct btk_control_message reply;
    int reply_fd;
    bool has_reply;
};

// --- client_error: messages for callers
int btk_client_fail(struct btk_error_info *out, int code, const char *format, ...) BTK_PRINTF(3, 4);
int btk_client_export_error(struct btk_error_info *out, const struct btk_error *error);

// --- client_options
bool btk_client_options_are_registered(const struct btk_client *client, uint32_t options_id);

// --- client_session: the connection's life
BTK_MUST_USE int btk_client_session_open(struct btk_client *client, uint64_t deadline_ns,
                                         struct btk_error *error);
// Connects again, registers again, submits again. -ECONNRESET when there is no cluster in time.
BTK_MUST_USE int btk_client_session_recover(struct btk_client *client, struct btk_error *error);
// Handles every waiting message. -ECONNRESET: the coordinator is gone.
BTK_MUST_USE int btk_client_session_drain(struct btk_client *client, struct btk_error *error);
// Waits for the answer to `request`, into client->reply.
BTK_MUST_USE int btk_client_session_await(struct btk_client *client, uint64_t deadline_ns,
                                          struct btk_error *error);
BTK_MUST_USE int btk_client_session_define(struct btk_client *client,
                                           struct btk_client_options_entry *entry,
                                           uint64_t deadline_ns, struct btk_error *error);

// Moves the text of a batch out of the slab of a lost connection.
BTK_MUST_USE int btk_client_session_move_text(struct btk_client *client, struct btk_batch *batch,
                                              struct btk_error *error);

// --- client_slab
// Room for one batch; asks for another slab when it could fit in none of those there are.
BTK_MUST_USE int btk_client_slab_acquire(struct btk_client *client, uint64_t bytes,
                                         struct btk_text_slab **out_slab, uint64_t *out_offset,
                                         struct btk_error *error);
void btk_client_slab_release(struct btk_client *client, struct btk_text_slab *slab,
                             uint64_t offset);
BTK_MUST_USE int btk_client_slab_request(struct btk_client *client, uint64_t bytes,
                                         struct btk_error *error);
void btk_client_slab_lose_all(struct btk_client *client);
void btk_client_slab_clear(struct btk_client *client);

// --- client_flight: submissions and completions
BTK_MUST_USE int btk_client_flight_submit(struct btk_client *client, struct btk_batch *batch,
                                          uint64_t submitted_ns);
void btk_client_flight_add(struct btk_client *client, struct btk_batch *batch);
void btk_client_flight_remove(struct btk_client *client, struct btk_batch *batch);
void btk_client_flight_flush_releases(struct btk_client *client);
// Tells when the caller had it.
void btk_client_flight_send_release(struct btk_client *client, const struct btk_batch *batch);
BTK_MUST_USE int btk_client_flight_send_cancel(struct btk_client *client, uint64_t batch_id);
// Takes completions until there are none. -EPROTO, -ECONNRESET.
BTK_MUST_USE int btk_client_flight_process(struct btk_client *client, struct btk_error *error);
// Forgets what came of a batch: it is submitted again.
void btk_client_flight_reset(struct btk_client *client, struct btk_batch *batch);
// Frees room and shards and puts the batch on the free list.
void btk_client_batch_recycle(struct btk_client *client, struct btk_batch *batch);
