// SPDX-License-Identifier: Apache-2.0
// Assignments that wait for their turn, in the order in which they came. Far more fit than a
// coordinator gives credit for.
//
// Ownership: holds copies. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/batch.h"

enum { BTK_SHARD_QUEUE_SLOTS = 1024 }; // a power of two

struct btk_shard_queue {
    uint32_t head; // runs freely, masked on use
    uint32_t tail;
    struct btk_assignment slots[BTK_SHARD_QUEUE_SLOTS];
};

static inline uint32_t btk_shard_queue_depth(const struct btk_shard_queue *queue)
{
    return queue->tail - queue->head;
}

// The one that comes next. The queue is not empty.
static inline const struct btk_assignment *btk_shard_queue_peek(const struct btk_shard_queue *queue)
{
    return &queue->slots[queue->head % BTK_SHARD_QUEUE_SLOTS];
}

static inline bool btk_shard_queue_try_push(struct btk_shard_queue *queue,
                                            const struct btk_assignment *assignment)
{
    if (btk_shard_queue_depth(queue) == BTK_SHARD_QUEUE_SLOTS) return false;
    queue->slots[queue->tail++ % BTK_SHARD_QUEUE_SLOTS] = *assignment;
    return true;
}

static inline bool btk_shard_queue_try_pop(struct btk_shard_queue *queue,
                                           struct btk_assignment *out_assignment)
{
    if (queue->head == queue->tail) return false;
    *out_assignment = queue->slots[queue->head++ % BTK_SHARD_QUEUE_SLOTS];
    return true;
}
