// SPDX-License-Identifier: Apache-2.0
#include "coordinator/otlp_exporter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/otlp_encode.h"
#include "coordinator/otlp_http.h"
#include "ipc/doorbell.h"
#include "ipc/ring.h"

enum {
    QUEUE_SLOTS = 16384 * BTK_OTLP_RECORD_SLOTS,
    REQUEST_SPANS = 512,
    LOOK_MS = 500, // how long a record waits at most when all is well
    ATTEMPTS = 5,
    BACK_OFF_MS = 1000,
    BACK_OFF_MAX_MS = 30000,
    FLUSH_MS = 2000,
    RECORDS_AT_ONCE = 16,
    NS_PER_MS = 1000000,
};

struct queue {
    struct btk_ring_index tail, head;
    uint8_t slots[QUEUE_SLOTS][BTK_RING_SLOT_BYTES];
};

struct btk_otlp_exporter {
    const struct btk_otlp_config *config;
    struct queue *queue;
    pthread_t thread;
    bool has_thread;
    int bell; // rung to end
    // The loop's.
    struct btk_ring producer;
    uint64_t full_count; // spans that were dropped for want of room
    struct btk_otlp_counts seen;
    // The thread's.
    struct btk_ring consumer;
    struct btk_otlp_record records[RECORDS_AT_ONCE];
    unsigned slot_count; // in `records`: of one of them maybe half
    struct btk_otlp_encoder encoder;
    struct btk_otlp_http *http;
    struct btk_otlp_random random;
    uint64_t clock_offset_ns;
    // Both threads'.
    pthread_mutex_t mutex;
    struct btk_otlp_counts counts;
    uint64_t end_ns; // when to give up; 0: not ending
};

// --- The loop's

void btk_otlp_exporter_push(struct btk_otlp_exporter *exporter,
                            const struct btk_otlp_record *record)
{
    const uint8_t *slots = (const uint8_t *)record;
    if (btk_ring_free_slots(&exporter->producer) < BTK_OTLP_RECORD_SLOTS) {
        exporter->full_count += btk_otlp_spans_count(record);
        return;
    }
    // There is room for them all.
    for (int i = 0; i < BTK_OTLP_RECORD_SLOTS; i++)
        if (btk_ring_try_push(&exporter->producer, slots + i * BTK_RING_SLOT_BYTES) != 1) return;
}

void btk_otlp_exporter_drop(struct btk_otlp_exporter *exporter, uint64_t count)
{
    exporter->full_count += count;
}

struct btk_otlp_counts btk_otlp_exporter_counts(struct btk_otlp_exporter *exporter)
{
    // The loop does not wait: the thread's counts are those of then when it counts just now.
    if (pthread_mutex_trylock(&exporter->mutex) == 0) {
        exporter->seen = exporter->counts;
        pthread_mutex_unlock(&exporter->mutex);
    }
    return (struct btk_otlp_counts){exporter->seen.exported,
                                    exporter->seen.dropped + exporter->full_count};
}

// --- The thread's: ending

static uint64_t end_of(struct btk_otlp_exporter *exporter)
{
    pthread_mutex_lock(&exporter->mutex);
    const uint64_t end_ns = exporter->end_ns;
    pthread_mutex_unlock(&exporter->mutex);
    return end_ns;
}

static bool is_over(void *context)
{
    const uint64_t end_ns = end_of(context);
    return end_ns != 0 && btk_clock_now_ns() >= end_ns;
}

static void count(struct btk_otlp_exporter *exporter, uint64_t exported, uint64_t dropped)
{
    pthread_mutex_lock(&exporter->mutex);
    exporter->counts.exported += exported;
    exporter->counts.dropped += dropped;
    pthread_mutex_unlock(&exporter->mutex);
}

// Ends early when the exporter ends.
static void wait_ms(struct btk_otlp_exporter *exporter, uint32_t ms)
{
    struct pollfd fd = {.fd = exporter->bell, .events = POLLIN};
    if (poll(&fd, 1, (int)ms) < 0) errno = 0;
}

