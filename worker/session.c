// SPDX-License-Identifier: Apache-2.0
#include "worker/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/affinity.h"
#include "common/clock.h"
#include "common/log.h"
#include "ipc/client_page.h"

enum {
    PATIENCE_MS = 5000,
    QUICK_SHARD_BYTES = 256 * 1024,
};

// How long the report of a shard may wait: its batch may be done with it, or goes on here anyway.
static const uint64_t last_report_delay_ns = 1000000;
static const uint64_t middle_report_delay_ns = 3000000;

int btk_worker_session_new(struct btk_loop *loop, const struct btk_endpoint *endpoint, int cpu,
                           struct btk_worker_session **out_session)
{
    struct btk_worker_session *session = calloc(1, sizeof *session);
    if (session == NULL) return -ENOMEM;
    session->loop = loop;
    session->endpoint = *endpoint;
    session->cpu = cpu;
    session->channel_fd = -1;
    session->page_memory = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    *out_session = session;
    return 0;
}

void btk_worker_session_free(struct btk_worker_session **session_at)
{
    if (session_at == NULL || *session_at == NULL) return;
    struct btk_worker_session *session = *session_at;
    btk_loop_remove_fd(session->loop, session->channel_fd);
    if (session->socket != NULL) btk_loop_remove_fd(session->loop, btk_socket_fd(session->socket));
    if (session->channel_fd >= 0) close(session->channel_fd);
    btk_socket_close(&session->socket);
    btk_outbox_clear(&session->outbox);
    btk_shard_runner_clear(&session->runner);
    btk_shared_memory_clear(&session->page_memory);
    free(session);
    *session_at = NULL;
}

// --- Sending

void btk_worker_session_send(struct btk_worker_session *session,
                             const struct btk_control_message *message)
{
    const int rc = btk_outbox_send(&session->outbox, session->socket, message);
    if (rc == 0) return;
    btk_log(BTK_LOG_ERROR, "worker", "send_failed", "message=%s error=%s",
            btk_control_name(message->kind), strerror(-rc));
    session->is_lost = true;
}

int btk_worker_session_send_fd(struct btk_worker_session *session,
                               const struct btk_control_message *message, int fd)
{
    uint8_t frame[BTK_OUTBOX_FRAME_BYTES_MAX];
    size_t length = 0;
    int rc = btk_control_encode(message, frame, sizeof frame, &length);
    if (rc == 0)
        rc = btk_fd_channel_send_patiently(session->channel_fd, frame, length, &fd, 1, PATIENCE_MS);
    if (rc != 0) session->is_lost = true;
    return rc;
}

static int send_results(void *context, const struct btk_control_results *results, int fd)
{
    const struct btk_control_message message = {.kind = BTK_CONTROL_RESULTS, .results = *results};
    return btk_worker_session_send_fd(context, &message, fd);
}

// --- Receiving

// One message of P.fd. -EAGAIN; -ECONNRESET; -EPROTO: thrown away, go on.
static int receive_from_channel(struct btk_worker_session *session,
                                struct btk_worker_message *out_message, struct btk_error *error)
{
    size_t length = 0;
    out_message->fd_count = 0;
    int rc = btk_fd_channel_receive(session->channel_fd, session->frame, sizeof session->frame,
                                    &length, out_message->fds, &out_message->fd_count);
    if (rc == -EAGAIN) return rc;
    if (rc == -EMSGSIZE) return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "message too long");
    if (rc == 0 && length > 0) {
        const struct btk_bytes frame = {session->frame, length};
        rc = btk_control_decode(frame, &out_message->control, error);
        if (rc == 0) return 0;
        btk_fd_channel_close_fds(out_message->fds, out_message->fd_count);
        return rc;
    }
    btk_fd_channel_close_fds(out_message->fds, out_message->fd_count);
    return btk_error_set(error, ECONNRESET, BTK_NO_OFFSET, "the coordinator hung up");
}

static int receive_from_socket(struct btk_worker_session *session,
                               struct btk_worker_message *out_message, struct btk_error *error)
{
    size_t length = 0;
    out_message->fd_count = 0;
    const int rc =
        btk_socket_receive(session->socket, NULL, session->frame, sizeof session->frame, &length);
    if (rc == -EPROTO) return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "message of many parts");
    if (rc != 0) return rc;
    const struct btk_bytes frame = {session->frame, length};
    return btk_control_decode(frame, &out_message->control, error);
}

typedef int receive_fn(struct btk_worker_session *session, struct btk_worker_message *out_message,
                       struct btk_error *error);

static void receive_all(struct btk_worker_session *session, receive_fn *receive)
{
    struct btk_worker_message message;
    while (!session->is_lost) {
        struct btk_error error = {0};
        const int rc = receive(session, &message, &error);
        if (rc == -EAGAIN) return;
        if (rc == -EINTR) continue;
        if (rc == -EPROTO) {
            btk_log(BTK_LOG_WARN, "ipc", "bad_message", "error=%s", error.message);
            continue;
        }
        session->is_lost = rc != 0;
        if (rc != 0) return;
        btk_worker_session_handle(session, &message);
        btk_fd_channel_close_fds(message.fds, message.fd_count);
    }
}

