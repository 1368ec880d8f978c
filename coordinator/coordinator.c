// SPDX-License-Identifier: Apache-2.0
// The loop: opens everything in the order in which it may fail, feeds the scheduler, does what it
// says, and drains at the end.
#include "coordinator/coordinator.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/coordinator_internal.h"
#include "ipc/recorder.h"

enum {
    TICK_MS = 100,
    LATE_TICK_MS = 500, // the loop did not run: a suspended machine
    DRAIN_LIMIT_MS = 30000,
    SETTLE_LIMIT_MS = 5000, // for clients to take what was finished
    LEAVE_LIMIT_MS = 5000,
    END_TURN_MS = 5,
    NS_PER_MS = 1000000,
};

#define MIB              (UINT64_C(1) << 20)
#define RESULT_LIMIT     (UINT64_C(16) << 30)
#define OR_DEFAULT(a, b) ((a) != 0 ? (a) : (b))

// --- What the scheduler says

static void act(void *context, const struct btk_action *action)
{
    struct btk_coordinator *coordinator = context;
    struct btk_client_entry *client =
        btk_client_table_find(&coordinator->clients, action->client_id);
    switch (action->kind) {
    case BTK_ACTION_ASSIGN:
        btk_log(BTK_LOG_TRACE, BTK_COORDINATOR_TARGET, "assigned",
                "client=%u batch=%llu shard=%u id=%llu worker=%u bytes=%llu", action->client_id,
                (unsigned long long)action->assignment.batch_id, action->assignment.shard_index,
                (unsigned long long)action->assignment.shard_id, action->worker_id,
                (unsigned long long)action->assignment.shard_bytes);
        btk_worker_table_assign(coordinator->workers.entries + action->worker_id,
                                &action->assignment);
        return;
    case BTK_ACTION_COMPLETE:
        btk_log(BTK_LOG_TRACE, BTK_COORDINATOR_TARGET, "completed",
                "client=%u batch=%llu kind=%u status=%u", action->client_id,
                (unsigned long long)action->completion.batch_id, action->completion.kind,
                action->completion.status);
        if (client != NULL) btk_client_table_complete(client, &action->completion);
        return;
    case BTK_ACTION_RESULTS_GONE:
        // A client that leaves is detached with all its memory, in one message.
        if (client != NULL && !client->is_leaving)
            btk_worker_table_drop_results(coordinator, action);
        if (client != NULL) btk_client_table_results_gone(client, action->results_id);
        return;
    case BTK_ACTION_SLAB_UNPIN:
        if (client != NULL) btk_client_table_unpin(client, action->slab_id);
        return;
    case BTK_ACTION_CLIENT_GONE:
        if (client != NULL) btk_client_table_forget(client);
        return;
    case BTK_ACTION_TRACE_SHARD: {
        const struct btk_worker_entry *worker = coordinator->workers.entries + action->worker_id;
        btk_tracer_add_shard(coordinator->tracer, action, worker->pid, worker->previous_finish_ns);
        return;
    }
    case BTK_ACTION_TRACE_END:
        btk_tracer_end(coordinator->tracer, action->trace, action->status);
        return;
    }
}

// --- The end

static uint64_t after_ms(uint64_t now_ns, uint64_t ms)
{
    return now_ns + ms * NS_PER_MS;
}

static void on_end_turn(void *context BTK_UNUSED)
{
    // The end of the turn looks whether it is over.
}

static void begin_drain(struct btk_coordinator *coordinator)
{
    btk_log(BTK_LOG_INFO, BTK_COORDINATOR_TARGET, "draining", "clients=%u",
            coordinator->clients.count);
    coordinator->stage = BTK_COORDINATOR_DRAINING;
    coordinator->leave_ns = after_ms(btk_clock_now_ns(), DRAIN_LIMIT_MS);
    btk_scheduler_drain(coordinator->scheduler);
    // Without the timer the ticks do, only later.
    if (btk_loop_add_timer(coordinator->loop, (uint64_t)END_TURN_MS * NS_PER_MS, on_end_turn, NULL,
                           NULL)
        != 0)
        errno = 0;
}

static void begin_stage(struct btk_coordinator *coordinator, enum btk_coordinator_stage stage,
                        uint64_t leave_ns)
{
    coordinator->stage = stage;
    coordinator->leave_ns = leave_ns;
    if (stage == BTK_COORDINATOR_LEAVING) btk_worker_table_drain(coordinator);
}

