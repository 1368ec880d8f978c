// SPDX-License-Identifier: Apache-2.0
// How fast this machine's memory is, by size: where the caches end, and what one access costs.
//
//     read    all words of a room, one after the other: bandwidth
//     copy    its first half into its second: bandwidth, both ways counted
//     chase   from line to line in a random order, each address out of the line before: latency
//
// Portable C in pages as malloc gives them, so that what is measured is what the engine meets: misses
// of the TLB are part of it, and vectors of 64 bytes would read faster out of the first cache.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/memory_footprint.h"
#include "bench/settings.h"
#include "common/affinity.h"
#include "common/clock.h"

enum {
    LINE_BYTES = 64,
    SUMS = 8,
    WORK_BYTES = 16 << 20, // a run goes over a small room until it has moved so much
    ACCESSES = 1 << 17,
    ACCESSES_MAX = 1 << 18, // of one run, in a room of more lines than that
    RUNS = 3,
    THREADS_MAX = 64,
};

static const size_t sizes[] = {32 << 10, 256 << 10, 512 << 10, 1 << 20,  2 << 20,  4 << 20,
                               8 << 20,  16 << 20,  32 << 20,  64 << 20, 256 << 20};

struct lane;
typedef void walk_fn(struct lane *lane);

struct lane {
    uint8_t *room;
    size_t bytes;
    uint32_t *order; // of lines; chase alone
    size_t passes;
    size_t accesses;
    walk_fn *walk;
    int cpu; // -1: wherever
    pthread_barrier_t *start;
    uint64_t sum, expected_sum;
    bool is_right;
    uint64_t begin_ns, end_ns;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// --- What is measured. The empty assembly keeps the compiler from doing several passes at once.

static void walk_read(struct lane *lane)
{
    const uint64_t *const words = (const uint64_t *)(const void *)lane->room;
    const size_t count = lane->bytes / sizeof *words;
    // Several sums, so that no addition waits for the one before.
    uint64_t sums[SUMS] = {0};
    for (size_t pass = 0; pass < lane->passes; pass++) {
        for (size_t i = 0; i < count; i += SUMS)
            for (size_t k = 0; k < SUMS; k++) sums[k] += words[i + k];
        __asm__ volatile("" : : : "memory");
    }
    lane->sum = 0;
    for (size_t k = 0; k < SUMS; k++) lane->sum += sums[k];
}

static void walk_copy(struct lane *lane)
{
    const size_t half = lane->bytes / 2;
    for (size_t pass = 0; pass < lane->passes; pass++) {
        memcpy(lane->room + half, lane->room, half);
        __asm__ volatile("" : : : "memory");
    }
}

static void walk_chase(struct lane *lane)
{
    uint64_t at = lane->order[0];
    for (size_t i = 0; i < lane->accesses; i++) {
        uint32_t next;
        memcpy(&next, lane->room + at * LINE_BYTES, sizeof next);
        at = next;
    }
    lane->sum = at;
}

// --- Rooms

static void fill(struct lane *lane)
{
    uint64_t *const words = (uint64_t *)(void *)lane->room;
    uint64_t state = 88172645463325252u;
    lane->expected_sum = 0;
    for (size_t i = 0; i < lane->bytes / sizeof *words; i++) {
        words[i] = next_random(&state);
        lane->expected_sum += words[i];
    }
}

// One cycle through all lines.
static int link_lines(struct lane *lane)
{
    const size_t count = lane->bytes / LINE_BYTES;
    uint64_t state = 2463534242u;
    lane->order = malloc(count * sizeof *lane->order);
    if (!lane->order) return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const size_t other = next_random(&state) % (i + 1);
        lane->order[i] = lane->order[other];
        lane->order[other] = (uint32_t)i;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(lane->room + (size_t)lane->order[i] * LINE_BYTES, &lane->order[(i + 1) % count],
               sizeof(uint32_t));
    return 0;
}

static bool check(const struct lane *lane)
{
    if (lane->walk == walk_read) return lane->sum == lane->expected_sum * lane->passes;
    if (lane->walk == walk_copy)
        return memcmp(lane->room, lane->room + lane->bytes / 2, lane->bytes / 2) == 0;
    return lane->sum == lane->order[lane->accesses % (lane->bytes / LINE_BYTES)];
}

static void *run_lane(void *context)
{
    struct lane *const lane = context;
    // Where pinning is not allowed, the kernel puts them apart itself.
    if (lane->cpu >= 0 && btk_affinity_pin(lane->cpu) < 0) lane->cpu = -1;
    if (lane->start) pthread_barrier_wait(lane->start);
    lane->begin_ns = btk_clock_now_ns();
    lane->walk(lane);
    lane->end_ns = btk_clock_now_ns();
    lane->is_right = check(lane);
    return NULL;
}

// Seconds from the first one's begin to the last one's end; 0: they could not be started.
static double run_lanes(struct lane *lanes, unsigned count)
{
    pthread_t threads[THREADS_MAX];
    pthread_barrier_t start;
    if (count == 1) {
        (void)run_lane(&lanes[0]);
        return (double)(lanes[0].end_ns - lanes[0].begin_ns) / 1e9;
    }
    if (pthread_barrier_init(&start, NULL, count) != 0) return 0;
    for (unsigned i = 0; i < count; i++) {
        lanes[i].start = &start;
        // The others wait at the barrier for good: there is no way back.
        if (pthread_create(&threads[i], NULL, run_lane, &lanes[i]) != 0) abort();
    }
    for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    uint64_t begin_ns = UINT64_MAX;
    uint64_t end_ns = 0;
    for (unsigned i = 0; i < count; i++) {
        if (lanes[i].begin_ns < begin_ns) begin_ns = lanes[i].begin_ns;
        if (lanes[i].end_ns > end_ns) end_ns = lanes[i].end_ns;
    }
    return (double)(end_ns - begin_ns) / 1e9;
}

// --- Figures

static const struct {
    const char *name;
    walk_fn *walk;
    const char *verified;
} walks[] = {
    {"read", walk_read, "sum"}, {"copy", walk_copy, "content"}, {"chase", walk_chase, "order"}};

static int bench_walk(struct btk_bench_settings *settings, struct lane *lanes, unsigned threads,
                      unsigned walk, struct btk_error *error)
{
    double runs[BTK_BENCH_REPEAT_MAX];
    const size_t count = settings->repeat ? settings->repeat : RUNS;
    const bool is_chase = walks[walk].walk == walk_chase;
    for (unsigned i = 0; i < threads; i++) lanes[i].walk = walks[walk].walk;
    for (size_t run = 0; run < count; run++) {
        const double seconds = run_lanes(lanes, threads);
        for (unsigned i = 0; i < threads; i++)
            if (!lanes[i].is_right || seconds <= 0)
                return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                                     "memory: %s of %zu bytes: not what was written there",
                                     walks[walk].name, lanes[i].bytes);
        runs[run] = is_chase ? seconds : seconds / (double)lanes[0].passes / threads;
    }
    const struct btk_figure figure = {
        .bench = "memory",
        .mode = walks[walk].name,
        .threads = threads,
        .unit = is_chase ? BTK_FIGURE_ACCESS : BTK_FIGURE_BYTES,
        .bytes = lanes[0].bytes,
        .count = is_chase ? lanes[0].accesses : 0,
        .runs = runs,
        .run_count = count,
        .verified = walks[walk].verified,
    };
    btk_memory_footprint_note(&figure);
    return btk_report_add(&settings->report, &figure) < 0
               ? btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory")
               : 0;
}

