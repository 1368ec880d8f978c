// SPDX-License-Identifier: Apache-2.0
// Life of the scheduler, and what clients ask of it.
#include "coordinator/scheduler.h"

#include <errno.h>
#include <stdlib.h>

#include "common/probes.h"
#include "coordinator/scheduler_internal.h"

enum {
    BATCHES_KEPT_MAX = 65536, // in flight or not released, per client
    RETRY_MIN_MS = 10,
    RETRY_MAX_MS = 5000,
    WORKER_BYTES_PER_MS = 20000, // a cautious guess, for retry-after alone
};

int btk_scheduler_new(const struct btk_scheduler_options *options,
                      struct btk_scheduler **out_scheduler)
{
    struct btk_scheduler *scheduler = calloc(1, sizeof *scheduler);
    if (scheduler == NULL) return -ENOMEM;
    scheduler->options = *options;
    *out_scheduler = scheduler;
    return 0;
}

static void free_client(struct btk_sched_client *client)
{
    for (uint32_t i = 0; i < BTK_SCHEDULER_WORKERS_MAX; i++) free(client->memories[i]);
    free(client);
}

static void ignore_action(void *context BTK_UNUSED, const struct btk_action *action BTK_UNUSED)
{
}

static void give_all(struct btk_scheduler *scheduler, struct btk_sched_queue *queue)
{
    struct btk_sched_shard *shard;
    while ((shard = btk_sched_queue_pop(queue)) != NULL) {
        btk_sched_release_memory(scheduler, shard);
        btk_sched_give_shard(scheduler, shard);
    }
}

void btk_scheduler_free(struct btk_scheduler **scheduler_at)
{
    if (scheduler_at == NULL || *scheduler_at == NULL) return;
    struct btk_scheduler *scheduler = *scheduler_at;
    scheduler->options.act = ignore_action;
    for (uint32_t i = 0; i < BTK_SCHEDULER_WORKERS_MAX; i++)
        give_all(scheduler, &scheduler->workers[i].running);
    give_all(scheduler, &scheduler->quarantine);
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++)
        if (scheduler->clients[i] != NULL) give_all(scheduler, &scheduler->clients[i]->returned);
    for (uint32_t i = 0; i < BTK_SCHEDULER_HASH_SLOTS; i++)
        while (scheduler->table[i] != NULL) btk_sched_forget_batch(scheduler, scheduler->table[i]);
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++)
        if (scheduler->clients[i] != NULL) free_client(scheduler->clients[i]);
    btk_sched_free_pools(scheduler);
    free(scheduler);
    *scheduler_at = NULL;
}

// --- Clients

int btk_scheduler_add_client(struct btk_scheduler *scheduler, uint32_t client_id)
{
    struct btk_sched_client **slot = scheduler->clients + client_id % BTK_SCHEDULER_CLIENT_SLOTS;
    if (*slot != NULL) return -EEXIST;
    struct btk_sched_client *client = calloc(1, sizeof *client);
    if (client == NULL) return -ENOMEM;
    client->id = client_id;
    struct btk_sched_client *turn = scheduler->turn == NULL ? client : scheduler->turn;
    client->turn_next = turn;
    client->turn_previous = turn == client ? client : turn->turn_previous;
    client->turn_previous->turn_next = client;
    turn->turn_previous = client;
    scheduler->turn = turn;
    scheduler->client_count++;
    *slot = client;
    return 0;
}

static void leave_turn(struct btk_scheduler *scheduler, struct btk_sched_client *client)
{
    client->turn_next->turn_previous = client->turn_previous;
    client->turn_previous->turn_next = client->turn_next;
    if (scheduler->turn == client)
        scheduler->turn = client->turn_next == client ? NULL : client->turn_next;
    scheduler->client_count--;
}

void btk_scheduler_remove_client(struct btk_scheduler *scheduler, uint32_t client_id)
{
    struct btk_sched_client *client = btk_sched_find_client(scheduler, client_id);
    if (client == NULL || client->is_gone) return;
    client->is_gone = true;
    leave_turn(scheduler, client);
    for (uint32_t i = 0; i < BTK_SCHEDULER_HASH_SLOTS && client->batches_kept > 0; i++) {
        struct btk_sched_batch *batch = scheduler->table[i];
        while (batch != NULL) {
            struct btk_sched_batch *next = batch->hash_next;
            if (batch->client == client && batch->is_done)
                btk_sched_forget_batch(scheduler, batch);
            else if (batch->client == client && batch->fail_status == BTK_STATUS_OK)
                btk_sched_fail_batch(scheduler, batch, BTK_STATUS_CANCELED);
            batch = next;
        }
    }
    btk_sched_settle_client(scheduler, client);
}

void btk_scheduler_pause_client(struct btk_scheduler *scheduler, uint32_t client_id, bool is_paused)
{
    struct btk_sched_client *client = btk_sched_find_client(scheduler, client_id);
    if (client != NULL) client->is_paused = is_paused;
}

// --- Submissions

static uint32_t retry_after_ms(const struct btk_scheduler *scheduler)
{
    const uint64_t waiting_ms = scheduler->counts.queue_bytes / WORKER_BYTES_PER_MS;
    if (waiting_ms < RETRY_MIN_MS) return RETRY_MIN_MS;
    return waiting_ms > RETRY_MAX_MS ? RETRY_MAX_MS : (uint32_t)waiting_ms;
}

