// SPDX-License-Identifier: Apache-2.0
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/session.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
    LEAVE_MS = 200, // for the last word to reach the coordinator, which then hangs up
    RETRY_MS = 50,
    RETRY_MAX_MS = 1000,
    BUSY_RETRIES = 100, // of a coordinator that does not accept right now, when we begin
};

struct worker {
    const struct btk_worker_options *options;
    struct btk_endpoint endpoint;
    struct btk_loop *loop;
    struct btk_worker_session *session;
    bool is_leaving; // a signal said so
};

static void on_signal(void *context, int signal_number)
{
    struct worker *worker = context;
    if (!worker->options->reconnect) return;
    btk_log(BTK_LOG_INFO, "worker", "leaving", "signal=%d", signal_number);
    worker->is_leaving = true;
}

static int make_loop(struct worker *worker)
{
    int rc = btk_loop_new(&worker->loop);
    if (rc == 0) rc = btk_loop_add_signal(worker->loop, SIGTERM, on_signal, worker);
    if (rc == 0) rc = btk_loop_add_signal(worker->loop, SIGINT, on_signal, worker);
    return rc;
}

// --- Serving

static bool has_left(const struct btk_worker_session *session)
{
    return session->drained_at_ns != 0
           && btk_clock_now_ns() - session->drained_at_ns >= LEAVE_MS * NS_PER_MS;
}

// How long to wait for something to do. That there is room for what waits to be sent is no event
// that could not be lost: receiving takes the same wake-ups. So that is tried again and again.
static int wait_ms(const struct btk_worker_session *session)
{
    if (btk_shard_queue_depth(&session->queue) > 0) return 0;
    if (!btk_outbox_is_empty(&session->outbox)) return 1;
    return session->drained_at_ns != 0 ? LEAVE_MS / 10 : -1;
}

// Until the coordinator is gone or we have left. -errno when waiting failed.
static int serve(struct worker *worker)
{
    struct btk_worker_session *session = worker->session;
    btk_log(BTK_LOG_INFO, "worker", "joined", "worker=%u epoch=%u cpu=%d",
            session->runner.worker_id, session->runner.epoch, session->cpu);
    while (!session->is_lost && !has_left(session)) {
        const int events = btk_loop_turn(worker->loop, wait_ms(session));
        if (events < 0) return events;
        if (worker->is_leaving) session->is_draining = true;
        btk_worker_session_turn(session);
    }
    return 0;
}

// --- Joining

static int join(struct worker *worker, struct btk_error *error)
{
    int rc = btk_worker_session_new(worker->loop, &worker->endpoint, worker->options->cpu,
                                    &worker->session);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "worker: %s", strerror(-rc));
    worker->session->runner.images.takes_profiles = worker->options->takes_profiles;
    rc = btk_worker_session_open(worker->session, error);
    if (rc != 0) btk_worker_session_free(&worker->session);
    return rc;
}

// Waits, without being deaf for signals.
static void pause_for(struct worker *worker, unsigned pause_ms)
{
    const uint64_t end_ns = btk_clock_now_ns() + pause_ms * NS_PER_MS;
    uint64_t now_ns = btk_clock_now_ns();
    while (now_ns < end_ns && !worker->is_leaving) {
        const int left_ms = (int)((end_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
        if (btk_loop_turn(worker->loop, left_ms) < 0) return;
        now_ns = btk_clock_now_ns();
    }
}

static int join_first(struct worker *worker, struct btk_error *error)
{
    int rc = join(worker, error);
    for (int i = 0; i < BUSY_RETRIES && rc == -EAGAIN && !worker->is_leaving; i++) {
        pause_for(worker, RETRY_MS);
        rc = join(worker, error);
    }
    return rc;
}

static void join_again(struct worker *worker)
{
    unsigned pause_ms = RETRY_MS;
    while (!worker->is_leaving) {
        struct btk_error error = {0};
        if (join(worker, &error) == 0) return;
        btk_log(BTK_LOG_DEBUG, "worker", "join_failed", "error=%s", error.message);
        pause_for(worker, pause_ms);
        pause_ms = pause_ms * 2 < RETRY_MAX_MS ? pause_ms * 2 : RETRY_MAX_MS;
    }
}

static int live(struct worker *worker, struct btk_error *error)
{
    int rc = join_first(worker, error);
    if (rc != 0) return rc;
    while (worker->session != NULL) {
        rc = serve(worker);
        // A cluster that drains may be on its way to come back.
        const bool is_over = worker->is_leaving || !worker->options->reconnect;
        btk_worker_session_free(&worker->session);
        if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "epoll: %s", strerror(-rc));
        if (is_over) return 0;
        btk_log(BTK_LOG_WARN, "worker", "coordinator_lost", "endpoint=%s", worker->endpoint.text);
        join_again(worker);
    }
    return 0;
}

int btk_worker_run(const struct btk_worker_options *options, struct btk_error *error)
{
    struct worker worker = {.options = options};
    int rc = btk_endpoint_parse(options->endpoint, &worker.endpoint, error);
    if (rc != 0) return rc;
    rc = btk_endpoint_check_folder(&worker.endpoint, 0, error);
    if (rc != 0) return rc;
    rc = make_loop(&worker);
    if (rc != 0)
        rc = btk_error_set(error, -rc, BTK_NO_OFFSET, "event loop: %s", strerror(-rc));
    else
        rc = live(&worker, error);
    btk_worker_session_free(&worker.session);
    btk_loop_free(&worker.loop);
    return rc;
}
