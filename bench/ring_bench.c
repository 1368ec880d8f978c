// SPDX-License-Identifier: Apache-2.0
// The ring of the data plane: what a slot costs to push and pop, in one thread and from one thread to
// another. Each slot that comes out is compared with what went in.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/settings.h"
#include "common/affinity.h"
#include "common/clock.h"
#include "ipc/ring.h"

enum { CAPACITY = 1024, SLOTS = 1 << 20, BATCH = 64, RUNS = 5, TRIES_A_YIELD = 256 };

struct slot {
    uint64_t words[BTK_RING_SLOT_BYTES / sizeof(uint64_t)];
};

struct pair {
    struct btk_ring_index tail, head;
    struct btk_ring producer, consumer;
    struct slot *slots;
    uint64_t popped;
    bool is_wrong;
    int cpus[2]; // -1: wherever
    pthread_barrier_t start;
};

static void init_pair(struct pair *pair)
{
    memset(&pair->tail, 0, sizeof pair->tail);
    memset(&pair->head, 0, sizeof pair->head);
    btk_ring_init_producer(&pair->producer, pair->slots, CAPACITY, &pair->tail, &pair->head);
    btk_ring_init_consumer(&pair->consumer, pair->slots, CAPACITY, &pair->tail, &pair->head);
    pair->popped = 0;
    pair->is_wrong = false;
}

static bool try_push(struct pair *pair, uint64_t number)
{
    struct slot slot;
    for (unsigned i = 0; i < BTK_ARRAY_COUNT(slot.words); i++) slot.words[i] = number + i;
    return btk_ring_try_push(&pair->producer, &slot) == 1;
}

static unsigned pop(struct pair *pair)
{
    struct slot slots[BATCH];
    const int count = btk_ring_try_pop(&pair->consumer, slots, BATCH);
    if (count < 0) pair->is_wrong = true;
    for (int i = 0; i < count; i++, pair->popped++)
        pair->is_wrong |= slots[i].words[0] != pair->popped
                          || slots[i].words[BTK_ARRAY_COUNT(slots[i].words) - 1]
                                 != pair->popped + BTK_ARRAY_COUNT(slots[i].words) - 1;
    return count > 0 ? (unsigned)count : 0;
}

static void run_alone(struct pair *pair)
{
    for (uint64_t number = 0; number < SLOTS && !pair->is_wrong;) {
        for (unsigned i = 0; i < BATCH; i++) pair->is_wrong |= !try_push(pair, number++);
        (void)pop(pair);
    }
}

// Where both share a processor, who waits has to let the other go on.
static void wait_a_little(unsigned *tries)
{
    if (++*tries % TRIES_A_YIELD == 0) sched_yield();
}

static void *produce(void *context)
{
    struct pair *const pair = context;
    unsigned tries = 0;
    if (pair->cpus[1] >= 0 && btk_affinity_pin(pair->cpus[1]) < 0) pair->cpus[1] = -1;
    pthread_barrier_wait(&pair->start);
    for (uint64_t number = 0; number < SLOTS; number++)
        while (!try_push(pair, number)) wait_a_little(&tries);
    return NULL;
}

static void *consume(void *context)
{
    struct pair *const pair = context;
    unsigned tries = 0;
    if (pair->cpus[0] >= 0 && btk_affinity_pin(pair->cpus[0]) < 0) pair->cpus[0] = -1;
    pthread_barrier_wait(&pair->start);
    while (pair->popped < SLOTS && !pair->is_wrong)
        if (!pop(pair)) wait_a_little(&tries);
    return NULL;
}

static int run_apart(struct pair *pair)
{
    pthread_t threads[2];
    if (pthread_barrier_init(&pair->start, NULL, 2) != 0) return -ENOMEM;
    if (pthread_create(&threads[0], NULL, consume, pair) != 0) return -EAGAIN;
    // The other one waits at the barrier for good: there is no way back.
    if (pthread_create(&threads[1], NULL, produce, pair) != 0) abort();
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    pthread_barrier_destroy(&pair->start);
    return 0;
}

static int bench_pair(struct btk_bench_settings *settings, struct pair *pair, bool is_alone,
                      struct btk_error *error)
{
    double runs[BTK_BENCH_REPEAT_MAX];
    const size_t count = settings->repeat ? settings->repeat : RUNS;
    for (size_t i = 0; i < count; i++) {
        init_pair(pair);
        const uint64_t begin = btk_clock_now_ns();
        if (is_alone)
            run_alone(pair);
        else if (run_apart(pair) < 0)
            return btk_error_set(error, EAGAIN, BTK_NO_OFFSET, "cannot start two threads");
        runs[i] = (double)(btk_clock_now_ns() - begin) / 1e9;
        if (pair->is_wrong || pair->popped != SLOTS)
            return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                                 "ring: slot %llu is not what was pushed",
                                 (unsigned long long)pair->popped);
    }
    const struct btk_figure figure = {
        .bench = "ring",
        .mode = is_alone             ? "one_thread"
                : pair->cpus[0] >= 0 ? "two_threads"
                                     : "two_threads_one_processor",
        .threads = is_alone ? 1 : 2,
        .unit = BTK_FIGURE_SLOTS,
        .count = SLOTS,
        .runs = runs,
        .run_count = count,
        .verified = "content",
    };
    return btk_report_add(&settings->report, &figure) < 0
               ? btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory")
               : 0;
}

int btk_bench_ring(struct btk_bench_settings *settings, struct btk_error *error)
{
    static struct pair pair;
    struct btk_cpu_list cpus;
    pair.cpus[0] = pair.cpus[1] = -1;
    if (btk_affinity_available(&cpus) == 0 && cpus.count > 1) {
        pair.cpus[0] = cpus.cpus[0];
        pair.cpus[1] = cpus.cpus[1];
    }
    pair.slots = aligned_alloc(BTK_RING_PADDING, CAPACITY * sizeof *pair.slots);
    if (!pair.slots) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    memset(pair.slots, 0, CAPACITY * sizeof *pair.slots);
    int status = bench_pair(settings, &pair, true, error);
    if (!status) status = bench_pair(settings, &pair, false, error);
    free(pair.slots);
    return status;
}
