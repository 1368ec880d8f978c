// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_internal.h"
#include "common/clock.h"
#include "ipc/doorbell.h"

enum { COMPLETIONS_AT_ONCE = 32 };

// --- Submissions

static int push_trace(struct btk_client *client, const struct btk_batch *batch)
{
    const struct btk_submission_trace trace = {
        .kind = BTK_SUBMISSION_TRACE,
        .batch_id = batch->batch_id,
        .parent = batch->trace,
    };
    if (!client->is_connected) return -ECONNRESET;
    const int rc = btk_ring_try_push(&client->connection.submissions, &trace);
    if (rc == 0) return -EAGAIN;
    return rc < 0 ? rc : 0;
}

static int push(struct btk_client *client, const struct btk_submission *submission)
{
    if (!client->is_connected) return -ECONNRESET;
    const int rc = btk_ring_try_push(&client->connection.submissions, submission);
    if (rc == 0) return -EAGAIN;
    if (rc < 0) return rc;
    btk_doorbell_ring(client->connection.bell_out);
    return 0;
}

int btk_client_flight_submit(struct btk_client *client, struct btk_batch *batch,
                             uint64_t submitted_ns)
{
    const struct btk_client_options_entry *entry = client->options + batch->options_id - 1;
    const uint64_t *ends = btk_batch_ends(batch);
    const struct btk_submission submission = {
        .kind = BTK_SUBMISSION_SUBMIT,
        .op = (uint8_t)entry->options.op,
        .slab_id = (uint16_t)batch->slab->id,
        .options_id = entry->server_id,
        .batch_id = batch->batch_id,
        .submitted_ns = submitted_ns,
        .table_offset = batch->room_offset,
        .text_offset = batch->text_offset,
        .text_bytes = btk_document_end(ends[batch->document_count - 1]),
        .document_count = batch->document_count,
        .flags = batch->flags,
        .deadline_ns = batch->deadline_ns,
    };
    const int rc = batch->trace.is_there ? push_trace(client, batch) : 0;
    return rc == 0 ? push(client, &submission) : rc;
}

void btk_client_flight_add(struct btk_client *client, struct btk_batch *batch)
{
    const uint64_t mask = BTK_CLIENT_FLIGHT_SLOTS - 1;
    do batch->batch_id = ++client->next_batch_id;
    while (client->flight[batch->batch_id & mask] != NULL);
    client->flight[batch->batch_id & mask] = batch;
    client->flight_count++;
}

void btk_client_flight_remove(struct btk_client *client, struct btk_batch *batch)
{
    client->flight[batch->batch_id & (BTK_CLIENT_FLIGHT_SLOTS - 1)] = NULL;
    client->flight_count--;
    batch->batch_id = 0;
}

static struct btk_batch *find_batch(struct btk_client *client, uint64_t batch_id)
{
    struct btk_batch *batch = client->flight[batch_id & (BTK_CLIENT_FLIGHT_SLOTS - 1)];
    return batch != NULL && batch->batch_id == batch_id ? batch : NULL;
}

static int push_release(struct btk_client *client, uint64_t batch_id, uint64_t returned_ns)
{
    const struct btk_submission release = {
        .kind = BTK_SUBMISSION_RELEASE,
        .batch_id = batch_id,
        .submitted_ns = returned_ns,
    };
    return push(client, &release);
}

void btk_client_flight_flush_releases(struct btk_client *client)
{
    uint32_t sent = 0;
    while (sent < client->release_count && push_release(client, client->releases[sent], 0) == 0)
        sent++;
    if (sent == 0) return;
    client->release_count -= sent;
    memmove(client->releases, client->releases + sent,
            client->release_count * sizeof *client->releases);
}

void btk_client_flight_send_release(struct btk_client *client, const struct btk_batch *batch)
{
    const uint64_t batch_id = batch->batch_id;
    const uint64_t returned_ns =
        batch->shard_count == 0 ? 0 : batch->shards[batch->shard_last].returned_ns;
    btk_client_flight_flush_releases(client);
    if (!client->is_connected) return;
    if (client->release_count == 0 && push_release(client, batch_id, returned_ns) == 0) return;
    if (client->release_count == client->release_capacity) {
        const uint32_t capacity = client->release_capacity * 2 + 64;
        uint64_t *releases = realloc(client->releases, capacity * sizeof *releases);
        // Without it the cluster keeps the room until this client goes.
        if (releases == NULL) return;
        client->releases = releases;
        client->release_capacity = capacity;
    }
    client->releases[client->release_count++] = batch_id;
}

