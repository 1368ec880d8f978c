// SPDX-License-Identifier: Apache-2.0
// Pools, queues and the table of batches. What is given back is used again, so that a steady load
// allocates nothing.
#include <stdlib.h>

#include "common/hash.h"
#include "coordinator/scheduler_internal.h"

struct btk_sched_shard *btk_sched_take_shard(struct btk_scheduler *scheduler)
{
    struct btk_sched_shard *shard = scheduler->free_shards;
    if (shard == NULL) return calloc(1, sizeof *shard);
    scheduler->free_shards = shard->next;
    *shard = (struct btk_sched_shard){0};
    return shard;
}

struct btk_sched_batch *btk_sched_take_batch(struct btk_scheduler *scheduler)
{
    struct btk_sched_batch *batch = scheduler->free_batches;
    if (batch == NULL) return calloc(1, sizeof *batch);
    scheduler->free_batches = batch->next;
    *batch = (struct btk_sched_batch){0};
    return batch;
}

void btk_sched_give_shard(struct btk_scheduler *scheduler, struct btk_sched_shard *shard)
{
    shard->next = scheduler->free_shards;
    scheduler->free_shards = shard;
}

void btk_sched_give_batch(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    batch->next = scheduler->free_batches;
    scheduler->free_batches = batch;
}

void btk_sched_free_pools(struct btk_scheduler *scheduler)
{
    while (scheduler->free_shards != NULL) {
        struct btk_sched_shard *shard = scheduler->free_shards;
        scheduler->free_shards = shard->next;
        free(shard);
    }
    while (scheduler->free_batches != NULL) {
        struct btk_sched_batch *batch = scheduler->free_batches;
        scheduler->free_batches = batch->next;
        free(batch);
    }
}

// --- Queues

void btk_sched_queue_push_front(struct btk_sched_queue *queue, struct btk_sched_shard *shard)
{
    shard->next = queue->first;
    queue->first = shard;
    if (queue->last == NULL) queue->last = shard;
}

void btk_sched_queue_push_back(struct btk_sched_queue *queue, struct btk_sched_shard *shard)
{
    shard->next = NULL;
    if (queue->last != NULL)
        queue->last->next = shard;
    else
        queue->first = shard;
    queue->last = shard;
}

struct btk_sched_shard *btk_sched_queue_pop(struct btk_sched_queue *queue)
{
    struct btk_sched_shard *shard = queue->first;
    if (shard == NULL) return NULL;
    queue->first = shard->next;
    if (queue->first == NULL) queue->last = NULL;
    shard->next = NULL;
    return shard;
}

bool btk_sched_queue_remove(struct btk_sched_queue *queue, struct btk_sched_shard *shard)
{
    struct btk_sched_shard *before = NULL;
    struct btk_sched_shard *at = queue->first;
    while (at != NULL && at != shard) {
        before = at;
        at = at->next;
    }
    if (at == NULL) return false;
    if (before == NULL)
        queue->first = shard->next;
    else
        before->next = shard->next;
    if (queue->last == shard) queue->last = before;
    shard->next = NULL;
    return true;
}

// --- The table

struct btk_sched_client *btk_sched_find_client(const struct btk_scheduler *scheduler,
                                               uint32_t client_id)
{
    struct btk_sched_client *client = scheduler->clients[client_id % BTK_SCHEDULER_CLIENT_SLOTS];
    return client != NULL && client->id == client_id ? client : NULL;
}

static size_t table_slot(uint32_t client_id, uint64_t batch_id)
{
    const uint64_t key[2] = {client_id, batch_id};
    return btk_hash_xxh3(key, sizeof key, 0) % BTK_SCHEDULER_HASH_SLOTS;
}

struct btk_sched_batch *btk_sched_find_batch(const struct btk_scheduler *scheduler,
                                             uint32_t client_id, uint64_t batch_id)
{
    struct btk_sched_batch *batch = scheduler->table[table_slot(client_id, batch_id)];
    while (batch != NULL
           && (batch->client->id != client_id || batch->submission.batch_id != batch_id))
        batch = batch->hash_next;
    return batch;
}

void btk_sched_table_add(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    struct btk_sched_batch **slot =
        scheduler->table + table_slot(batch->client->id, batch->submission.batch_id);
    batch->hash_next = *slot;
    *slot = batch;
}

void btk_sched_table_remove(struct btk_scheduler *scheduler, struct btk_sched_batch *batch)
{
    struct btk_sched_batch **link =
        scheduler->table + table_slot(batch->client->id, batch->submission.batch_id);
    while (*link != batch) link = &(*link)->hash_next;
    *link = batch->hash_next;
}
