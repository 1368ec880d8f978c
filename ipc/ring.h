// SPDX-License-Identifier: Apache-2.0
// A single-producer single-consumer ring of 64-byte slots over two memories, each with one writer.
//
//     producer's memory   | tail | slots[0 .. capacity) |     written by the producer alone
//     consumer's memory   | head |                            written by the consumer alone
//
// Indices run freely (64 bits) and are masked on use; full is tail - head == capacity. Each side
// keeps its own index privately and reads only the peer's: a peer that writes nonsense is told
// apart by an index that is behind, or ahead by more than the capacity, and is never followed.
//
// Ownership: borrows both memories. Threads: one producer, one consumer.
// Memory order: R1 (push, release of tail) -> A1 (pop, acquire of tail): the slots' bytes.
//               R2 (pop, release of head) -> A2 (push, acquire of head): the slots are free.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

enum { BTK_RING_SLOT_BYTES = 64, BTK_RING_PADDING = 128 };

// An index alone on its lines: neighbouring lines are fetched in pairs.
struct btk_ring_index {
    alignas(BTK_RING_PADDING) _Atomic uint64_t value;
};

// One side's view. `own` and `peer` are indices: tail and head for the producer, the other way
// round for the consumer.
struct btk_ring {
    uint8_t *slots;
    _Atomic uint64_t *shared_own;
    const _Atomic uint64_t *shared_peer;
    uint64_t mask;
    uint64_t own;
    uint64_t peer; // as last seen
};

// `capacity_slots` is a power of two. Both indices begin where the shared ones stand.
void btk_ring_init_producer(struct btk_ring *ring, void *slots, uint64_t capacity_slots,
                            struct btk_ring_index *tail, const struct btk_ring_index *head);
void btk_ring_init_consumer(struct btk_ring *ring, const void *slots, uint64_t capacity_slots,
                            const struct btk_ring_index *tail, struct btk_ring_index *head);

// 1: pushed; 0: full; -EPROTO: the consumer's index is nonsense.
BTK_MUST_USE int btk_ring_try_push(struct btk_ring *ring, const void *slot);

// Copies up to `capacity` slots out. Their count, 0 when empty, or -EPROTO.
BTK_MUST_USE int btk_ring_try_pop(struct btk_ring *ring, void *out_slots, unsigned capacity);

// How many slots the producer could push now, or -EPROTO.
BTK_MUST_USE int64_t btk_ring_free_slots(struct btk_ring *ring);