int btk_client_flight_send_cancel(struct btk_client *client, uint64_t batch_id)
{
    const struct btk_submission cancel = {.kind = BTK_SUBMISSION_CANCEL, .batch_id = batch_id};
    return push(client, &cancel);
}

// --- Completions

void btk_client_flight_reset(struct btk_client *client, struct btk_batch *batch)
{
    for (uint32_t i = 0; i < batch->shard_count; i++)
        if (batch->shards[i].memory != NULL)
            btk_result_memories_release(&client->memories, batch->shards[i].memory);
    batch->shard_count = 0;
    batch->shard_last = 0;
    batch->shard_cursor = 0;
    batch->token_count = 0;
    batch->is_malformed = false;
}

static int reserve_shard(struct btk_batch *batch)
{
    if (batch->shard_count < batch->shard_capacity) return 0;
    const uint32_t capacity = batch->shard_capacity * 2 + 8;
    struct btk_client_shard *shards = realloc(batch->shards, capacity * sizeof *shards);
    if (shards == NULL) return -ENOMEM;
    batch->shards = shards;
    batch->shard_capacity = capacity;
    return 0;
}

// The block's header is copied once; the copy is checked, and only the copy is used from here on.
static int open_block(struct btk_client *client, const struct btk_batch *batch,
                      const struct btk_completion *completion, struct btk_client_shard *shard,
                      struct btk_error *error)
{
    const struct btk_result_memory *memory = shard->memory;
    const struct btk_batch_options *options = &client->options[batch->options_id - 1].options;
    if (!btk_range_is_inside(completion->offset, completion->bytes, memory->memory.bytes)
        || completion->bytes < sizeof shard->header || completion->offset % 8 != 0)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a block outside of its memory");
    shard->block = (const uint8_t *)memory->memory.address + completion->offset;
    memcpy(&shard->header, shard->block, sizeof shard->header);
    const struct btk_result_header *header = &shard->header;
    const int rc = btk_result_header_check(header, completion->bytes, error);
    if (rc != 0) return rc;
    // An incarnation that was given up writes only where nobody looks; this tells a confusion.
    if (header->batch_id != completion->batch_id || header->shard_index != completion->shard_index
        || header->document_count != completion->document_count)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a block of another shard");
    if (!btk_result_header_answers(header, options->op, options->fields))
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a block without what was asked for");
    struct btk_client_page *page = client->connection.client_page.address;
    shard->returned_ns = btk_clock_now_ns();
    if (header->finished_ns <= shard->returned_ns)
        btk_histogram_record(&page->returned, shard->returned_ns - header->finished_ns);
    return 0;
}

static int take_shard(struct btk_client *client, struct btk_batch *batch,
                      const struct btk_completion *completion, struct btk_error *error)
{
    if (completion->first_document > batch->document_count
        || completion->document_count > batch->document_count - completion->first_document
        || batch->shard_count >= batch->document_count)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a shard outside of its batch");
    if (reserve_shard(batch) != 0)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "out of memory");
    struct btk_client_shard shard = {
        .first_document = completion->first_document,
        .document_count = completion->document_count,
        .index = completion->shard_index,
        .worker_id = completion->worker_id,
        .status = completion->status,
        .detail = completion->detail,
    };
    if (completion->results_id != 0) {
        shard.memory = btk_result_memories_acquire(&client->memories, completion->results_id);
        if (shard.memory == NULL) {
            // Also of a coordinator that has hung up: what it sent before is still to be had.
            if (btk_client_session_drain(client, error) != 0) errno = 0;
            shard.memory = btk_result_memories_acquire(&client->memories, completion->results_id);
        }
        if (shard.memory == NULL)
            return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a block in unknown memory");
        const int rc = open_block(client, batch, completion, &shard, error);
        if (rc != 0) {
            btk_result_memories_release(&client->memories, shard.memory);
            return rc;
        }
        batch->token_count += shard.header.token_count;
    } else if (shard.status == BTK_STATUS_OK) {
        shard.status = BTK_STATUS_INTERNAL;
    }
    batch->shards[batch->shard_count++] = shard;
    return 0;
}