// One stage after the other, each with a limit: work is finished, clients have taken what came of
// it, workers have ended.
static void continue_end(struct btk_coordinator *coordinator, uint64_t now_ns)
{
    struct btk_scheduler_counts counts;
    btk_scheduler_counts(coordinator->scheduler, &counts);
    const bool is_late = now_ns > coordinator->leave_ns;
    switch (coordinator->stage) {
    case BTK_COORDINATOR_DRAINING:
        if (counts.batches_in_flight > 0 && !is_late) return;
        begin_stage(coordinator, BTK_COORDINATOR_SETTLING, after_ms(now_ns, SETTLE_LIMIT_MS));
        return;
    case BTK_COORDINATOR_SETTLING:
        if (!is_late
            && !(btk_client_table_is_settled(&coordinator->clients)
                 && btk_http_is_settled(coordinator->http)))
            return;
        begin_stage(coordinator, BTK_COORDINATOR_LEAVING, after_ms(now_ns, LEAVE_LIMIT_MS));
        return;
    default:
        if (btk_worker_table_is_empty(&coordinator->workers) || is_late)
            btk_loop_stop(coordinator->loop);
    }
}

static void on_signal(void *context, int signal_number)
{
    struct btk_coordinator *coordinator = context;
    if (signal_number == SIGHUP)
        btk_reload_request(coordinator);
    else if (coordinator->stage >= BTK_COORDINATOR_DRAINING)
        btk_loop_stop(coordinator->loop); // asked twice
    else
        begin_drain(coordinator);
}

void btk_coordinator_fail(struct btk_coordinator *coordinator, int code, const char *message)
{
    coordinator->status = btk_error_set(&coordinator->error, code, BTK_NO_OFFSET, "%s", message);
    btk_loop_stop(coordinator->loop);
}

// --- The loop

void btk_coordinator_note_ready(struct btk_coordinator *coordinator)
{
    const uint32_t ready = btk_worker_table_ready_count(&coordinator->workers);
    if (coordinator->stage != BTK_COORDINATOR_STARTING || ready < coordinator->places) return;
    coordinator->stage = BTK_COORDINATOR_RUNNING;
    btk_snapshot_board_update(coordinator, btk_clock_now_ns());
    printf("ready listen=%s http=%s workers=%u\n", coordinator->endpoint.text,
           coordinator->http_address, ready);
    fflush(stdout);
}

static void on_tick(void *context)
{
    struct btk_coordinator *coordinator = context;
    const uint64_t now_ns = btk_clock_now_ns();
    if (now_ns - coordinator->last_tick_ns > (uint64_t)LATE_TICK_MS * NS_PER_MS)
        btk_worker_table_forgive(coordinator, now_ns);
    coordinator->last_tick_ns = now_ns;
    btk_worker_table_check_leases(coordinator, now_ns);
    btk_frontend_check_deadlines(coordinator, now_ns);
    btk_supervisor_fill(coordinator, now_ns);
    btk_reload_continue(coordinator);
    btk_snapshot_board_update(coordinator, now_ns);
}

static void on_router(void *context, int fd BTK_UNUSED, uint32_t events BTK_UNUSED)
{
    (void)btk_worker_table_receive(context);
}

// Ends with a look into the control socket that found nothing: its descriptor is edge-triggered,
// and sending moves it too.
static void on_turn(void *context)
{
    struct btk_coordinator *coordinator = context;
    uint64_t now_ns;
    do {
        now_ns = btk_clock_now_ns();
        btk_scheduler_dispatch(coordinator->scheduler, now_ns);
        btk_worker_table_flush(coordinator);
        btk_client_table_tell_workers(&coordinator->clients,
                                      btk_worker_table_ready_count(&coordinator->workers));
        btk_client_table_flush(coordinator);
    } while (btk_worker_table_receive(coordinator));
    if (coordinator->stage >= BTK_COORDINATOR_DRAINING) continue_end(coordinator, now_ns);
}

// --- Opening

void btk_coordinator_default_tokenizers(struct btk_coordinator_options *options)
{
    if (options->tokenizer_count > 0) return;
    options->tokenizers[0] = (struct btk_coordinator_tokenizer){.name = "wordpiece"};
    options->tokenizers[1] = (struct btk_coordinator_tokenizer){.name = "bpe"};
    options->tokenizer_count = 2;
}