static int prepare(struct lane *lane, size_t bytes, bool is_chase)
{
    *lane = (struct lane){
        .bytes = bytes,
        .passes = btk_max_size(1, WORK_BYTES / bytes),
        .accesses = btk_min_size(btk_max_size(ACCESSES, bytes / LINE_BYTES), ACCESSES_MAX),
        .cpu = -1};
    lane->room = malloc(bytes);
    if (!lane->room) return -ENOMEM;
    fill(lane);
    return is_chase ? link_lines(lane) : 0;
}

static int bench_size(struct btk_bench_settings *settings, unsigned walk, size_t bytes,
                      const struct btk_cpu_list *cpus, unsigned threads, struct btk_error *error)
{
    struct lane lanes[THREADS_MAX] = {0};
    int status = 0;
    for (unsigned i = 0; i < threads && !status; i++) {
        status = prepare(&lanes[i], bytes, walks[walk].walk == walk_chase);
        if (threads > 1 && cpus->count >= threads) lanes[i].cpu = cpus->cpus[i];
    }
    if (status < 0)
        btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory for %u rooms of %zu bytes",
                      threads, bytes);
    else
        status = bench_walk(settings, lanes, threads, walk, error);
    for (unsigned i = 0; i < threads; i++) {
        free(lanes[i].room);
        free(lanes[i].order);
    }
    return status;
}

static int bench_threads(struct btk_bench_settings *settings, const struct btk_cpu_list *cpus,
                         unsigned threads, struct btk_error *error)
{
    for (unsigned walk = 0; walk < BTK_ARRAY_COUNT(walks); walk++)
        for (size_t i = 0; i < BTK_ARRAY_COUNT(sizes); i++) {
            const int status = bench_size(settings, walk, sizes[i], cpus, threads, error);
            if (status < 0) return status;
        }
    return 0;
}

int btk_bench_memory(struct btk_bench_settings *settings, struct btk_error *error)
{
    struct btk_cpu_list cpus = {0};
    if (btk_affinity_available(&cpus) < 0) cpus.count = 0;
    const unsigned most = (unsigned)btk_min_size(
        settings->threads > 1 ? settings->threads : btk_min_size(cpus.count, 2), THREADS_MAX);
    int status = bench_threads(settings, &cpus, 1, error);
    if (!status && most > 1) status = bench_threads(settings, &cpus, most, error);
    if (cpus.count < 2 && most < 2)
        fprintf(stderr, "budtiktok-bench: memory: one processor is ours, so one thread alone\n");
    else if (cpus.count < most)
        fprintf(stderr,
                "budtiktok-bench: memory: %u threads share %zu processors, and say little\n", most,
                cpus.count);
    return status ? status : btk_memory_footprint(settings, error);
}