// --- The thread's: requests

// The next records; what is half there stays for the next time. False: the queue is empty.
static bool take_records(struct btk_otlp_exporter *exporter, unsigned *out_count)
{
    uint8_t *slots = (uint8_t *)exporter->records;
    const unsigned room = RECORDS_AT_ONCE * BTK_OTLP_RECORD_SLOTS - exporter->slot_count;
    const int got = btk_ring_try_pop(
        &exporter->consumer, slots + (size_t)exporter->slot_count * BTK_RING_SLOT_BYTES, room);
    if (got <= 0) return false;
    exporter->slot_count += (unsigned)got;
    *out_count = exporter->slot_count / BTK_OTLP_RECORD_SLOTS;
    return true;
}

static void drop_taken(struct btk_otlp_exporter *exporter, unsigned record_count)
{
    exporter->slot_count %= BTK_OTLP_RECORD_SLOTS;
    if (exporter->slot_count > 0)
        memcpy(exporter->records, exporter->records + record_count, BTK_RING_SLOT_BYTES);
}

static void add_spans(struct btk_otlp_exporter *exporter, const struct btk_otlp_record *record)
{
    struct btk_otlp_span spans[BTK_OTLP_SPANS_PER_RECORD];
    const size_t span_count =
        btk_otlp_spans_make(record, exporter->clock_offset_ns, &exporter->random, spans);
    for (size_t i = 0; i < span_count; i++) btk_otlp_encoder_add(&exporter->encoder, spans + i);
}

// Returns how many spans the request has.
static size_t make_request(struct btk_otlp_exporter *exporter)
{
    unsigned record_count = 0;
    struct btk_otlp_encoder *encoder = &exporter->encoder;
    btk_otlp_encoder_begin(encoder);
    while (encoder->span_count < REQUEST_SPANS && take_records(exporter, &record_count)) {
        for (unsigned i = 0; i < record_count; i++) add_spans(exporter, exporter->records + i);
        drop_taken(exporter, record_count);
    }
    return encoder->span_count;
}

static int post(struct btk_otlp_exporter *exporter, uint32_t *out_retry_ms, struct btk_error *error)
{
    const struct btk_bytes body = {exporter->encoder.body.data, exporter->encoder.body.length};
    return btk_otlp_http_post(exporter->http, body, exporter->config->timeout_ms, out_retry_ms,
                              error);
}

// When the exporter ends, there is one attempt.
static int send_request(struct btk_otlp_exporter *exporter)
{
    uint32_t back_off_ms = BACK_OFF_MS;
    struct btk_error error = {0};
    for (int attempt = 1;; attempt++) {
        uint32_t retry_ms = 0;
        const int rc = post(exporter, &retry_ms, &error);
        if (rc == 0) return 0;
        btk_log(BTK_LOG_WARN, "otlp", "export_failed", "attempt=%d of=%d spans=%zu error=%s",
                attempt, ATTEMPTS, exporter->encoder.span_count, error.message);
        if (rc != -EAGAIN || attempt == ATTEMPTS || end_of(exporter) != 0) return rc;
        wait_ms(exporter, (uint32_t)btk_max_size(retry_ms, back_off_ms));
        back_off_ms = (uint32_t)btk_min_size(back_off_ms * 2, BACK_OFF_MAX_MS);
    }
}

static void export_all(struct btk_otlp_exporter *exporter)
{
    size_t span_count;
    while (!is_over(exporter) && (span_count = make_request(exporter)) > 0) {
        int rc = btk_otlp_encoder_end(&exporter->encoder);
        if (rc == 0) rc = send_request(exporter);
        count(exporter, rc == 0 ? span_count : 0, rc == 0 ? 0 : span_count);
    }
}