static int set_defaults(struct btk_coordinator *coordinator,
                        const struct btk_coordinator_options *given, struct btk_error *error)
{
    struct btk_coordinator_options *options = &coordinator->options;
    *options = *given;
    options->shard_bytes = OR_DEFAULT(given->shard_bytes, 64 * 1024);
    options->results_bytes = OR_DEFAULT(given->results_bytes, 16 * MIB);
    options->slab_limit_bytes = OR_DEFAULT(given->slab_limit_bytes, 4096 * MIB);
    options->client_limit_bytes = OR_DEFAULT(given->client_limit_bytes, 4096 * MIB);
    options->client_limit = OR_DEFAULT(given->client_limit, 256);
    options->batch_limit = OR_DEFAULT(given->batch_limit, 1024);
    options->credit_shards = OR_DEFAULT(given->credit_shards, 16);
    options->credit_bytes = OR_DEFAULT(given->credit_bytes, MIB);
    options->lease_ms = OR_DEFAULT(given->lease_ms, 1000);
    btk_coordinator_default_tokenizers(options);
    if (options->client_limit > BTK_SCHEDULER_CLIENT_SLOTS / 2
        || options->credit_shards > BTK_WORKER_ASSIGNMENTS_MAX
        || options->worker_count > BTK_SCHEDULER_WORKERS_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "limits: expected at most %d clients, %d shards of credit, %d workers",
                             BTK_SCHEDULER_CLIENT_SLOTS / 2, BTK_WORKER_ASSIGNMENTS_MAX,
                             BTK_SCHEDULER_WORKERS_MAX);
    return 0;
}

static int choose_places(struct btk_coordinator *coordinator, struct btk_error *error)
{
    struct btk_cpu_list cpus = coordinator->options.cpus;
    int rc = cpus.count > 0 ? 0 : btk_affinity_available(&cpus);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "affinity: %s", strerror(-rc));
    size_t count = coordinator->options.worker_count;
    if (count == 0) count = btk_affinity_worker_count(&cpus, NULL);
    coordinator->places = (uint32_t)btk_min_size(count, BTK_SCHEDULER_WORKERS_MAX);
    btk_worker_table_init(coordinator, coordinator->places, &cpus);
    return btk_supervisor_find_program(coordinator->worker_program,
                                       sizeof coordinator->worker_program, error);
}

// A client takes four descriptors and one for each slab.
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) errno = 0;
}

static int open_loop(struct btk_coordinator *coordinator, struct btk_error *error)
{
    int rc = btk_loop_new(&coordinator->loop);
    // Before any thread is there, so that all of them have the signals blocked.
    if (rc == 0) rc = btk_loop_add_signal(coordinator->loop, SIGTERM, on_signal, coordinator);
    if (rc == 0) rc = btk_loop_add_signal(coordinator->loop, SIGINT, on_signal, coordinator);
    if (rc == 0) rc = btk_loop_add_signal(coordinator->loop, SIGHUP, on_signal, coordinator);
    if (rc == 0)
        rc = btk_loop_add_timer(coordinator->loop, (uint64_t)TICK_MS * NS_PER_MS, on_tick,
                                coordinator, NULL);
    if (rc == 0) rc = btk_latency_init(&coordinator->latency);
    if (rc == 0) rc = btk_snapshot_board_init(&coordinator->board);
    const struct btk_scheduler_options options = {
        .shard_bytes = coordinator->options.shard_bytes,
        .credit_bytes = coordinator->options.credit_bytes,
        .credit_shards = coordinator->options.credit_shards,
        .batch_limit = coordinator->options.batch_limit,
        .client_limit_bytes = coordinator->options.client_limit_bytes,
        .result_limit_bytes = RESULT_LIMIT,
        .act = act,
        .context = coordinator,
    };
    if (rc == 0) rc = btk_scheduler_new(&options, &coordinator->scheduler);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "start: %s", strerror(-rc));
    btk_loop_set_turn(coordinator->loop, on_turn, coordinator);
    return 0;
}

// A cluster without a flight recorder works as well.
static void open_recorder(struct btk_coordinator *coordinator)
{
    struct btk_error error = {0};
    coordinator->has_recorder = btk_recorder_create(&coordinator->endpoint, &error) == 0;
    if (!coordinator->has_recorder)
        btk_log(BTK_LOG_WARN, BTK_COORDINATOR_TARGET, "not_recorded", "error=%s", error.message);
}

static void close_recorder(const struct btk_coordinator *coordinator)
{
    char path[BTK_RECORDER_PATH_MAX];
    if (!coordinator->has_recorder) return;
    btk_recorder_path(&coordinator->endpoint, path);
    btk_recorder_remove(path);
}