static int compare_shards(const void *left, const void *right)
{
    const uint32_t a = ((const struct btk_client_shard *)left)->first_document;
    const uint32_t b = ((const struct btk_client_shard *)right)->first_document;
    return (a > b) - (a < b);
}

// The shards in the order of their documents; together they must be all documents, each once.
static bool order_shards(struct btk_batch *batch)
{
    uint32_t next_document = 0;
    bool is_ordered = true;
    for (uint32_t i = 1; i < batch->shard_count; i++)
        is_ordered &= batch->shards[i - 1].first_document <= batch->shards[i].first_document;
    if (!is_ordered)
        qsort(batch->shards, batch->shard_count, sizeof *batch->shards, compare_shards);
    for (uint32_t i = 0; i < batch->shard_count; i++) {
        const struct btk_client_shard *shard = batch->shards + i;
        if (shard->first_document != next_document) return false;
        next_document += shard->document_count;
        if (shard->header.finished_ns > batch->shards[batch->shard_last].header.finished_ns)
            batch->shard_last = i;
    }
    return next_document == batch->document_count;
}

static void finish_batch(struct btk_client *client, struct btk_batch *batch)
{
    client->flight[batch->batch_id & (BTK_CLIENT_FLIGHT_SLOTS - 1)] = NULL;
    client->flight_count--;
    if (batch->is_released) {
        if (batch->state == BTK_BATCH_DONE) btk_client_flight_send_release(client, batch);
        btk_client_batch_recycle(client, batch);
        return;
    }
    batch->next = NULL;
    if (client->finished_last != NULL)
        client->finished_last->next = batch;
    else
        client->finished_first = batch;
    client->finished_last = batch;
    client->finished_count++;
}

static void take_completion(struct btk_client *client, const struct btk_completion *completion,
                            struct btk_error *error)
{
    struct btk_batch *batch = find_batch(client, completion->batch_id);
    if (batch == NULL) return;
    switch (completion->kind) {
    case BTK_COMPLETION_SHARD:
        if (take_shard(client, batch, completion, error) != 0) batch->is_malformed = true;
        return;
    case BTK_COMPLETION_BATCH:
        batch->state = BTK_BATCH_DONE;
        if (batch->is_malformed || !order_shards(batch)) {
            btk_client_flight_reset(client, batch);
            batch->state = BTK_BATCH_FAILED;
            batch->status = BTK_STATUS_MALFORMED;
            btk_client_flight_send_release(client, batch);
        }
        finish_batch(client, batch);
        return;
    case BTK_COMPLETION_FAILED:
        btk_client_flight_reset(client, batch);
        batch->state = BTK_BATCH_FAILED;
        batch->status =
            completion->status == BTK_STATUS_OK ? BTK_STATUS_INTERNAL : completion->status;
        batch->retry_after_ms = completion->retry_after_ms;
        finish_batch(client, batch);
        return;
    default: return;
    }
}

int btk_client_flight_process(struct btk_client *client, struct btk_error *error)
{
    struct btk_completion completions[COMPLETIONS_AT_ONCE];
    btk_doorbell_clear(client->connection.bell_in);
    for (;;) {
        const int count =
            btk_ring_try_pop(&client->connection.completions, completions, COMPLETIONS_AT_ONCE);
        if (count < 0)
            return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "the ring of completions is broken");
        if (count == 0) break;
        for (int i = 0; i < count; i++) take_completion(client, completions + i, error);
    }
    btk_client_flight_flush_releases(client);
    return 0;
}

void btk_client_batch_recycle(struct btk_client *client, struct btk_batch *batch)
{
    btk_client_flight_reset(client, batch);
    if (batch->slab != NULL) btk_client_slab_release(client, batch->slab, batch->room_offset);
    struct btk_client_shard *shards = batch->shards;
    const uint32_t shard_capacity = batch->shard_capacity;
    *batch = (struct btk_batch){
        .client = client,
        .shards = shards,
        .shard_capacity = shard_capacity,
        .next_of_all = batch->next_of_all,
    };
    batch->next = client->free_batches;
    client->free_batches = batch;
}