static enum btk_status admit(const struct btk_scheduler *scheduler,
                             const struct btk_sched_client *client,
                             const struct btk_batch_request *request)
{
    const struct btk_scheduler_options *limits = &scheduler->options;
    const struct btk_submission *submission = &request->submission;
    if (scheduler->is_draining) return BTK_STATUS_SHUTTING_DOWN;
    if (btk_sched_find_batch(scheduler, client->id, submission->batch_id) != NULL)
        return BTK_STATUS_MALFORMED;
    if (submission->text_bytes > limits->client_limit_bytes
        || btk_result_bound(&request->shape, submission->text_bytes, submission->document_count)
               > limits->result_limit_bytes)
        return BTK_STATUS_TOO_LARGE;
    const uint64_t held_bytes = client->text_bytes + client->result_bytes;
    if (client->batches_in_flight >= limits->batch_limit || client->batches_kept >= BATCHES_KEPT_MAX
        || held_bytes > limits->client_limit_bytes - submission->text_bytes)
        return BTK_STATUS_OVERLOADED;
    return BTK_STATUS_OK;
}

static void refuse(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                   enum btk_status status)
{
    const bool is_overload = status == BTK_STATUS_OVERLOADED;
    if (is_overload) scheduler->counts.batches_refused_total++;
    btk_sched_say_failed(scheduler, request, status, is_overload ? retry_after_ms(scheduler) : 0);
}

static void queue_batch(struct btk_scheduler *scheduler, struct btk_sched_client *client,
                        struct btk_sched_batch *batch)
{
    if (client->last_batch != NULL)
        client->last_batch->next = batch;
    else
        client->first_batch = batch;
    client->last_batch = batch;
    client->batches_in_flight++;
    client->batches_kept++;
    client->text_bytes += batch->submission.text_bytes;
    scheduler->counts.batches_in_flight++;
    scheduler->counts.queue_depth++;
    scheduler->counts.queue_bytes += batch->submission.text_bytes;
    btk_sched_table_add(scheduler, batch);
    btk_probe_batch_enqueue(client->id, batch->submission.batch_id, batch->submission.text_bytes,
                            batch->submission.document_count, batch->submission.submitted_ns);
}

void btk_scheduler_submit(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                          uint64_t now_ns)
{
    struct btk_sched_client *client = btk_sched_find_client(scheduler, request->client_id);
    if (client == NULL || client->is_gone) {
        btk_sched_end_trace(scheduler, request->trace, BTK_STATUS_CANCELED);
        return;
    }
    scheduler->counts.requests_total++;
    const enum btk_status status = admit(scheduler, client, request);
    if (status != BTK_STATUS_OK) {
        refuse(scheduler, request, status);
        return;
    }
    struct btk_sched_batch *batch = btk_sched_take_batch(scheduler);
    if (batch == NULL) {
        refuse(scheduler, request, BTK_STATUS_OVERLOADED);
        return;
    }
    batch->submission = request->submission;
    if (batch->submission.submitted_ns > now_ns) batch->submission.submitted_ns = now_ns;
    batch->shape = request->shape;
    batch->ends = request->ends;
    batch->client = client;
    batch->trace = request->trace;
    queue_batch(scheduler, client, batch);
}

void btk_scheduler_refuse(struct btk_scheduler *scheduler, const struct btk_batch_request *request,
                          enum btk_status status)
{
    const struct btk_sched_client *client = btk_sched_find_client(scheduler, request->client_id);
    if (client == NULL || client->is_gone) return;
    scheduler->counts.requests_total++;
    refuse(scheduler, request, status);
}

uint32_t btk_scheduler_trace(const struct btk_scheduler *scheduler, uint32_t client_id,
                             uint64_t batch_id)
{
    const struct btk_sched_batch *batch = btk_sched_find_batch(scheduler, client_id, batch_id);
    return batch == NULL ? 0 : batch->trace;
}

void btk_scheduler_cancel(struct btk_scheduler *scheduler, uint32_t client_id, uint64_t batch_id)
{
    struct btk_sched_batch *batch = btk_sched_find_batch(scheduler, client_id, batch_id);
    if (batch == NULL || batch->is_done || batch->fail_status != BTK_STATUS_OK) return;
    btk_sched_fail_batch(scheduler, batch, BTK_STATUS_CANCELED);
}

void btk_scheduler_release(struct btk_scheduler *scheduler, uint32_t client_id, uint64_t batch_id)
{
    struct btk_sched_batch *batch = btk_sched_find_batch(scheduler, client_id, batch_id);
    if (batch != NULL && batch->is_done) btk_sched_forget_batch(scheduler, batch);
}

// --- Counts

void btk_scheduler_drain(struct btk_scheduler *scheduler)
{
    scheduler->is_draining = true;
}

void btk_scheduler_counts(const struct btk_scheduler *scheduler,
                          struct btk_scheduler_counts *out_counts)
{
    *out_counts = scheduler->counts;
}

uint32_t btk_scheduler_worker_load(const struct btk_scheduler *scheduler, uint32_t worker_id)
{
    return worker_id < BTK_SCHEDULER_WORKERS_MAX ? scheduler->workers[worker_id].running_count : 0;
}