// --- A turn

static void update_state(struct btk_worker_session *session)
{
    const uint32_t depth = btk_shard_queue_depth(&session->queue);
    uint32_t state = depth > 0 ? BTK_WORKER_BUSY : BTK_WORKER_IDLE;
    if (depth == 0 && session->is_draining) state = BTK_WORKER_DRAINING;
    btk_worker_page_set_depth(session->page, depth);
    btk_worker_page_set_state(session->page, state);
}

static bool is_same_batch(const struct btk_assignment *a, const struct btk_assignment *b)
{
    return a->client_id == b->client_id && a->batch_id == b->batch_id;
}

static void add_report(struct btk_worker_session *session, const struct btk_assignment *assignment,
                       const struct btk_shard_report *report)
{
    const bool goes_on = btk_shard_queue_depth(&session->queue) > 0
                         && is_same_batch(btk_shard_queue_peek(&session->queue), assignment);
    const uint64_t by_ns =
        report->finished_ns + (goes_on ? middle_report_delay_ns : last_report_delay_ns);
    if (session->report_count == 0 || by_ns < session->report_by_ns) session->report_by_ns = by_ns;
    session->reports[session->report_count++] = *report;
}

// Not longer than the delays and a quick shard, and never until so few wait that the worker would be
// idle before the coordinator's answer is there.
static bool can_report_wait(const struct btk_worker_session *session)
{
    const uint32_t depth = btk_shard_queue_depth(&session->queue);
    if (session->report_count >= depth || session->report_count == BTK_WORKER_REPORTS_MAX)
        return false;
    return btk_shard_queue_peek(&session->queue)->shard_bytes <= QUICK_SHARD_BYTES
           && btk_clock_now_ns() < session->report_by_ns;
}

static void send_reports(struct btk_worker_session *session)
{
    const struct btk_control_message done = {
        .kind = BTK_CONTROL_DONE,
        .done = {.epoch = session->runner.epoch,
                 .reports = {(const uint8_t *)session->reports,
                             session->report_count * sizeof *session->reports}},
    };
    session->report_count = 0;
    btk_worker_session_send(session, &done);
}

static void run_next_shard(struct btk_worker_session *session)
{
    struct btk_assignment assignment;
    struct btk_shard_report report;
    update_state(session);
    if (!btk_shard_queue_try_pop(&session->queue, &assignment)) return;
    btk_shard_runner_run(&session->runner, &assignment, &report);
    btk_log(BTK_LOG_TRACE, "worker", "encoded", "id=%llu status=%u bytes=%llu tokens=%llu ns=%llu",
            (unsigned long long)report.shard_id, report.status,
            (unsigned long long)assignment.shard_bytes, (unsigned long long)report.token_count,
            (unsigned long long)(report.finished_ns - report.started_ns));
    add_report(session, &assignment, &report);
    update_state(session);
    if (!can_report_wait(session)) send_reports(session);
}

static void say_drained(struct btk_worker_session *session)
{
    const struct btk_control_message drained = {
        .kind = BTK_CONTROL_DRAINED,
        .drained = {.epoch = session->runner.epoch},
    };
    btk_worker_session_send(session, &drained);
    session->drained_at_ns = btk_clock_now_ns();
}

void btk_worker_session_turn(struct btk_worker_session *session)
{
    const uint64_t begin_ns = btk_clock_now_ns();
    btk_worker_page_add(&session->page->progress, 1);
    receive_all(session, receive_from_socket);
    receive_all(session, receive_from_channel);
    if (btk_outbox_flush(&session->outbox, session->socket) != 0) session->is_lost = true;
    if (session->is_lost) return;
    run_next_shard(session);
    // A send may have swallowed the wake-up of what came meanwhile.
    receive_all(session, receive_from_socket);
    // After it, as a drain that came just now is not followed by another wake-up.
    if (session->is_draining && session->drained_at_ns == 0
        && btk_shard_queue_depth(&session->queue) == 0)
        say_drained(session);
    const uint64_t turn_ns = btk_clock_now_ns() - begin_ns;
    if (turn_ns > btk_worker_page_get(&session->page->duty_cycle_max_ns))
        btk_worker_page_set(&session->page->duty_cycle_max_ns, turn_ns);
}

// --- Open

static int make_page(struct btk_worker_session *session)
{
    int rc = btk_shared_memory_create("btk-worker-page", sizeof(struct btk_worker_page),
                                      BTK_SHARED_MEMORY_SMALL_PAGES, &session->page_memory);
    if (rc != 0) return rc;
    session->page = session->page_memory.address;
    session->page->magic = BTK_WORKER_PAGE_MAGIC;
    session->page->version = BTK_PAGE_VERSION;
    session->page->pid = (uint32_t)getpid();
    return btk_shared_memory_seal(&session->page_memory);
}

