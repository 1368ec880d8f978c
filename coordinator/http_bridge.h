// SPDX-License-Identifier: Apache-2.0
// From the thread of the HTTP server to the loop and back: requests as submissions of a client that
// lives in this process.
//
//     HTTP thread   reserve room in the slab, write documents, submit  --queue, eventfd-->  loop
//     HTTP thread   read blocks, finish                                <--resume----------  loop
//
// A job is the HTTP thread's until submit, the loop's until it is done, and the HTTP thread's again
// until finish. The number of jobs is bounded by the server's connections, the room by the slab.
//
// Ownership: the bridge owns the slab and the results memories; blocks of a job live until finish.
// Threads: as each function says.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/histogram.h"
#include "coordinator/client_table.h"
#include "ipc/batch_options.h"
#include "ipc/slab.h"

enum {
    BTK_HTTP_JOBS_MAX = 1024,
    BTK_HTTP_COST_MAX = 1 << 22, // tokens that padding may add to a request, truncation to a shard
};

struct btk_coordinator;

// One block of results; data NULL: all its documents have `status`.
struct btk_http_block {
    const uint8_t *data;
    uint64_t bytes;
    uint32_t first_document;
    uint32_t document_count;
    uint32_t status;
};

struct btk_http_job {
    char tokenizer[64]; // "" for the default one
    struct btk_batch_options options;
    uint32_t flags;  // set of enum btk_batch_flag
    bool has_fields; // the answer has the fields that were asked for, not tokens
    uint32_t fields; // set of enum btk_field
    uint64_t room_offset;
    uint64_t table_offset;
    uint64_t text_offset;
    uint64_t text_bytes;
    uint64_t submitted_ns;
    uint64_t finished_ns;          // when the answer was made
    struct btk_trace_parent trace; // of the request
    uint32_t document_count;
    void (*resume)(void *context); // called by the loop when the job is done
    void *resume_context;

    bool is_done;
    bool is_finished; // on its way back to the loop
    uint32_t status;  // enum btk_status of the batch
    uint32_t retry_after_ms;
    uint64_t batch_id;
    uint32_t tokenizer_id; // while it is the loop's
    uint32_t options_id;   // held while it is the loop's; 0: none
    struct btk_http_block *blocks;
    uint32_t block_count;
    uint32_t block_capacity;
    struct btk_http_job *next;
};

struct btk_http_mapping; // a results memory

struct btk_http_bridge {
    struct btk_coordinator *coordinator;
    struct btk_client_entry *client; // the loop's
    struct btk_client_sink sink;
    uint8_t *slab_address;
    struct btk_slab room;  // the HTTP thread's
    pthread_mutex_t mutex; // of what follows
    struct btk_http_job *first, *last;
    bool is_closed;
    uint32_t open_count; // requests that were submitted and not answered
    int bell;
    struct btk_histogram returned; // the HTTP thread writes: end of a shard until its answer stands
    // The loop's.
    uint64_t last_batch_id;
    struct btk_http_job *flight[BTK_HTTP_JOBS_MAX];
    struct btk_http_mapping *mappings;
};

// --- The loop's

BTK_MUST_USE int btk_http_bridge_open(struct btk_http_bridge *bridge,
                                      struct btk_coordinator *coordinator);
// Whether a job that is not done names the image.
bool btk_http_bridge_uses_image(const struct btk_http_bridge *bridge, uint32_t tokenizer_id);
// Whether every request was answered to the last byte.
bool btk_http_bridge_is_settled(struct btk_http_bridge *bridge);
// Every job is done now, as refused, so that the server can be stopped.
void btk_http_bridge_refuse_all(struct btk_http_bridge *bridge);
void btk_http_bridge_close(struct btk_http_bridge *bridge); // when the server is stopped

// --- The HTTP thread's

// Room for the documents; job->table_offset and text_offset say where. -EAGAIN: not now;
// -EMSGSIZE: never.
BTK_MUST_USE int btk_http_bridge_reserve(struct btk_http_bridge *bridge, struct btk_http_job *job,
                                         uint64_t text_bytes, uint32_t document_count);
void btk_http_bridge_submit(struct btk_http_bridge *bridge, struct btk_http_job *job);
bool btk_http_bridge_is_done(struct btk_http_bridge *bridge, const struct btk_http_job *job);
// The answer of a submitted job was sent, or nobody wants it any more.
void btk_http_bridge_leave(struct btk_http_bridge *bridge);
// The answer of a job that is done was made: "return" of its shards.
void btk_http_bridge_record_return(struct btk_http_bridge *bridge, const struct btk_http_job *job);
// Gives everything back, also of a job that was only reserved. Takes the job.
void btk_http_bridge_finish(struct btk_http_bridge *bridge, struct btk_http_job **job);
