// SPDX-License-Identifier: Apache-2.0
// Two threads and a ring with bells, as client and coordinator use it: every slot arrives whole,
// once and in order. A plain program, for sanitizers under which Criterion does not start; what
// ThreadSanitizer sees here are the edges R1-A1 and R2-A2 of ipc/ring.h.
//
//     ring_threads [SLOTS]
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/doorbell.h"
#include "ipc/ring.h"

enum {
    CAPACITY = 8,
    AT_ONCE = 3,
    WORDS = BTK_RING_SLOT_BYTES / sizeof(uint64_t),
    PATIENCE_MS = 10000
};

struct shared {
    uint64_t slots[CAPACITY][WORDS];
    struct btk_ring_index tail, head;
    int bell;
    uint64_t count;
};

static void *produce(void *context)
{
    struct shared *shared = context;
    struct btk_ring ring;
    btk_ring_init_producer(&ring, shared->slots, CAPACITY, &shared->tail, &shared->head);
    for (uint64_t number = 0; number < shared->count;) {
        uint64_t slot[WORDS];
        for (unsigned i = 0; i < WORDS; i++) slot[i] = number * WORDS + i;
        const int rc = btk_ring_try_push(&ring, slot);
        if (rc < 0) return (void *)"the producer found the head broken";
        number += (uint64_t)rc;
        if (rc == 1)
            btk_doorbell_ring(shared->bell);
        else
            sched_yield();
    }
    return NULL;
}

static bool is_slot(const uint64_t *slot, uint64_t number)
{
    for (unsigned i = 0; i < WORDS; i++)
        if (slot[i] != number * WORDS + i) return false;
    return true;
}

// NULL, or what is wrong.
static const char *consume(struct shared *shared)
{
    struct btk_ring ring;
    uint64_t slots[AT_ONCE][WORDS];
    btk_ring_init_consumer(&ring, shared->slots, CAPACITY, &shared->tail, &shared->head);
    for (uint64_t number = 0; number < shared->count;) {
        struct pollfd readable = {.fd = shared->bell, .events = POLLIN};
        if (poll(&readable, 1, PATIENCE_MS) != 1) return "the bell was not rung";
        btk_doorbell_clear(shared->bell);
        const int count = btk_ring_try_pop(&ring, slots, AT_ONCE);
        if (count < 0) return "the consumer found the tail broken";
        if (count == AT_ONCE) btk_doorbell_ring(shared->bell);
        for (int i = 0; i < count; i++)
            if (!is_slot(slots[i], number++)) return "a slot is torn, or not the next one";
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct shared shared;
    pthread_t producer;
    void *wrong = NULL;
    shared.count = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    if (btk_doorbell_create(&shared.bell) != 0
        || pthread_create(&producer, NULL, produce, &shared) != 0)
    {
        perror("ring_threads");
        return 1;
    }
    const char *missing = consume(&shared);
    // The producer would wait for room for ever.
    if (missing == NULL) pthread_join(producer, &wrong);
    if (missing == NULL) missing = wrong;
    printf("%s: %llu slots\n", missing == NULL ? "ok" : missing, (unsigned long long)shared.count);
    return missing != NULL;
}