static int open_endpoint(struct btk_coordinator *coordinator, struct btk_error *error)
{
    int rc = btk_endpoint_parse(coordinator->options.listen, &coordinator->endpoint, error);
    if (rc == 0) rc = btk_endpoint_check_folder(&coordinator->endpoint, 1, error);
    if (rc == 0) rc = btk_endpoint_lock(&coordinator->endpoint, &coordinator->lock_fd, error);
    if (rc == 0) open_recorder(coordinator);
    return rc;
}

static int load_images(struct btk_coordinator *coordinator, struct btk_error *error)
{
    int rc = btk_image_store_load(&coordinator->images, &coordinator->reload.compiler,
                                  &coordinator->options, error);
    if (rc != 0) return rc;
    rc = btk_reload_open(coordinator);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "loop: %s", strerror(-rc));
    return 0;
}

static int open_sockets(struct btk_coordinator *coordinator, struct btk_error *error)
{
    int rc = btk_socket_open_router(coordinator->endpoint.text, &coordinator->router, error);
    if (rc != 0) return rc;
    rc = btk_loop_add_fd(coordinator->loop, btk_socket_fd(coordinator->router), EPOLLIN, on_router,
                         coordinator);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "loop: %s", strerror(-rc));
    // Threads come after all that forks and blocks signals.
    btk_tracer_open(&coordinator->tracer);
    rc = btk_slab_maker_open(&coordinator->slab_maker, coordinator->loop, btk_client_slabs_made,
                             coordinator);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "slabs: %s", strerror(-rc));
    return btk_frontend_open(coordinator, error);
}

// --- Life

static struct btk_coordinator *new_coordinator(void)
{
    struct btk_coordinator *coordinator = calloc(1, sizeof *coordinator);
    if (coordinator == NULL) return NULL;
    coordinator->lock_fd = -1;
    coordinator->reload.compiler.fd = -1;
    coordinator->frontend.listen_fd = -1;
    coordinator->clients.waiting_timer = -1;
    strcpy(coordinator->http_address, "off");
    coordinator->started_ns = btk_clock_now_ns();
    coordinator->last_tick_ns = coordinator->started_ns;
    return coordinator;
}

static void close_coordinator(struct btk_coordinator *coordinator)
{
    coordinator->stage = BTK_COORDINATOR_LEAVING;
    btk_http_close(&coordinator->http);
    if (coordinator->loop != NULL) {
        btk_slab_maker_close(&coordinator->slab_maker);
        btk_frontend_close(coordinator);
        btk_client_table_clear(coordinator);
        btk_worker_table_clear(coordinator);
    }
    btk_compiler_stop(&coordinator->reload.compiler);
    btk_tracer_close(&coordinator->tracer);
    btk_scheduler_free(&coordinator->scheduler);
    btk_socket_close(&coordinator->router);
    btk_loop_free(&coordinator->loop);
    btk_image_store_clear(&coordinator->images);
    btk_latency_clear(&coordinator->latency);
    btk_snapshot_board_clear(&coordinator->board);
    close_recorder(coordinator);
    if (coordinator->lock_fd >= 0) close(coordinator->lock_fd);
    free(coordinator);
}

static int open_all(struct btk_coordinator *coordinator,
                    const struct btk_coordinator_options *options, struct btk_error *error)
{
    int rc = set_defaults(coordinator, options, error);
    // First of all: it inherits nothing.
    if (rc == 0)
        rc = btk_compiler_start(&coordinator->reload.compiler, coordinator->options.compile, error);
    if (rc == 0) rc = choose_places(coordinator, error);
    if (rc == 0) rc = open_endpoint(coordinator, error);
    if (rc == 0) rc = open_loop(coordinator, error);
    if (rc == 0 && coordinator->options.http != NULL)
        rc = btk_http_open(coordinator, &coordinator->http, error);
    if (rc == 0) rc = load_images(coordinator, error);
    if (rc == 0) rc = open_sockets(coordinator, error);
    if (rc == 0 && coordinator->http != NULL) rc = btk_http_start(coordinator->http, error);
    return rc;
}

int btk_coordinator_run(const struct btk_coordinator_options *options, struct btk_error *error)
{
    struct btk_coordinator *coordinator = new_coordinator();
    if (coordinator == NULL) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "out of memory");
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    int rc = open_all(coordinator, options, error);
    if (rc == 0) {
        btk_supervisor_fill(coordinator, btk_clock_now_ns());
        rc = btk_loop_run(coordinator->loop);
        if (rc == 0 && coordinator->status != 0) {
            rc = coordinator->status;
            if (error != NULL) *error = coordinator->error;
        }
    }
    close_coordinator(coordinator);
    return rc;
}
