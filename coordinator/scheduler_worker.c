// SPDX-License-Identifier: Apache-2.0
// What workers say, and their deaths.
#include <stdlib.h>

#include "coordinator/scheduler_internal.h"

static struct btk_sched_worker *find_worker(struct btk_scheduler *scheduler, uint32_t worker_id,
                                            uint32_t epoch)
{
    if (worker_id >= BTK_SCHEDULER_WORKERS_MAX || epoch == 0) return NULL;
    struct btk_sched_worker *worker = scheduler->workers + worker_id;
    return worker->epoch == epoch ? worker : NULL;
}

static struct btk_sched_shard *find_running(const struct btk_sched_worker *worker,
                                            uint64_t shard_id)
{
    struct btk_sched_shard *shard = worker->running.first;
    while (shard != NULL && shard->id != shard_id) shard = shard->next;
    return shard;
}

void btk_scheduler_add_worker(struct btk_scheduler *scheduler, uint32_t worker_id, uint32_t epoch)
{
    if (worker_id >= BTK_SCHEDULER_WORKERS_MAX) return;
    scheduler->workers[worker_id] = (struct btk_sched_worker){.epoch = epoch};
    if (worker_id >= scheduler->worker_limit) scheduler->worker_limit = worker_id + 1;
}

// --- Memory

static void free_memory(struct btk_scheduler *scheduler, struct btk_sched_memory *memory)
{
    const struct btk_action action = {
        .kind = BTK_ACTION_RESULTS_GONE,
        .worker_id = memory->worker_id,
        .epoch = memory->epoch,
        .client_id = memory->client_id,
        .results_id = memory->results_id,
    };
    free(memory);
    scheduler->options.act(scheduler->options.context, &action);
}

void btk_sched_release_memory(struct btk_scheduler *scheduler, struct btk_sched_shard *shard)
{
    struct btk_sched_memory *memory = shard->memory;
    if (memory == NULL) return;
    shard->memory = NULL;
    if (!memory->is_own) btk_slab_release(&memory->room, shard->result_offset);
    memory->users--;
    if (memory->users == 0 && (memory->is_own || memory->is_retired))
        free_memory(scheduler, memory);
}

static void retire_memory(struct btk_scheduler *scheduler, struct btk_sched_client *client,
                          uint32_t worker_id)
{
    struct btk_sched_memory *memory = client->memories[worker_id];
    if (memory == NULL) return;
    client->memories[worker_id] = NULL;
    memory->is_retired = true;
    if (memory->users == 0) free_memory(scheduler, memory);
}

static struct btk_sched_memory *new_memory(const struct btk_results_memory *results)
{
    struct btk_sched_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL) return NULL;
    memory->results_id = results->results_id;
    memory->bytes = results->bytes;
    memory->worker_id = results->worker_id;
    memory->epoch = results->epoch;
    memory->client_id = results->client_id;
    memory->is_own = results->shard_id != 0;
    btk_slab_init(&memory->room, results->bytes);
    return memory;
}

static bool add_own_results(const struct btk_sched_worker *worker,
                            const struct btk_results_memory *results)
{
    struct btk_sched_shard *shard = find_running(worker, results->shard_id);
    if (shard == NULL || !shard->needs_own_memory || shard->memory != NULL
        || shard->batch->client->id != results->client_id)
        return false;
    shard->memory = new_memory(results);
    if (shard->memory == NULL) return false;
    shard->memory->users = 1;
    shard->result_offset = 0;
    return true;
}

bool btk_scheduler_add_results(struct btk_scheduler *scheduler,
                               const struct btk_results_memory *results)
{
    const struct btk_sched_worker *worker =
        find_worker(scheduler, results->worker_id, results->epoch);
    struct btk_sched_client *client = btk_sched_find_client(scheduler, results->client_id);
    if (worker == NULL || client == NULL || client->is_gone || results->results_id == 0
        || results->results_id >> 32 != results->epoch)
        return false;
    if (results->shard_id != 0) return add_own_results(worker, results);
    if (client->memories[results->worker_id] != NULL) return false;
    client->memories[results->worker_id] = new_memory(results);
    return client->memories[results->worker_id] != NULL;
}

// --- Reports

bool btk_scheduler_knows_results(const struct btk_scheduler *scheduler, uint32_t worker_id,
                                 const struct btk_shard_report *report)
{
    if (report->results_id == 0 || worker_id >= BTK_SCHEDULER_WORKERS_MAX) return true;
    const struct btk_sched_worker *worker = scheduler->workers + worker_id;
    const struct btk_sched_shard *shard =
        worker->epoch == report->epoch ? find_running(worker, report->shard_id) : NULL;
    return shard == NULL || shard->memory != NULL;
}

static void stop_running(struct btk_scheduler *scheduler, struct btk_sched_worker *worker,
                         struct btk_sched_shard *shard)
{
    btk_sched_queue_remove(&worker->running, shard);
    worker->running_count--;
    worker->running_bytes -= shard->bytes;
    scheduler->counts.shards_running--;
    if (shard->blames >= BTK_SHARD_BLAMES_QUARANTINE) worker->is_quarantine = false;
}

static void return_shard(struct btk_scheduler *scheduler, struct btk_sched_shard *shard)
{
    btk_sched_release_memory(scheduler, shard);
    struct btk_sched_queue *queue = shard->blames >= BTK_SHARD_BLAMES_QUARANTINE
                                        ? &scheduler->quarantine
                                        : &shard->batch->client->returned;
    btk_sched_queue_push_front(queue, shard);
    scheduler->counts.queue_depth++;
    scheduler->counts.queue_bytes += shard->bytes;
}