static int make_incarnation(struct btk_worker_session *session)
{
    const ssize_t got = getrandom(session->incarnation, sizeof session->incarnation, 0);
    // A routing id that begins with 0 would be one of ZeroMQ's own.
    session->incarnation[0] |= 1;
    return got == (ssize_t)sizeof session->incarnation ? 0 : -EIO;
}

static int say_hello(struct btk_worker_session *session)
{
    const struct btk_control_message hello = {
        .kind = BTK_CONTROL_HELLO_WORKER,
        .hello_worker = {.version = BTK_CONTROL_VERSION,
                         .pid = (uint32_t)getpid(),
                         .incarnation = {session->incarnation, sizeof session->incarnation},
                         .cpu = session->cpu < 0 ? UINT32_MAX : (uint32_t)session->cpu},
    };
    const int rc = btk_worker_session_send_fd(session, &hello, session->page_memory.fd);
    btk_shared_memory_close_fd(&session->page_memory);
    return rc;
}

static int take_welcome(struct btk_worker_session *session,
                        const struct btk_control_message *control, struct btk_error *error)
{
    if (control->kind == BTK_CONTROL_REFUSED)
        return btk_error_set(error, EACCES, BTK_NO_OFFSET, "the cluster refuses: %s",
                             control->refused.message);
    if (control->kind != BTK_CONTROL_WELCOME_WORKER)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "expected a welcome, got %s",
                             btk_control_name(control->kind));
    const struct btk_control_welcome_worker *welcome = &control->welcome_worker;
    session->runner.worker_id = welcome->worker_id;
    session->runner.epoch = welcome->epoch;
    session->runner.page = session->page;
    session->runner.send_results = send_results;
    session->runner.send_context = session;
    if (session->cpu < 0 && welcome->cpu < BTK_AFFINITY_MAX_CPUS) session->cpu = (int)welcome->cpu;
    return 0;
}

static int await_welcome(struct btk_worker_session *session, struct btk_error *error)
{
    struct btk_worker_message message;
    struct pollfd readable = {.fd = session->channel_fd, .events = POLLIN};
    if (poll(&readable, 1, PATIENCE_MS) <= 0)
        return btk_error_set(error, ETIMEDOUT, BTK_NO_OFFSET, "%s does not answer",
                             session->endpoint.text);
    int rc = receive_from_channel(session, &message, error);
    if (rc != 0) return rc;
    rc = take_welcome(session, &message.control, error);
    btk_fd_channel_close_fds(message.fds, message.fd_count);
    return rc;
}

static void on_readable(void *context BTK_UNUSED, int fd BTK_UNUSED, uint32_t events BTK_UNUSED)
{
    // It only ends the wait: every turn looks at both channels.
}

// libzmq starts its threads here: before we pin, so that they are not bound to our processor.
static int open_socket(struct btk_worker_session *session, struct btk_error *error)
{
    int rc = btk_socket_open_dealer(session->endpoint.text, session->incarnation, &session->socket,
                                    error);
    if (rc != 0) return rc;
    rc = btk_loop_add_fd(session->loop, session->channel_fd, EPOLLIN, on_readable, NULL);
    if (rc == 0)
        rc = btk_loop_add_fd(session->loop, btk_socket_fd(session->socket), EPOLLIN, on_readable,
                             NULL);
    return rc == 0 ? 0 : btk_error_set(error, -rc, BTK_NO_OFFSET, "epoll: %s", strerror(-rc));
}

static void pin(const struct btk_worker_session *session)
{
    if (session->cpu < 0) return;
    const int rc = btk_affinity_pin(session->cpu);
    if (rc != 0)
        btk_log(BTK_LOG_WARN, "worker", "not_pinned", "cpu=%d error=%s", session->cpu,
                strerror(-rc));
}

static int connect_channel(struct btk_worker_session *session, struct btk_error *error)
{
    int rc = btk_fd_channel_connect(session->endpoint.fd_path, &session->channel_fd, error);
    if (rc == -ENOENT || rc == -ECONNREFUSED)
        return btk_error_set(error, ENOENT, BTK_NO_OFFSET, "no cluster answers at %s (%s)",
                             session->endpoint.text, strerror(-rc));
    if (rc != 0) return rc;
    rc = make_page(session);
    if (rc == 0) rc = make_incarnation(session);
    if (rc == 0) rc = say_hello(session);
    return rc == 0 ? 0 : btk_error_set(error, -rc, BTK_NO_OFFSET, "hello: %s", strerror(-rc));
}

int btk_worker_session_open(struct btk_worker_session *session, struct btk_error *error)
{
    int rc = connect_channel(session, error);
    if (rc == 0) rc = await_welcome(session, error);
    if (rc == 0) rc = open_socket(session, error);
    if (rc != 0) return rc;
    pin(session);
    btk_flight_open(&session->runner.flight, &session->endpoint, session->runner.worker_id);
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_REGISTER,
        .register_worker = {.worker_id = session->runner.worker_id,
                            .epoch = session->runner.epoch,
                            .incarnation = {session->incarnation, sizeof session->incarnation}},
    };
    btk_worker_session_send(session, &message);
    update_state(session);
    return 0;
}
