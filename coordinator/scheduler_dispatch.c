// SPDX-License-Identifier: Apache-2.0
// Cutting shards and handing them out.
#include <errno.h>

#include "common/probes.h"
#include "coordinator/scheduler_internal.h"

// --- Cutting

static uint64_t shard_limit(const struct btk_scheduler *scheduler,
                            const struct btk_sched_batch *batch)
{
    const uint64_t limit = scheduler->options.shard_bytes;
    return batch->client->is_overflowing ? limit * BTK_SHARD_OVERFLOW_FACTOR : limit;
}

// How many documents the next shard has and where it ends. The table is the client's, who may
// change it while we look: every end is read once and checked, and the worker checks it again. What
// is padded together stays together. False: the table is not in order.
static bool measure_shard(const struct btk_scheduler *scheduler,
                          const struct btk_sched_batch *batch, uint32_t *out_documents,
                          uint64_t *out_end)
{
    const volatile uint64_t *ends = batch->ends + batch->next_document;
    const uint32_t left = batch->submission.document_count - batch->next_document;
    const uint64_t limit = shard_limit(scheduler, batch);
    uint64_t end = batch->next_begin;
    uint32_t count = 0;
    bool may_end = false;
    while (count < left) {
        const uint64_t entry = ends[count];
        const uint64_t next = btk_document_end(entry);
        if (next < end || next > batch->submission.text_bytes) return false;
        if (may_end
            && (count >= BTK_SHARD_DOCUMENTS_MAX || next - batch->next_begin > limit
                || count * batch->shape.padded_tokens >= BTK_SHARD_PADDED_TOKENS))
            break;
        end = next;
        count++;
        may_end = !batch->shape.is_grouped || (entry & BTK_GROUP_END) != 0;
    }
    *out_documents = count;
    *out_end = end;
    return true;
}

static struct btk_sched_shard *add_shard(struct btk_scheduler *scheduler,
                                         struct btk_sched_batch *batch, uint32_t document_count,
                                         uint64_t end)
{
    struct btk_sched_shard *shard = btk_sched_take_shard(scheduler);
    if (shard == NULL) return NULL;
    shard->batch = batch;
    shard->index = batch->shard_count++;
    shard->first_document = batch->next_document;
    shard->document_count = document_count;
    shard->begin = batch->next_begin;
    shard->bytes = end - batch->next_begin;
    batch->open_count++;
    if (batch->next_document + document_count == batch->submission.document_count)
        btk_sched_unqueue_batch(scheduler, batch);
    else
        scheduler->counts.queue_bytes -= shard->bytes;
    batch->next_document += document_count;
    batch->next_begin = end;
    return shard;
}

// What of the batch was not begun in time fails; what was begun keeps its results.
static void expire_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    if (batch->shard_count == 0) {
        btk_sched_fail_batch(scheduler, batch, BTK_STATUS_DEADLINE);
        return;
    }
    struct btk_sched_shard *rest =
        add_shard(scheduler, batch, batch->submission.document_count - batch->next_document,
                  batch->submission.text_bytes);
    if (rest != NULL) btk_sched_finish_shard(scheduler, rest, BTK_STATUS_DEADLINE);
}

static bool is_expired(const struct btk_sched_batch *batch, uint64_t now_ns)
{
    return batch->submission.deadline_ns != 0 && batch->submission.deadline_ns <= now_ns;
}

// The client's next shard, or NULL: it has none now.
static struct btk_sched_shard *next_shard(struct btk_scheduler *scheduler,
                                          struct btk_sched_client *client, uint64_t now_ns)
{
    struct btk_sched_shard *shard = btk_sched_queue_pop(&client->returned);
    if (shard != NULL) {
        scheduler->counts.queue_depth--;
        scheduler->counts.queue_bytes -= shard->bytes;
        return shard;
    }
    while (client->first_batch != NULL) {
        struct btk_sched_batch *batch = client->first_batch;
        uint32_t documents = 0;
        uint64_t end = 0;
        if (is_expired(batch, now_ns)) {
            expire_batch(scheduler, batch);
            if (client->first_batch == batch) return NULL; // no memory: another turn
        } else if (measure_shard(scheduler, batch, &documents, &end)) {
            return add_shard(scheduler, batch, documents, end);
        } else {
            btk_sched_fail_batch(scheduler, batch, BTK_STATUS_MALFORMED);
        }
    }
    return NULL;
}

// --- Handing out

// Room for the block: in the client's memory on this worker, or in one of its own.
static void reserve_room(struct btk_sched_shard *shard, struct btk_sched_memory *memory)
{
    shard->result_bytes =
        btk_result_bound(&shard->batch->shape, shard->bytes, shard->document_count);
    shard->result_offset = 0;
    if (shard->needs_own_memory) return;
    if (btk_slab_acquire(&memory->room, shard->result_bytes, &shard->result_offset) == 0) {
        shard->memory = memory;
        memory->users++;
        return;
    }
    shard->needs_own_memory = true;
    shard->batch->client->is_overflowing = true;
}

static uint32_t assignment_flags(const struct btk_sched_shard *shard)
{
    uint32_t flags = 0;
    if (shard->needs_own_memory) flags |= BTK_ASSIGNMENT_OWN_MEMFD;
    if ((shard->batch->submission.flags & BTK_BATCH_HAS_SHAPES) != 0)
        flags |= BTK_ASSIGNMENT_HAS_SHAPES;
    return flags;
}

