// SPDX-License-Identifier: Apache-2.0
// How shards, batches and clients end.
#include <stdlib.h>

#include "coordinator/scheduler_internal.h"

static void complete(struct btk_scheduler *scheduler, const struct btk_sched_client *client,
                     const struct btk_completion *completion)
{
    if (client->is_gone) return;
    const struct btk_action action = {
        .kind = BTK_ACTION_COMPLETE,
        .client_id = client->id,
        .completion = *completion,
    };
    scheduler->options.act(scheduler->options.context, &action);
}

static void unpin_slab(struct btk_scheduler *scheduler, uint32_t client_id, uint32_t slab_id)
{
    const struct btk_action action = {
        .kind = BTK_ACTION_SLAB_UNPIN,
        .client_id = client_id,
        .slab_id = slab_id,
    };
    scheduler->options.act(scheduler->options.context, &action);
}

void btk_sched_end_trace(struct btk_scheduler *scheduler, uint32_t trace, uint32_t status)
{
    if (trace == 0) return;
    const struct btk_action action = {
        .kind = BTK_ACTION_TRACE_END,
        .trace = trace,
        .status = status,
    };
    scheduler->options.act(scheduler->options.context, &action);
}

void btk_sched_say_failed(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                          enum btk_status status, uint32_t retry_after_ms)
{
    const struct btk_action action = {
        .kind = BTK_ACTION_COMPLETE,
        .client_id = request->client_id,
        .completion =
            {
                .kind = BTK_COMPLETION_FAILED,
                .status = (uint8_t)status,
                .batch_id = request->submission.batch_id,
                .document_count = request->submission.document_count,
                .retry_after_ms = retry_after_ms,
            },
    };
    scheduler->counts.batches_failed_total++;
    scheduler->options.act(scheduler->options.context, &action);
    unpin_slab(scheduler, request->client_id, request->submission.slab_id);
    btk_sched_end_trace(scheduler, request->trace, status);
}

void btk_sched_unqueue_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    struct btk_sched_client *client = batch->client;
    struct btk_sched_batch *before = NULL;
    struct btk_sched_batch *at = client->first_batch;
    while (at != NULL && at != batch) {
        before = at;
        at = at->next;
    }
    if (at == NULL) return;
    if (before == NULL)
        client->first_batch = batch->next;
    else
        before->next = batch->next;
    if (client->last_batch == batch) client->last_batch = before;
    batch->next = NULL;
    scheduler->counts.queue_depth--;
    scheduler->counts.queue_bytes -= batch->submission.text_bytes - batch->next_begin;
}

// The text of the batch is not looked at any more.
static void leave_flight(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    struct btk_sched_client *client = batch->client;
    client->batches_in_flight--;
    client->text_bytes -= batch->submission.text_bytes;
    scheduler->counts.batches_in_flight--;
    unpin_slab(scheduler, client->id, batch->submission.slab_id);
}

void btk_sched_forget_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    struct btk_sched_client *client = batch->client;
    client->is_overflowing = false;
    while (batch->blocks != NULL) {
        struct btk_sched_shard *shard = batch->blocks;
        batch->blocks = shard->next;
        client->result_bytes -= shard->result_bytes;
        btk_sched_release_memory(scheduler, shard);
        btk_sched_give_shard(scheduler, shard);
    }
    btk_sched_table_remove(scheduler, batch);
    btk_sched_end_trace(scheduler, batch->trace, batch->fail_status);
    client->batches_kept--;
    btk_sched_give_batch(scheduler, batch);
}

static void settle_failed(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    if (batch->open_count > 0) return;
    const struct btk_completion completion = {
        .kind = BTK_COMPLETION_FAILED,
        .status = (uint8_t)batch->fail_status,
        .batch_id = batch->submission.batch_id,
        .document_count = batch->submission.document_count,
    };
    complete(scheduler, batch->client, &completion);
    scheduler->counts.batches_failed_total++;
    leave_flight(scheduler, batch);
    btk_sched_forget_batch(scheduler, batch);
}

static void drop_queued(struct btk_scheduler *scheduler, struct btk_sched_queue *queue,
                        struct btk_sched_batch *batch)
{
    struct btk_sched_queue kept = {0};
    struct btk_sched_shard *shard;
    while ((shard = btk_sched_queue_pop(queue)) != NULL) {
        if (shard->batch != batch) {
            btk_sched_queue_push_back(&kept, shard);
            continue;
        }
        scheduler->counts.queue_depth--;
        scheduler->counts.queue_bytes -= shard->bytes;
        batch->open_count--;
        btk_sched_give_shard(scheduler, shard);
    }
    *queue = kept;
}

void btk_sched_fail_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch,
                          enum btk_status status)
{
    batch->fail_status = status;
    btk_sched_unqueue_batch(scheduler, batch);
    drop_queued(scheduler, &batch->client->returned, batch);
    drop_queued(scheduler, &scheduler->quarantine, batch);
    settle_failed(scheduler, batch);
}

static void say_shard(struct btk_scheduler *scheduler, const struct btk_sched_shard *shard,
                      enum btk_status status)
{
    const struct btk_sched_batch *batch = shard->batch;
    struct btk_completion completion = {
        .kind = BTK_COMPLETION_SHARD,
        .status = (uint8_t)status,
        .shard_index = shard->index,
        .batch_id = batch->submission.batch_id,
        .first_document = shard->first_document,
        .document_count = shard->document_count,
    };
    if (shard->memory != NULL) {
        completion.worker_id = (uint16_t)shard->memory->worker_id;
        completion.results_id = shard->memory->results_id;
        completion.offset = shard->result_offset;
        completion.bytes = shard->result_bytes;
    }
    complete(scheduler, batch->client, &completion);
}

void btk_sched_settle_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    if (batch->open_count > 0 || batch->next_document < batch->submission.document_count) return;
    const struct btk_completion completion = {
        .kind = BTK_COMPLETION_BATCH,
        .batch_id = batch->submission.batch_id,
        .document_count = batch->submission.document_count,
        .shard_count = batch->shard_count,
    };
    batch->is_done = true;
    complete(scheduler, batch->client, &completion);
    scheduler->counts.batches_done_total++;
    leave_flight(scheduler, batch);
}

void btk_sched_finish_shard(struct btk_scheduler *scheduler, struct btk_sched_shard *shard,
                            enum btk_status status)
{
    struct btk_sched_batch *batch = shard->batch;
    batch->open_count--;
    if (batch->fail_status != BTK_STATUS_OK) {
        btk_sched_release_memory(scheduler, shard);
        btk_sched_give_shard(scheduler, shard);
        settle_failed(scheduler, batch);
        return;
    }
    scheduler->counts.shards_total++;
    say_shard(scheduler, shard, status);
    if (shard->memory != NULL) {
        batch->client->result_bytes += shard->result_bytes;
        shard->next = batch->blocks;
        batch->blocks = shard;
    } else {
        btk_sched_give_shard(scheduler, shard);
    }
    btk_sched_settle_batch(scheduler, batch);
}

void btk_sched_settle_client(struct btk_scheduler *scheduler, struct btk_sched_client *client)
{
    if (!client->is_gone || client->batches_kept > 0) return;
    const struct btk_action action = {.kind = BTK_ACTION_CLIENT_GONE, .client_id = client->id};
    for (uint32_t i = 0; i < BTK_SCHEDULER_WORKERS_MAX; i++) free(client->memories[i]);
    scheduler->clients[client->id % BTK_SCHEDULER_CLIENT_SLOTS] = NULL;
    free(client);
    scheduler->options.act(scheduler->options.context, &action);
}
