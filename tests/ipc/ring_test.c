// SPDX-License-Identifier: Apache-2.0
#include "ipc/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { CAPACITY = 8 };

struct pair {
    uint8_t slots[CAPACITY * BTK_RING_SLOT_BYTES];
    struct btk_ring_index head, tail;
    struct btk_ring producer, consumer;
};

static void make_pair(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    btk_ring_init_producer(&pair->producer, pair->slots, CAPACITY, &pair->tail, &pair->head);
    btk_ring_init_consumer(&pair->consumer, pair->slots, CAPACITY, &pair->tail, &pair->head);
}

static int push(struct pair *pair, uint64_t number)
{
    uint64_t slot[8];
    for (unsigned i = 0; i < 8; i++) slot[i] = number * 8 + i;
    return btk_ring_try_push(&pair->producer, slot);
}

// The slot holds what push() wrote for that number.
static bool holds(const uint64_t *slot, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++)
        if (slot[i] != number * 8 + i) return false;
    return true;
}

Test(ring, is_full_after_as_many_slots_as_it_has_and_empty_after_as_many_pops)
{
    static struct pair pair;
    uint64_t slots[CAPACITY + 1][8];
    make_pair(&pair);
    for (uint64_t round = 0; round < 100; round++) {
        cr_assert_eq(btk_ring_try_pop(&pair.consumer, slots, 1), 0);
        for (uint64_t i = 0; i < CAPACITY; i++) {
            cr_assert_eq(btk_ring_free_slots(&pair.producer), (int64_t)(CAPACITY - i));
            cr_assert_eq(push(&pair, round * CAPACITY + i), 1);
        }
        cr_assert_eq(push(&pair, 0), 0);
        cr_assert_eq(btk_ring_try_pop(&pair.consumer, slots, 3), 3);
        cr_assert_eq(btk_ring_try_pop(&pair.consumer, slots + 3, CAPACITY), CAPACITY - 3);
        for (uint64_t i = 0; i < CAPACITY; i++) cr_assert(holds(slots[i], round * CAPACITY + i));
    }
}

Test(ring, a_pop_of_no_room_takes_nothing)
{
    static struct pair pair;
    uint64_t slot[8];
    make_pair(&pair);
    cr_assert_eq(push(&pair, 5), 1);
    cr_expect_eq(btk_ring_try_pop(&pair.consumer, slot, 0), 0);
    cr_expect_eq(btk_ring_try_pop(&pair.consumer, slot, 1), 1);
    cr_expect(holds(slot, 5));
}

Test(ring, a_producer_whose_index_is_nonsense_is_not_followed)
{
    static const uint64_t nonsense[] = {2 + CAPACITY + 1, 1, 0, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        static struct pair pair;
        uint64_t slots[CAPACITY][8];
        make_pair(&pair);
        cr_assert_eq(push(&pair, 1), 1);
        cr_assert_eq(push(&pair, 2), 1);
        cr_assert_eq(btk_ring_try_pop(&pair.consumer, slots, CAPACITY), 2);
        pair.tail.value = nonsense[i];
        cr_expect_eq(btk_ring_try_pop(&pair.consumer, slots, CAPACITY), -EPROTO, "%zu", i);
    }
}

Test(ring, a_consumer_whose_index_is_nonsense_is_not_followed)
{
    static const uint64_t nonsense[] = {CAPACITY + 1, UINT64_MAX, UINT64_MAX / 2};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        static struct pair pair;
        make_pair(&pair);
        for (uint64_t number = 0; number < CAPACITY; number++) cr_assert_eq(push(&pair, number), 1);
        pair.head.value = nonsense[i];
        cr_expect_eq(push(&pair, 9), -EPROTO, "%zu", i);
        cr_expect_eq(btk_ring_free_slots(&pair.producer), -EPROTO);
    }
}

Test(ring, a_consumer_whose_index_goes_back_is_not_followed)
{
    static struct pair pair;
    uint64_t slots[CAPACITY][8];
    make_pair(&pair);
    for (uint64_t number = 0; number < CAPACITY; number++) cr_assert_eq(push(&pair, number), 1);
    cr_assert_eq(btk_ring_try_pop(&pair.consumer, slots, 4), 4);
    cr_assert_eq(btk_ring_free_slots(&pair.producer), 4);
    pair.head.value = 3;
    cr_expect_eq(btk_ring_free_slots(&pair.producer), -EPROTO);
}

enum { PASSED = 200000 };

static void *push_all(void *context)
{
    struct pair *const pair = context;
    for (uint64_t number = 0; number < PASSED;) {
        if (push(pair, number) == 1)
            number++;
        else
            sched_yield();
    }
    return NULL;
}

Test(ring, two_threads_pass_every_slot_whole_and_in_order)
{
    static struct pair pair;
    pthread_t thread;
    make_pair(&pair);
    cr_assert_eq(pthread_create(&thread, NULL, push_all, &pair), 0);
    for (uint64_t number = 0; number < PASSED;) {
        uint64_t slots[5][8];
        const int count = btk_ring_try_pop(&pair.consumer, slots, 5);
        cr_assert_geq(count, 0);
        if (count == 0) sched_yield();
        for (int i = 0; i < count; i++) cr_assert(holds(slots[i], number++));
    }
    pthread_join(thread, NULL);
}
