// SPDX-License-Identifier: Apache-2.0
// Random hours of a cluster: clients, workers, deaths and cancels in any order, from a seed. What
// must hold: every batch ends exactly once, its shards are its documents once each, every slab is
// unpinned once, and in the end nothing is left.
#include "tests/coordinator/harness.h"

enum { WORKERS = 3, CLIENTS = 3, BATCHES = 64, STEPS = 3000, DOCUMENTS = 12 };

struct batch {
    bool is_submitted, is_ended, is_failed;
    uint32_t documents_seen;
};

struct simulation {
    struct harness harness;
    uint64_t random;
    uint32_t next_epoch;
    uint32_t epochs[WORKERS];
    bool is_client[CLIENTS];
    uint32_t client_ids[CLIENTS];
    uint64_t next_batch_id;
    struct batch batches[CLIENTS][BATCHES]; // by id modulo BATCHES
    struct btk_action running[WORKERS * 8];
    size_t running_count;
    uint64_t submitted, unpinned;
};

static const uint64_t ends[DOCUMENTS] = {10, 90, 90, 300, 320, 330, 420, 700, 701, 702, 1100, 1200};

static uint32_t roll(struct simulation *simulation, uint32_t below)
{
    simulation->random ^= simulation->random << 13;
    simulation->random ^= simulation->random >> 7;
    simulation->random ^= simulation->random << 17;
    return (uint32_t)(simulation->random >> 11) % below;
}

static struct batch *batch_of(struct simulation *simulation, uint32_t client_id, uint64_t batch_id)
{
    return &simulation->batches[client_id % CLIENTS][batch_id % BATCHES];
}

static void take_completion(struct simulation *simulation, const struct btk_action *action)
{
    const struct btk_completion *completion = &action->completion;
    struct batch *batch = batch_of(simulation, action->client_id, completion->batch_id);
    cr_assert(batch->is_submitted && !batch->is_ended);
    if (completion->kind == BTK_COMPLETION_SHARD) {
        batch->documents_seen += completion->document_count;
        return;
    }
    batch->is_ended = true;
    batch->is_failed = completion->kind == BTK_COMPLETION_FAILED;
    if (!batch->is_failed) cr_assert_eq(batch->documents_seen, (uint32_t)DOCUMENTS);
}

static void take_actions(struct simulation *simulation)
{
    struct harness *harness = &simulation->harness;
    for (size_t i = 0; i < harness->action_count; i++) {
        const struct btk_action *action = harness->actions + i;
        if (action->kind == BTK_ACTION_COMPLETE) take_completion(simulation, action);
        if (action->kind == BTK_ACTION_SLAB_UNPIN) simulation->unpinned++;
        if (action->kind == BTK_ACTION_ASSIGN) {
            cr_assert_lt(simulation->running_count, (size_t)WORKERS * 8);
            simulation->running[simulation->running_count++] = *action;
        }
    }
    harness_forget_actions(harness);
}

static void start_worker(struct simulation *simulation, uint32_t worker_id)
{
    const uint32_t epoch = ++simulation->next_epoch;
    simulation->epochs[worker_id] = epoch;
    btk_scheduler_add_worker(simulation->harness.scheduler, worker_id, epoch);
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (simulation->is_client[i])
            harness_add_results(&simulation->harness, worker_id, epoch, simulation->client_ids[i]);
}

static void kill_worker(struct simulation *simulation, uint32_t worker_id)
{
    size_t kept = 0;
    uint64_t blamed = 0;
    for (size_t i = 0; i < simulation->running_count; i++) {
        if (simulation->running[i].worker_id != worker_id)
            simulation->running[kept++] = simulation->running[i];
        else if (blamed == 0 && roll(simulation, 2) == 0)
            blamed = simulation->running[i].assignment.shard_id;
    }
    simulation->running_count = kept;
    btk_scheduler_remove_worker(simulation->harness.scheduler, worker_id, blamed);
    start_worker(simulation, worker_id);
}

static void add_client(struct simulation *simulation, uint32_t index)
{
    simulation->client_ids[index] += CLIENTS;
    const uint32_t client_id = simulation->client_ids[index];
    cr_assert_eq(btk_scheduler_add_client(simulation->harness.scheduler, client_id), 0);
    simulation->is_client[index] = true;
    memset(simulation->batches[index], 0, sizeof simulation->batches[index]);
    for (uint32_t i = 0; i < WORKERS; i++)
        harness_add_results(&simulation->harness, i, simulation->epochs[i], client_id);
}

static void submit_batch(struct simulation *simulation, uint32_t index)
{
    const uint64_t batch_id = ++simulation->next_batch_id;
    struct batch *batch = batch_of(simulation, simulation->client_ids[index], batch_id);
    if (batch->is_submitted && !batch->is_ended) return;
    *batch = (struct batch){.is_submitted = true};
    simulation->submitted++;
    harness_submit(&simulation->harness, simulation->client_ids[index], batch_id, ends, DOCUMENTS);
}

static void report_one(struct simulation *simulation)
{
    if (simulation->running_count == 0) return;
    const size_t at = roll(simulation, (uint32_t)simulation->running_count);
    const struct btk_action action = simulation->running[at];
    simulation->running[at] = simulation->running[--simulation->running_count];
    harness_report(&simulation->harness, &action);
}

static void step(struct simulation *simulation)
{
    struct btk_scheduler *scheduler = simulation->harness.scheduler;
    const uint32_t index = roll(simulation, CLIENTS);
    const uint32_t client_id = simulation->client_ids[index];
    const uint64_t batch_id = simulation->next_batch_id - roll(simulation, 16);
    const uint32_t what = roll(simulation, 100);
    if (!simulation->is_client[index])
        add_client(simulation, index);
    else if (what < 35)
        submit_batch(simulation, index);
    else if (what < 40)
        btk_scheduler_cancel(scheduler, client_id, batch_id);
    else if (what < 60)
        btk_scheduler_release(scheduler, client_id, batch_id);
    else if (what < 62)
        kill_worker(simulation, roll(simulation, WORKERS));
    else if (what < 63) {
        btk_scheduler_remove_client(scheduler, client_id);
        simulation->is_client[index] = false;
    } else
        report_one(simulation);
    btk_scheduler_dispatch(scheduler, 20);
    take_actions(simulation);
}

static void finish(struct simulation *simulation)
{
    struct btk_scheduler_counts counts;
    for (int i = 0; i < 100000 && simulation->running_count > 0; i++) {
        report_one(simulation);
        btk_scheduler_dispatch(simulation->harness.scheduler, 20);
        take_actions(simulation);
    }
    btk_scheduler_counts(simulation->harness.scheduler, &counts);
    cr_assert_eq(counts.batches_in_flight, 0u);
    cr_assert_eq(counts.queue_depth, 0u);
    cr_assert_eq(counts.queue_bytes, 0u);
    cr_assert_eq(counts.shards_running, 0u);
    cr_assert_eq(simulation->unpinned, simulation->submitted);
}

Test(scheduler_simulation, every_batch_ends_once_whatever_dies)
{
    struct simulation *simulation = malloc(sizeof *simulation);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        *simulation = (struct simulation){.random = seed * 0x9e3779b97f4a7c15u};
        harness_open(&simulation->harness);
        for (uint32_t i = 0; i < CLIENTS; i++) simulation->client_ids[i] = i;
        for (uint32_t i = 0; i < WORKERS; i++) start_worker(simulation, i);
        for (int i = 0; i < STEPS; i++) step(simulation);
        finish(simulation);
        harness_close(&simulation->harness);
    }
    free(simulation);
}
