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

#include "bench/measure_stage.h"
#include "common/clock.h"

const struct btk_encode_options btk_measure_options = {.add_special_tokens = false,
                                                       .offsets_unit = BTK_OFFSETS_CHAR};

// What one thread does, and what came of it.
struct lane {
    struct btk_measure_share share;
    const struct btk_measure_stage *stage;
    pthread_barrier_t *start;
    void *state;
    uint64_t begin_ns, end_ns;
    uint64_t cpu_ns;
    int status;
    struct btk_error error;
};

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
}

size_t btk_measure_bound(const struct btk_tokenizer *tokenizer, const struct btk_bytes *pieces,
                         size_t count)
{
    size_t bound = 0;
    for (size_t i = 0; i < count; i++)
        bound += btk_encode_bound(tokenizer, pieces[i].length, &btk_measure_options);
    return bound;
}

bool btk_measure_has_stage(const struct btk_measure_stage *stage,
                           const struct btk_tokenizer *tokenizer)
{
    return !stage->is_there || stage->is_there(tokenizer);
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
    lane->status = lane->stage->open(&lane->share, &lane->state, &lane->error);
    if (!lane->status) {
        (void)touch(lane->share.calls, lane->share.call_count);
        lane->status = lane->stage->run(lane->state, true, &lane->error);
    }
    if (!lane->status && lane->share.plan->has_first_pass)
        lane->status = lane->stage->run(lane->state, false, &lane->error);
    if (lane->start) pthread_barrier_wait(lane->start);
    const uint64_t begin_cpu_ns = thread_cpu_ns();
    lane->begin_ns = btk_clock_now_ns();
    if (!lane->status) lane->status = lane->stage->run(lane->state, false, &lane->error);
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
        lane->stage = plan->stage ? plan->stage : &btk_measure_encode;
        lane->share = (struct btk_measure_share){.plan = plan, .calls = plan->calls->pieces + next};
        while (next < plan->calls->count && (is_last || taken < share)) {
            taken += plan->calls->pieces[next++].length;
            lane->share.call_count++;
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

static void sum_up_times(const struct lane *lanes, unsigned count,
                         struct btk_measure_result *result)
{
    uint64_t begin_ns = UINT64_MAX;
    uint64_t end_ns = 0;
    for (unsigned i = 0; i < count; i++) {
        if (lanes[i].begin_ns < begin_ns) begin_ns = lanes[i].begin_ns;
        if (lanes[i].end_ns > end_ns) end_ns = lanes[i].end_ns;
        result->cpu_seconds += (double)lanes[i].cpu_ns / 1e9;
    }
    result->seconds = (double)(end_ns - begin_ns) / 1e9;
}

static int sum_up(const struct btk_measure_plan *plan, const struct lane *lanes,
                  struct btk_measure_result *out_result, struct btk_error *error)
{
    struct btk_measure_result result = {.is_round_trip = true};
    struct btk_measure_sums sums = {.ids = btk_hash_stream_new(0),
                                    .offsets = btk_hash_stream_new(0),
                                    .text = btk_hash_stream_new(0),
                                    .result = &result};
    int status = sums.ids && sums.offsets && sums.text ? 0 : no_memory(error);
    sum_up_times(lanes, plan->threads, &result);
    for (unsigned i = 0; i < plan->threads && !status; i++)
        status = lanes[i].stage->sum_up(lanes[i].state, &sums, error);
    if (!status) {
        result.ids_xxh64 = btk_hash_stream_digest(sums.ids);
        result.text_xxh64 = btk_hash_stream_digest(sums.text);
        if (plan->fields & BTK_MEASURE_OFFSETS)
            result.offsets_xxh64 = btk_hash_stream_digest(sums.offsets);
        *out_result = result;
    }
    btk_hash_stream_free(sums.ids);
    btk_hash_stream_free(sums.offsets);
    btk_hash_stream_free(sums.text);
    return status;
}

int btk_measure(const struct btk_measure_plan *plan, struct btk_measure_result *out_result,
                struct btk_error *error)
{
    if (plan->simd && setenv("BUDTIKTOK_SIMD", plan->simd, 1) < 0) return no_memory(error);
    struct lane *const lanes = calloc(plan->threads, sizeof *lanes);
    if (!lanes) return no_memory(error);
    int status = 0;
    deal(plan, lanes);
    if (plan->threads == 1)
        (void)lane_run(&lanes[0]);
    else if (run_threads(lanes, plan->threads) < 0)
        status = no_memory(error);
    for (unsigned i = 0; i < plan->threads && !status; i++) {
        status = lanes[i].status;
        if (status && error) *error = lanes[i].error;
    }
    if (!status) status = sum_up(plan, lanes, out_result, error);
    for (unsigned i = 0; i < plan->threads; i++) lanes[i].stage->close(lanes[i].state);
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
