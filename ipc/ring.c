// SPDX-License-Identifier: Apache-2.0
#include "ipc/ring.h"

#include <errno.h>
#include <string.h>

void btk_ring_init_producer(struct btk_ring *ring, void *slots, uint64_t capacity_slots,
                            struct btk_ring_index *tail, const struct btk_ring_index *head)
{
    *ring = (struct btk_ring){
        .slots = slots,
        .shared_own = &tail->value,
        .shared_peer = &head->value,
        .mask = capacity_slots - 1,
    };
}

void btk_ring_init_consumer(struct btk_ring *ring, const void *slots, uint64_t capacity_slots,
                            const struct btk_ring_index *tail, struct btk_ring_index *head)
{
    *ring = (struct btk_ring){
        .slots = (uint8_t *)(uintptr_t)slots, // only read from on this side
        .shared_own = &head->value,
        .shared_peer = &tail->value,
        .mask = capacity_slots - 1,
    };
}

int64_t btk_ring_free_slots(struct btk_ring *ring)
{
    // A2: pairs with R2 in pop; the consumer has copied what was in the slots before it.
    const uint64_t head = atomic_load_explicit(ring->shared_peer, memory_order_acquire);
    const uint64_t used = ring->own - head;
    if (head < ring->peer || used > ring->mask + 1) return -EPROTO;
    ring->peer = head;
    return (int64_t)(ring->mask + 1 - used);
}

int btk_ring_try_push(struct btk_ring *ring, const void *slot)
{
    if (ring->own - ring->peer > ring->mask) {
        const int64_t room = btk_ring_free_slots(ring);
        if (room <= 0) return (int)room;
    }
    memcpy(ring->slots + (ring->own & ring->mask) * BTK_RING_SLOT_BYTES, slot, BTK_RING_SLOT_BYTES);
    ring->own++;
    // R1: pairs with A1 in pop; publishes the slot's bytes.
    atomic_store_explicit(ring->shared_own, ring->own, memory_order_release);
    return 1;
}

int btk_ring_try_pop(struct btk_ring *ring, void *out_slots, unsigned capacity)
{
    // A1: pairs with R1 in push; the slots before it are written.
    const uint64_t tail = atomic_load_explicit(ring->shared_peer, memory_order_acquire);
    const uint64_t waiting = tail - ring->own;
    if (waiting > ring->mask + 1) return -EPROTO;
    const unsigned count = (unsigned)btk_min_size(waiting, capacity);
    uint8_t *out = out_slots;
    for (unsigned i = 0; i < count; i++) {
        const uint64_t at = (ring->own + i) & ring->mask;
        memcpy(out + (size_t)i * BTK_RING_SLOT_BYTES, ring->slots + at * BTK_RING_SLOT_BYTES,
               BTK_RING_SLOT_BYTES);
    }
    if (count == 0) return 0;
    ring->own += count;
    // R2: pairs with A2 in free_slots; the slots may be written again.
    atomic_store_explicit(ring->shared_own, ring->own, memory_order_release);
    return (int)count;
}
