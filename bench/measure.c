// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hash.h"
#include "tools/open_tokenizer.h"

static const struct btk_encode_options encode_options = {.add_special_tokens = false,
                                                         .offsets_unit = BTK_OFFSETS_CHAR};

// What one thread does, and what came of it.
struct lane {
    const struct btk_measure_plan *plan;
    pthread_barrier_t *start;
    struct btk_scratch *scratch;
    const struct btk_bytes *calls;
    size_t call_count;
    struct btk_encoding columns;
    size_t token_count;
    uint64_t begin_ns, end_ns;
    uint64_t cpu_ns;
    int status;
    struct btk_error_info error;
};

static void lane_clear(struct lane *lane)
{
    btk_scratch_free(&lane->scratch);
    free(lane->columns.ids);
    free(lane->columns.offsets);
}

static size_t bound_of(const struct lane *lane, const struct btk_bytes *pieces, size_t count)
{
    size_t bound = 0;
    for (size_t i = 0; i < count; i++)
        bound += btk_encode_bound(lane->plan->tokenizer, pieces[i].length, &encode_options);
    return bound;
}

static int lane_prepare(struct lane *lane)
{
    const struct btk_cut_list *const warm_up = lane->plan->warm_up;
    const size_t bound = btk_max_size(bound_of(lane, lane->calls, lane->call_count),
                                      bound_of(lane, warm_up->pieces, warm_up->count))
                         + 1;
    lane->columns.capacity = bound;
    lane->columns.ids = malloc(bound * sizeof(uint32_t));
    if (lane->plan->wants_offsets) lane->columns.offsets = malloc(2 * bound * sizeof(uint32_t));
    if (!lane->columns.ids || (lane->plan->wants_offsets && !lane->columns.offsets)) {
        lane->error = (struct btk_error_info){.code = ENOMEM, .message = "not enough memory"};
        return -ENOMEM;
    }
    // Page faults belong to nobody's tokenizer.
    memset(lane->columns.ids, 0xff, bound * sizeof(uint32_t));
    if (lane->columns.offsets) memset(lane->columns.offsets, 0xff, 2 * bound * sizeof(uint32_t));
    return btk_scratch_new(lane->plan->tokenizer, &lane->scratch, &lane->error);
}

// One call a piece; results stand one after the other in the columns of the lane.
static int encode_all(struct lane *lane, const struct btk_bytes *pieces, size_t count)
{
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        struct btk_encoding encoding = {
            .capacity = lane->columns.capacity - done,
            .ids = lane->columns.ids + done,
            .offsets = lane->columns.offsets ? lane->columns.offsets + 2 * done : NULL,
        };
        const int status =
            btk_encode(lane->plan->tokenizer, lane->scratch, (const char *)pieces[i].data,
                       pieces[i].length, &encode_options, &encoding, &lane->error);
        if (status < 0) return status;
        done += encoding.count;
    }
    lane->token_count = done;
    return 0;
}

// Files are mapped, and a new process has not got their pages yet.
static unsigned touch(const struct btk_bytes *pieces, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at < pieces[i].length; at += 64)
            sum += *(const volatile uint8_t *)(pieces[i].data + at);
    return sum;
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *lane_run(void *context)
{
    struct lane *const lane = context;
    const struct btk_measure_plan *const plan = lane->plan;
    lane->status = lane_prepare(lane);
    if (!lane->status) {
        (void)touch(lane->calls, lane->call_count);
        lane->status = encode_all(lane, plan->warm_up->pieces, plan->warm_up->count);
    }
    if (!lane->status && plan->has_first_pass)
        lane->status = encode_all(lane, lane->calls, lane->call_count);
    if (lane->start) pthread_barrier_wait(lane->start);
    const uint64_t begin_cpu_ns = thread_cpu_ns();
    lane->begin_ns = btk_clock_now_ns();
    if (!lane->status) lane->status = encode_all(lane, lane->calls, lane->call_count);
    lane->end_ns = btk_clock_now_ns();
    lane->cpu_ns = thread_cpu_ns() - begin_cpu_ns;
    return NULL;
}

// Each lane takes calls until it has its share of what is left.
static void deal(const struct btk_measure_plan *plan, struct lane *lanes)
{
    size_t next = 0;
    size_t bytes_left = plan->calls->bytes;
    for (unsigned i = 0; i < plan->threads; i++) {
        struct lane *const lane = &lanes[i];
        const size_t share = bytes_left / (plan->threads - i);
        const bool is_last = i + 1 == plan->threads;
        size_t taken = 0;
        lane->plan = plan;
        lane->calls = plan->calls->pieces + next;
        while (next < plan->calls->count && (is_last || taken < share)) {
            taken += plan->calls->pieces[next++].length;
            lane->call_count++;
        }
        bytes_left -= taken;
    }
}