// Whether the block that is reported stands where it may.
static bool is_block_valid(const struct btk_sched_shard *shard,
                           const struct btk_shard_report *report)
{
    const struct btk_sched_memory *memory = shard->memory;
    if (memory == NULL || memory->results_id != report->results_id) return false;
    const uint64_t limit = memory->is_own ? memory->bytes : shard->result_bytes;
    return report->result_bytes >= sizeof(struct btk_result_header)
           && report->result_bytes <= limit;
}

static void take_block(struct btk_sched_shard *shard, const struct btk_shard_report *report)
{
    shard->result_bytes = report->result_bytes;
    if (!shard->memory->is_own)
        btk_slab_trim(&shard->memory->room, shard->result_offset, report->result_bytes);
}

static void count_report(struct btk_scheduler *scheduler, const struct btk_sched_shard *shard,
                         const struct btk_shard_report *report)
{
    scheduler->counts.documents_total += shard->document_count;
    scheduler->counts.bytes_total += shard->bytes;
    scheduler->counts.tokens_total += report->token_count;
}

static void take_report(struct btk_scheduler *scheduler, struct btk_sched_shard *shard,
                        const struct btk_shard_report *report)
{
    const bool is_failed = shard->batch->fail_status != BTK_STATUS_OK;
    // The bound was too small for this text: once more, in memory of the size that it takes.
    if (!is_failed && report->status == BTK_STATUS_TOO_LARGE && report->results_id == 0
        && !shard->needs_own_memory)
    {
        shard->needs_own_memory = true;
        return_shard(scheduler, shard);
        return;
    }
    enum btk_status status =
        report->status < BTK_STATUS_COUNT ? report->status : BTK_STATUS_INTERNAL;
    if (is_block_valid(shard, report)) {
        take_block(shard, report);
        count_report(scheduler, shard, report);
    } else {
        btk_sched_release_memory(scheduler, shard);
        if (status == BTK_STATUS_OK || report->results_id != 0) status = BTK_STATUS_INTERNAL;
    }
    btk_sched_finish_shard(scheduler, shard, status);
}

static void trace_shard(struct btk_scheduler *scheduler, uint32_t worker_id,
                        const struct btk_sched_shard *shard, const struct btk_shard_report *report)
{
    const struct btk_action action = {
        .kind = BTK_ACTION_TRACE_SHARD,
        .worker_id = worker_id,
        .epoch = report->epoch,
        .trace = shard->batch->trace,
        .traced =
            {
                .shard_index = shard->index,
                .document_count = shard->document_count,
                .bytes = shard->bytes,
                .submitted_ns = shard->batch->submission.submitted_ns,
                .dispatched_ns = shard->dispatched_ns,
                .report = *report,
            },
    };
    scheduler->options.act(scheduler->options.context, &action);
}

void btk_scheduler_report(struct btk_scheduler *scheduler, uint32_t worker_id,
                          const struct btk_shard_report *report)
{
    struct btk_sched_worker *worker = find_worker(scheduler, worker_id, report->epoch);
    if (worker == NULL) return;
    struct btk_sched_shard *shard = find_running(worker, report->shard_id);
    if (shard == NULL) return;
    struct btk_sched_client *client = shard->batch->client;
    stop_running(scheduler, worker, shard);
    if (shard->batch->trace != 0) trace_shard(scheduler, worker_id, shard, report);
    take_report(scheduler, shard, report);
    btk_sched_settle_client(scheduler, client);
}

// --- Deaths

static void lose_shard(struct btk_scheduler *scheduler, struct btk_sched_shard *shard,
                       bool is_blamed)
{
    if (is_blamed) shard->blames++;
    if (shard->batch->fail_status != BTK_STATUS_OK) {
        btk_sched_finish_shard(scheduler, shard, BTK_STATUS_CANCELED);
        return;
    }
    if (shard->blames >= BTK_SHARD_BLAMES_POISON) {
        scheduler->counts.shards_poisoned_total++;
        btk_sched_release_memory(scheduler, shard);
        btk_sched_finish_shard(scheduler, shard, BTK_STATUS_POISON);
        return;
    }
    scheduler->counts.shards_returned_total++;
    return_shard(scheduler, shard);
}

void btk_scheduler_remove_worker(struct btk_scheduler *scheduler, uint32_t worker_id,
                                 uint64_t blamed_shard_id)
{
    if (worker_id >= BTK_SCHEDULER_WORKERS_MAX) return;
    struct btk_sched_worker *worker = scheduler->workers + worker_id;
    struct btk_sched_queue reversed = {0};
    struct btk_sched_shard *shard;
    // In front of the queue and in the order in which they were: the last goes back first.
    while ((shard = btk_sched_queue_pop(&worker->running)) != NULL) {
        scheduler->counts.shards_running--;
        btk_sched_queue_push_front(&reversed, shard);
    }
    *worker = (struct btk_sched_worker){0};
    while ((shard = btk_sched_queue_pop(&reversed)) != NULL)
        lose_shard(scheduler, shard, blamed_shard_id != 0 && shard->id == blamed_shard_id);
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++) {
        struct btk_sched_client *client = scheduler->clients[i];
        if (client == NULL) continue;
        retire_memory(scheduler, client, worker_id);
        btk_sched_settle_client(scheduler, client);
    }
}
