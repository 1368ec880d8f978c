// SPDX-License-Identifier: Apache-2.0
// What one worker incarnation says about itself in shared memory. Written by the worker alone, read
// by the coordinator's timer, also after the worker's death: the memfd is sealed, and the
// coordinator maps it read-only.
//
// Memory order: relaxed everywhere. Each value stands for itself; nothing is published through it.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/histogram.h"
#include "ipc/page_profile.h"
#include "ipc/ring.h"

#define BTK_WORKER_PAGE_MAGIC UINT64_C(0x3150524b574b5442)

enum btk_worker_state {
    BTK_WORKER_STARTING = 0,
    BTK_WORKER_IDLE = 1,
    BTK_WORKER_BUSY = 2,
    BTK_WORKER_DRAINING = 3,
};

struct btk_worker_page {
    uint64_t magic;
    uint32_t version; // BTK_PAGE_VERSION
    uint32_t pid;
    // Renews the lease: moves with every turn of the loop and every 64 KiB of text.
    alignas(BTK_RING_PADDING) _Atomic uint64_t progress;
    _Atomic uint64_t started_shard_id; // in work now; 0: none. A crash is blamed on it
    _Atomic uint32_t state;            // enum btk_worker_state
    _Atomic uint32_t queue_depth;      // assigned and not reported
    _Atomic uint64_t shards;
    _Atomic uint64_t documents;
    _Atomic uint64_t document_errors;
    _Atomic uint64_t bytes;
    _Atomic uint64_t tokens;
    _Atomic uint64_t cache_hits;
    _Atomic uint64_t cache_misses;
    _Atomic uint64_t busy_ns;           // in encode
    _Atomic uint64_t duty_cycle_max_ns; // longest turn of the loop
    alignas(BTK_RING_PADDING) struct btk_histogram queue_wait;
    struct btk_histogram ipc_transfer;
    struct btk_histogram tokenization;
    struct btk_page_profiles profiles; // empty unless the worker takes them
};

// The writer's way to count: one writer, so no read-modify-write is needed.
static inline void btk_worker_page_add(_Atomic uint64_t *counter, uint64_t more)
{
    const uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + more, memory_order_relaxed);
}

static inline void btk_worker_page_set(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

static inline uint64_t btk_worker_page_get(const _Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

static inline void btk_worker_page_set_state(struct btk_worker_page *page, uint32_t state)
{
    atomic_store_explicit(&page->state, state, memory_order_relaxed);
}

static inline void btk_worker_page_set_depth(struct btk_worker_page *page, uint32_t depth)
{
    atomic_store_explicit(&page->queue_depth, depth, memory_order_relaxed);
}