// What there was no time for.
static void drop_rest(struct btk_otlp_exporter *exporter)
{
    unsigned record_count = 0;
    uint64_t span_count = 0;
    while (take_records(exporter, &record_count)) {
        for (unsigned i = 0; i < record_count; i++)
            span_count += btk_otlp_spans_count(exporter->records + i);
        drop_taken(exporter, record_count);
    }
    if (span_count == 0) return;
    count(exporter, 0, span_count);
    btk_log(BTK_LOG_WARN, "otlp", "not_exported", "spans=%llu why=%s",
            (unsigned long long)span_count, "there is no time left");
}

static void *run(void *context)
{
    struct btk_otlp_exporter *exporter = context;
    while (end_of(exporter) == 0) {
        wait_ms(exporter, LOOK_MS);
        export_all(exporter);
    }
    export_all(exporter);
    drop_rest(exporter);
    return NULL;
}

// --- Life

static uint64_t measure_clock_offset(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - btk_clock_now_ns();
}

static int open_queue(struct btk_otlp_exporter *exporter)
{
    exporter->queue = aligned_alloc(BTK_RING_PADDING, sizeof *exporter->queue);
    if (exporter->queue == NULL) return -ENOMEM;
    // Touched here, so that it costs nothing later.
    memset(exporter->queue, 0, sizeof *exporter->queue);
    struct queue *queue = exporter->queue;
    btk_ring_init_producer(&exporter->producer, queue->slots, QUEUE_SLOTS, &queue->tail,
                           &queue->head);
    btk_ring_init_consumer(&exporter->consumer, queue->slots, QUEUE_SLOTS, &queue->tail,
                           &queue->head);
    return 0;
}

static int open_parts(struct btk_otlp_exporter *exporter, struct btk_error *error)
{
    int rc = btk_otlp_random_init(&exporter->random);
    if (rc == 0) rc = open_queue(exporter);
    if (rc == 0) rc = btk_doorbell_create(&exporter->bell);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "%s", strerror(-rc));
    rc = btk_otlp_http_open(exporter->config, is_over, exporter, &exporter->http, error);
    if (rc != 0) return rc;
    rc = pthread_create(&exporter->thread, NULL, run, exporter);
    exporter->has_thread = rc == 0;
    return rc == 0 ? 0 : btk_error_set(error, rc, BTK_NO_OFFSET, "thread: %s", strerror(rc));
}

int btk_otlp_exporter_open(const struct btk_otlp_config *config,
                           struct btk_otlp_exporter **out_exporter, struct btk_error *error)
{
    struct btk_otlp_exporter *exporter = calloc(1, sizeof *exporter);
    if (exporter == NULL) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "out of memory");
    exporter->config = config;
    exporter->bell = -1;
    exporter->clock_offset_ns = measure_clock_offset();
    btk_otlp_encoder_init(&exporter->encoder, config);
    pthread_mutex_init(&exporter->mutex, NULL);
    const int rc = open_parts(exporter, error);
    if (rc != 0)
        btk_otlp_exporter_close(&exporter);
    else
        *out_exporter = exporter;
    return rc;
}

static void end_thread(struct btk_otlp_exporter *exporter)
{
    pthread_mutex_lock(&exporter->mutex);
    exporter->end_ns = btk_clock_now_ns() + (uint64_t)FLUSH_MS * NS_PER_MS;
    pthread_mutex_unlock(&exporter->mutex);
    btk_doorbell_ring(exporter->bell);
    pthread_join(exporter->thread, NULL);
}

void btk_otlp_exporter_close(struct btk_otlp_exporter **exporter_at)
{
    struct btk_otlp_exporter *exporter = *exporter_at;
    if (exporter == NULL) return;
    if (exporter->has_thread) end_thread(exporter);
    btk_otlp_http_close(&exporter->http);
    btk_otlp_encoder_clear(&exporter->encoder);
    if (exporter->bell >= 0) close(exporter->bell);
    pthread_mutex_destroy(&exporter->mutex);
    free(exporter->queue);
    free(exporter);
    *exporter_at = NULL;
}