static int run_threads(struct lane *lanes, unsigned count)
{
    pthread_t threads[BTK_MEASURE_THREADS_MAX];
    pthread_barrier_t start;
    if (pthread_barrier_init(&start, NULL, count) != 0) return -ENOMEM;
    for (unsigned i = 0; i < count; i++) {
        lanes[i].start = &start;
        // The others wait at the barrier for good: there is no way back.
        if (pthread_create(&threads[i], NULL, lane_run, &lanes[i]) != 0) {
            fprintf(stderr, "budtiktok-bench: cannot start %u threads\n", count);
            exit(EXIT_FAILURE);
        }
    }
    for (unsigned i = 0; i < count; i++) pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    return 0;
}

static uint64_t digest(const struct lane *lanes, unsigned count, bool of_offsets)
{
    struct btk_hash_stream *const stream = btk_hash_stream_new(0);
    if (!stream) return 0;
    for (unsigned i = 0; i < count; i++) {
        const struct lane *const lane = &lanes[i];
        if (of_offsets)
            btk_hash_stream_update(stream, lane->columns.offsets,
                                   2 * lane->token_count * sizeof(uint32_t));
        else
            btk_hash_stream_update(stream, lane->columns.ids, lane->token_count * sizeof(uint32_t));
    }
    const uint64_t result = btk_hash_stream_digest(stream);
    btk_hash_stream_free(stream);
    return result;
}

static void sum_up(const struct btk_measure_plan *plan, const struct lane *lanes,
                   struct btk_measure_result *result)
{
    uint64_t begin_ns = UINT64_MAX;
    uint64_t end_ns = 0;
    *result = (struct btk_measure_result){0};
    for (unsigned i = 0; i < plan->threads; i++) {
        if (lanes[i].begin_ns < begin_ns) begin_ns = lanes[i].begin_ns;
        if (lanes[i].end_ns > end_ns) end_ns = lanes[i].end_ns;
        result->tokens += lanes[i].token_count;
        result->cpu_seconds += (double)lanes[i].cpu_ns / 1e9;
    }
    result->seconds = (double)(end_ns - begin_ns) / 1e9;
    result->ids_xxh64 = digest(lanes, plan->threads, false);
    if (plan->wants_offsets) result->offsets_xxh64 = digest(lanes, plan->threads, true);
    snprintf(result->simd, sizeof result->simd, "%s", btk_scratch_simd(lanes[0].scratch));
}

int btk_measure(const struct btk_measure_plan *plan, struct btk_measure_result *out_result,
                struct btk_error *error)
{
    struct lane *const lanes = calloc(plan->threads, sizeof *lanes);
    if (!lanes) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    int status = 0;
    deal(plan, lanes);
    if (plan->threads == 1)
        (void)lane_run(&lanes[0]);
    else if (run_threads(lanes, plan->threads) < 0)
        status = btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    for (unsigned i = 0; i < plan->threads && !status; i++)
        if (lanes[i].status < 0) status = btk_error_import(error, &lanes[i].error);
    if (!status) sum_up(plan, lanes, out_result);
    for (unsigned i = 0; i < plan->threads; i++) lane_clear(&lanes[i]);
    free(lanes);
    return status;
}

// What the child writes into the pipe, whole or not at all: it is smaller than PIPE_BUF.
struct report {
    int status;
    struct btk_error error;
    struct btk_measure_result result;
};

static void run_child(const struct btk_measure_plan *plan, int fd)
{
    struct report report = {0};
    report.status = btk_measure(plan, &report.result, &report.error);
    _exit(write(fd, &report, sizeof report) == (ssize_t)sizeof report ? EXIT_SUCCESS
                                                                      : EXIT_FAILURE);
}

int btk_measure_apart(const struct btk_measure_plan *plan, struct btk_measure_result *out_result,
                      struct btk_error *error)
{
    int ends[2];
    if (pipe(ends) < 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "pipe: %s", strerror(errno));
    const pid_t child = fork();
    if (child == 0) run_child(plan, ends[1]);
    close(ends[1]);
    struct report report;
    const ssize_t bytes = child < 0 ? 0 : read(ends[0], &report, sizeof report);
    close(ends[0]);
    if (child > 0) waitpid(child, NULL, 0);
    if (bytes != (ssize_t)sizeof report)
        return btk_error_set(error, ECHILD, BTK_NO_OFFSET, "the process that measured died");
    if (report.status < 0) {
        if (error) *error = report.error;
        return report.status;
    }
    *out_result = report.result;
    return 0;
}
