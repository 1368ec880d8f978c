// SPDX-License-Identifier: Apache-2.0
// The loops against a transport that answers when it is told to.
#include "bench/load_run.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/clock.h"

enum { IN_FLIGHT = 8 };

// Answers requests in their order, each `service_ns` after it could begin.
struct double_transport {
    uint64_t service_ns;
    uint64_t free_at_ns;
    struct {
        uint32_t tag;
        uint64_t begin_ns, ready_ns;
    } queue[IN_FLIGHT];
    unsigned length, longest;
    uint64_t sent;
};

static int send_document(void *self, struct btk_bytes document, uint32_t tag,
                         struct btk_error *error)
{
    struct double_transport *const transport = self;
    (void)document, (void)error;
    if (transport->length == IN_FLIGHT) return -EAGAIN;
    const uint64_t now_ns = btk_clock_now_ns();
    const uint64_t from_ns = transport->free_at_ns > now_ns ? transport->free_at_ns : now_ns;
    transport->free_at_ns = from_ns + transport->service_ns;
    transport->queue[transport->length].tag = tag;
    transport->queue[transport->length].begin_ns = now_ns;
    transport->queue[transport->length].ready_ns = transport->free_at_ns;
    transport->length++;
    transport->sent++;
    if (transport->length > transport->longest) transport->longest = transport->length;
    return 0;
}

static int wait_for_replies(void *self, uint64_t until_ns, struct btk_load_reply *out_replies,
                            size_t capacity, struct btk_error *error)
{
    struct double_transport *const transport = self;
    (void)capacity, (void)error;
    uint64_t wake_ns = until_ns;
    if (transport->length && transport->queue[0].ready_ns < wake_ns)
        wake_ns = transport->queue[0].ready_ns;
    struct pollfd none = {.fd = -1};
    cr_assert_eq(btk_load_poll(&none, 1, wake_ns), 0);
    if (!transport->length || transport->queue[0].ready_ns > btk_clock_now_ns()) return 0;
    out_replies[0] = (struct btk_load_reply){.tag = transport->queue[0].tag,
                                             .begin_ns = transport->queue[0].begin_ns,
                                             .end_ns = btk_clock_now_ns(),
                                             .tokens = 3};
    transport->length--;
    memmove(transport->queue, transport->queue + 1, transport->length * sizeof *transport->queue);
    return 1;
}

static struct btk_load_result *run(struct double_transport *transport, double rate)
{
    static struct btk_load_result result;
    const struct btk_load_run_plan plan = {
        .text = {(const uint8_t *)"some text", 9},
        .sizes = {.kind = BTK_LOAD_SIZE_FIXED, .median_bytes = 4},
        .in_flight = 4,
        .rate = rate,
        .seconds = 0.3,
    };
    const struct btk_load_transport table = {transport, false, send_document, wait_for_replies,
                                             NULL};
    cr_assert_eq(btk_load_run(&plan, &table, &result, NULL), 0);
    return &result;
}

Test(load_run, a_closed_loop_keeps_its_number_of_requests_in_flight)
{
    struct double_transport transport = {.service_ns = 2000000};
    const struct btk_load_result *const result = run(&transport, 0);
    cr_assert_eq(transport.longest, 4);
    cr_assert_eq(result->done, transport.sent);
    cr_assert_eq(result->tokens, 3 * result->done);
    cr_assert_eq(result->lost, 0);
    cr_assert_eq(result->rows[BTK_LOAD_LATENCY].count, result->done);
}

Test(load_run, a_slow_server_does_not_make_the_requests_of_an_open_loop_fewer)
{
    // 1000 requests/s for a server that does 100: what is late counts from when it was due.
    struct double_transport transport = {.service_ns = 10000000};
    const struct btk_load_result *const result = run(&transport, 1000);
    cr_assert_eq(result->done, transport.sent);
    cr_assert_eq(result->done + result->not_sent, 300);
    cr_assert_gt(btk_histogram_percentile(&result->rows[BTK_LOAD_LATENCY], 0.99), 150000000);
    cr_assert_gt(result->rows[BTK_LOAD_SEND_DELAY].max_ns, 100000000);
}
