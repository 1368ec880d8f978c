// SPDX-License-Identifier: Apache-2.0
#include "bench/load_run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "bench/figures.h"
#include "common/clock.h"

enum { REPLIES_MAX = 256 };
static const uint64_t drain_ns = 10000000000u;

struct request {
    uint64_t due_ns;
    uint64_t bytes;
};

struct load_run {
    const struct btk_load_run_plan *plan;
    const struct btk_load_transport *transport;
    struct btk_text_source source;
    struct btk_load_random random;
    struct request *requests; // by tag
    uint32_t *free_tags;
    uint32_t free_count;
    uint64_t begin_ns, end_ns;
    uint64_t due_ns;            // open loop: of the next request
    struct btk_bytes waiting;   // the next document, when the transport did not take it
    bool is_full;               // and so a reply has to come first
    struct btk_histogram *rows; // BTK_LOAD_ROWS
    struct btk_load_result result;
};

int btk_load_poll(struct pollfd *descriptors, size_t count, uint64_t until_ns)
{
    const uint64_t now_ns = btk_clock_now_ns();
    const uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec timeout = {(time_t)(left_ns / 1000000000u),
                                     (long)(left_ns % 1000000000u)};
    return ppoll(descriptors, count, &timeout, NULL) < 0 && errno != EINTR ? -errno : 0;
}

static void check_sum(struct load_run *run, const struct btk_load_reply *reply)
{
    const uint64_t caller_ns = reply->end_ns - reply->begin_ns;
    const uint64_t parts_ns =
        reply->queue_wait_ns + reply->ipc_transfer_ns + reply->tokenization_ns + reply->return_ns;
    run->result.sums_checked++;
    run->result.sums_right += btk_figures_add_up(caller_ns, parts_ns);
    run->result.caller_ns += caller_ns;
    run->result.parts_ns += parts_ns;
}

static void record(struct load_run *run, const struct btk_load_reply *reply)
{
    const struct request *const request = &run->requests[reply->tag];
    run->free_tags[run->free_count++] = reply->tag;
    run->result.refused += reply->outcome == BTK_LOAD_REFUSED;
    run->result.failed += reply->outcome == BTK_LOAD_FAILED;
    if (reply->outcome != BTK_LOAD_DONE) return;
    const bool is_open = run->plan->rate > 0;
    const uint64_t from_ns = is_open ? request->due_ns : reply->begin_ns;
    run->result.done++;
    run->result.bytes += request->bytes;
    run->result.tokens += reply->tokens;
    btk_histogram_record(&run->rows[BTK_LOAD_LATENCY], reply->end_ns - from_ns);
    if (is_open) btk_histogram_record(&run->rows[BTK_LOAD_SEND_DELAY], reply->begin_ns - from_ns);
    if (!reply->has_parts) return;
    btk_histogram_record(&run->rows[BTK_LOAD_QUEUE_WAIT], reply->queue_wait_ns);
    btk_histogram_record(&run->rows[BTK_LOAD_IPC_TRANSFER], reply->ipc_transfer_ns);
    btk_histogram_record(&run->rows[BTK_LOAD_TOKENIZATION], reply->tokenization_ns);
    btk_histogram_record(&run->rows[BTK_LOAD_RETURN], reply->return_ns);
    check_sum(run, reply);
}

// The next document, unless the transport is full. 0: sent; -EAGAIN.
static int send_next(struct load_run *run, uint64_t due_ns, struct btk_error *error)
{
    if (run->is_full || !run->free_count) return -EAGAIN;
    if (!run->waiting.length)
        run->waiting = btk_load_document(&run->random, &run->plan->sizes, &run->source);
    const uint32_t tag = run->free_tags[run->free_count - 1];
    run->requests[tag] = (struct request){due_ns, run->waiting.length};
    const int status = run->transport->send(run->transport->self, run->waiting, tag, error);
    run->is_full = status == -EAGAIN;
    if (status < 0) return status;
    run->free_count--;
    run->waiting.length = 0;
    return 0;
}

// Sends all that is due. *out_wake_ns: when there is something to do even without a reply.
static int send_due(struct load_run *run, uint64_t *out_wake_ns, struct btk_error *error)
{
    int status = 0;
    *out_wake_ns = run->end_ns;
    if (run->plan->rate == 0) {
        while (!status && btk_clock_now_ns() < run->end_ns) status = send_next(run, 0, error);
        return status == -EAGAIN ? 0 : status;
    }
    while (!status && run->due_ns < run->end_ns && run->due_ns <= btk_clock_now_ns()) {
        status = send_next(run, run->due_ns, error);
        if (!status)
            run->due_ns += btk_load_gap_ns(&run->random, run->plan->rate, run->plan->is_poisson);
    }
    if (status && status != -EAGAIN) return status;
    if (!status && run->due_ns < run->end_ns) *out_wake_ns = run->due_ns;
    return 0;
}

static int take_replies(struct load_run *run, uint64_t until_ns, struct btk_error *error)
{
    struct btk_load_reply replies[REPLIES_MAX];
    const int count =
        run->transport->wait(run->transport->self, until_ns, replies, REPLIES_MAX, error);
    for (int i = 0; i < count; i++) record(run, &replies[i]);
    if (count > 0) run->is_full = false;
    return count < 0 ? count : 0;
}

static int run_until_end(struct load_run *run, struct btk_error *error)
{
    int status = 0;
    run->begin_ns = run->due_ns = btk_clock_now_ns();
    run->end_ns = run->begin_ns + (uint64_t)(run->plan->seconds * 1e9);
    while (!status && btk_clock_now_ns() < run->end_ns) {
        uint64_t wake_ns;
        status = send_due(run, &wake_ns, error);
        if (!status) status = take_replies(run, wake_ns, error);
    }
    const uint64_t give_up_ns = btk_clock_now_ns() + drain_ns;
    while (!status && run->free_count < run->plan->in_flight && btk_clock_now_ns() < give_up_ns)
        status = take_replies(run, give_up_ns, error);
    run->result.seconds = (double)(btk_clock_now_ns() - run->begin_ns) / 1e9;
    run->result.lost = run->plan->in_flight - run->free_count;
    while (run->plan->rate > 0 && run->due_ns < run->end_ns) {
        run->result.not_sent++;
        run->due_ns += btk_load_gap_ns(&run->random, run->plan->rate, run->plan->is_poisson);
    }
    return status;
}

int btk_load_run(const struct btk_load_run_plan *plan, const struct btk_load_transport *transport,
                 struct btk_load_result *out_result, struct btk_error *error)
{
    struct load_run run = {.plan = plan, .transport = transport, .random = {1}};
    int status = 0;
    run.requests = calloc(plan->in_flight, sizeof *run.requests);
    run.free_tags = calloc(plan->in_flight, sizeof *run.free_tags);
    run.rows = calloc(BTK_LOAD_ROWS, sizeof *run.rows);
    if (!run.requests || !run.free_tags || !run.rows) {
        status = btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    } else {
        btk_text_source_init(&run.source, plan->text);
        while (run.free_count < plan->in_flight) {
            run.free_tags[run.free_count] = run.free_count;
            run.free_count++;
        }
        status = run_until_end(&run, error);
    }
    if (!status) {
        for (unsigned i = 0; i < BTK_LOAD_ROWS; i++)
            btk_histogram_read(&run.rows[i], &run.result.rows[i]);
        *out_result = run.result;
    }
    free(run.rows);
    free(run.free_tags);
    free(run.requests);
    return status;
}
