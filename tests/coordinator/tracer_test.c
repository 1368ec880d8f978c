// SPDX-License-Identifier: Apache-2.0
// The tracer with its thread, without a cluster: every span is exported or counted as dropped. A plain
// program, for the sanitizers.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "coordinator/tracer.h"

enum { BATCHES = 5000, AT_ONCE = 100, SPANS_OF_BATCH = 3 + 2 };

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (condition) break;                                                                      \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                            \
        exit(1);                                                                                   \
    } while (0)

// --- A collector that takes everything

static int listen_on(char *out_endpoint, size_t capacity)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    snprintf(out_endpoint, capacity, "http://127.0.0.1:%u", ntohs(address.sin_port));
    return fd;
}

// Reads one request and answers. False: the connection ended.
static bool serve_request(int fd, char *head, size_t capacity)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    size_t length = 0;
    memset(head, 0, capacity);
    while (strstr(head, "\r\n\r\n") == NULL) {
        if (length + 1 == capacity || read(fd, head + length, 1) != 1) return false;
        length++;
    }
    const char *name = strcasestr(head, "content-length:");
    CHECK(name != NULL);
    for (long left = strtol(name + 15, NULL, 10); left > 0;) {
        char body[4096];
        const ssize_t got = read(fd, body, btk_min_size(sizeof body, (size_t)left));
        if (got <= 0) return false;
        left -= got;
    }
    return write(fd, answer, sizeof answer - 1) == (ssize_t)sizeof answer - 1;
}

static void *collect(void *context)
{
    const int fd = accept(*(int *)context, NULL, NULL);
    char head[4096];
    while (fd >= 0 && serve_request(fd, head, sizeof head)) continue;
    close(fd);
    return NULL;
}

// --- Batches

static void run_batch(struct btk_tracer *tracer, uint32_t trace, uint64_t now_ns)
{
    struct btk_action action = {
        .kind = BTK_ACTION_TRACE_SHARD,
        .trace = trace,
        .traced = {.submitted_ns = now_ns, .report = {.started_ns = now_ns, .finished_ns = now_ns}},
    };
    btk_tracer_add_shard(tracer, &action, 1, 0);
    btk_tracer_note_returned(tracer, trace, now_ns, now_ns);
    btk_tracer_end(tracer, trace, BTK_STATUS_OK);
    // Its number is free: nobody is told of it any more.
    btk_tracer_end(tracer, trace, BTK_STATUS_OK);
}

static void run_batches(struct btk_tracer *tracer)
{
    const struct btk_trace_parent none = {.is_there = 0};
    const struct btk_submission submission = {.batch_id = 1, .submitted_ns = 1};
    uint32_t traces[AT_ONCE];
    for (int i = 0; i < BATCHES; i += AT_ONCE) {
        const uint64_t now_ns = btk_clock_now_ns();
        for (int k = 0; k < AT_ONCE; k++) {
            traces[k] = btk_tracer_begin(tracer, &none, &submission, "n\xc3\xa4me", now_ns);
            CHECK(traces[k] != 0);
        }
        for (int k = 0; k < AT_ONCE; k++) run_batch(tracer, traces[k], now_ns);
        const struct btk_otlp_counts counts = btk_tracer_counts(tracer);
        CHECK(counts.exported + counts.dropped <= (uint64_t)BATCHES * SPANS_OF_BATCH);
    }
}

static struct btk_otlp_counts wait_for_all(struct btk_tracer *tracer)
{
    const uint64_t end_ns = btk_clock_now_ns() + UINT64_C(60000000000);
    struct btk_otlp_counts counts = {0};
    while (counts.exported + counts.dropped < (uint64_t)BATCHES * SPANS_OF_BATCH) {
        CHECK(btk_clock_now_ns() < end_ns);
        usleep(10000);
        counts = btk_tracer_counts(tracer);
    }
    return counts;
}

static void a_collector_that_takes_everything_gets_everything(void)
{
    struct btk_tracer *tracer = NULL;
    char endpoint[64];
    pthread_t thread;
    int fd = listen_on(endpoint, sizeof endpoint);
    CHECK(listen(fd, 8) == 0 && pthread_create(&thread, NULL, collect, &fd) == 0);
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
    btk_tracer_open(&tracer);
    CHECK(tracer != NULL);
    run_batches(tracer);
    const struct btk_otlp_counts counts = wait_for_all(tracer);
    CHECK(counts.exported == (uint64_t)BATCHES * SPANS_OF_BATCH && counts.dropped == 0);
    btk_tracer_close(&tracer);
    CHECK(pthread_join(thread, NULL) == 0);
    close(fd);
}

static void nobody_who_listens_costs_the_spans_and_the_end_is_not_late(void)
{
    struct btk_tracer *tracer = NULL;
    char endpoint[64];
    const int fd = listen_on(endpoint, sizeof endpoint); // bound, not listening
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, 1);
    btk_tracer_open(&tracer);
    CHECK(tracer != NULL);
    run_batches(tracer);
    const uint64_t begin_ns = btk_clock_now_ns();
    btk_tracer_close(&tracer);
    CHECK(tracer == NULL && btk_clock_now_ns() - begin_ns < UINT64_C(20000000000));
    btk_tracer_close(&tracer);
    close(fd);
}

static void without_an_endpoint_there_is_none(void)
{
    struct btk_tracer *tracer = NULL;
    unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
    btk_tracer_open(&tracer);
    CHECK(tracer == NULL);
    btk_tracer_end(NULL, 1, BTK_STATUS_OK);
    CHECK(btk_tracer_counts(NULL).exported == 0);
}

int main(void)
{
    a_collector_that_takes_everything_gets_everything();
    nobody_who_listens_costs_the_spans_and_the_end_is_not_late();
    without_an_endpoint_there_is_none();
    return 0;
}