static void assign(struct btk_scheduler *scheduler, struct btk_sched_shard *shard,
                   uint32_t worker_id, uint64_t now_ns)
{
    struct btk_sched_worker *worker = scheduler->workers + worker_id;
    const struct btk_sched_batch *batch = shard->batch;
    const struct btk_submission *submission = &batch->submission;
    shard->id = ++scheduler->next_shard_id;
    shard->dispatched_ns = now_ns;
    reserve_room(shard, batch->client->memories[worker_id]);
    btk_sched_queue_push_back(&worker->running, shard);
    worker->running_count++;
    worker->running_bytes += shard->bytes;
    scheduler->counts.shards_running++;
    const struct btk_action action = {
        .kind = BTK_ACTION_ASSIGN,
        .worker_id = worker_id,
        .epoch = worker->epoch,
        .client_id = batch->client->id,
        .assignment =
            {
                .shard_id = shard->id,
                .batch_id = submission->batch_id,
                .client_id = batch->client->id,
                .options_id = submission->options_id,
                .slab_id = submission->slab_id,
                .shard_index = shard->index,
                .first_document = shard->first_document,
                .document_count = shard->document_count,
                .flags = assignment_flags(shard),
                .epoch = worker->epoch,
                .op = submission->op,
                .trace = batch->trace,
                .table_offset = submission->table_offset,
                .text_offset = submission->text_offset,
                .shard_begin = shard->begin,
                .shard_bytes = shard->bytes,
                .result_offset = shard->result_offset,
                .result_limit_bytes = shard->result_bytes,
                .submitted_ns = submission->submitted_ns,
                .dispatched_ns = now_ns,
                .deadline_ns = submission->deadline_ns,
            },
    };
    btk_probe_dispatch(shard->id, submission->batch_id, worker_id, worker->epoch, shard->bytes,
                       now_ns - submission->submitted_ns);
    scheduler->options.act(scheduler->options.context, &action);
}

static bool has_credit(const struct btk_scheduler *scheduler, const struct btk_sched_worker *worker)
{
    return worker->epoch != 0 && !worker->is_quarantine
           && worker->running_count < scheduler->options.credit_shards
           && worker->running_bytes < scheduler->options.credit_bytes;
}

static bool is_less_loaded(const struct btk_sched_worker *worker,
                           const struct btk_sched_worker *than)
{
    if (worker->running_count != than->running_count)
        return worker->running_count < than->running_count;
    return worker->running_bytes < than->running_bytes;
}

// The least loaded worker that has the client's results memory; -1: none has credit.
static int pick_worker(const struct btk_scheduler *scheduler, const struct btk_sched_client *client)
{
    int best = -1;
    for (uint32_t i = 0; i < scheduler->worker_limit; i++) {
        const struct btk_sched_worker *worker = scheduler->workers + i;
        if (client->memories[i] == NULL || !has_credit(scheduler, worker)) continue;
        if (best < 0 || is_less_loaded(worker, scheduler->workers + best)) best = (int)i;
    }
    return best;
}

static bool serve_client(struct btk_scheduler *scheduler, struct btk_sched_client *client,
                         uint64_t now_ns)
{
    if (client->is_paused || (client->returned.first == NULL && client->first_batch == NULL))
        return false;
    const int worker_id = pick_worker(scheduler, client);
    if (worker_id < 0) {
        btk_probe_credit_zero(client->id, scheduler->counts.queue_depth,
                              scheduler->counts.queue_bytes);
        return false;
    }
    struct btk_sched_shard *shard = next_shard(scheduler, client, now_ns);
    if (shard == NULL) return false;
    assign(scheduler, shard, (uint32_t)worker_id, now_ns);
    return true;
}

// --- Quarantine

static int find_quarantine(const struct btk_scheduler *scheduler)
{
    for (uint32_t i = 0; i < scheduler->worker_limit; i++)
        if (scheduler->workers[i].epoch != 0 && scheduler->workers[i].is_quarantine) return (int)i;
    return -1;
}

// The shards that workers died of twice run one at a time, alone on one worker, so that a third
// death takes nothing else with it.
static void serve_quarantine(struct btk_scheduler *scheduler, uint64_t now_ns)
{
    int worker_id = find_quarantine(scheduler);
    const struct btk_sched_shard *shard = scheduler->quarantine.first;
    if (shard == NULL) {
        // What waited for this worker was taken back.
        if (worker_id >= 0 && scheduler->workers[worker_id].running_count == 0)
            scheduler->workers[worker_id].is_quarantine = false;
        return;
    }
    if (worker_id < 0) worker_id = pick_worker(scheduler, shard->batch->client);
    if (worker_id < 0) return;
    struct btk_sched_worker *worker = scheduler->workers + worker_id;
    worker->is_quarantine = true;
    if (worker->running_count > 0 || shard->batch->client->memories[worker_id] == NULL) return;
    struct btk_sched_shard *next = btk_sched_queue_pop(&scheduler->quarantine);
    scheduler->counts.queue_depth--;
    scheduler->counts.queue_bytes -= next->bytes;
    assign(scheduler, next, (uint32_t)worker_id, now_ns);
}

void btk_scheduler_dispatch(struct btk_scheduler *scheduler, uint64_t now_ns)
{
    serve_quarantine(scheduler, now_ns);
    uint32_t idle = 0;
    while (scheduler->counts.queue_depth > 0 && idle < scheduler->client_count) {
        struct btk_sched_client *client = scheduler->turn;
        scheduler->turn = client->turn_next;
        idle = serve_client(scheduler, client, now_ns) ? 0 : idle + 1;
    }
}
