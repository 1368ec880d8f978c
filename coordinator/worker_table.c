// SPDX-License-Identifier: Apache-2.0
// Workers come, and go: hello, channel, pidfd, lease.
#include "coordinator/worker_table.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/probes.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/worker_internal.h"

enum { START_LIMIT_MS = 30000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

void btk_worker_table_init(struct btk_coordinator *coordinator, uint32_t count,
                           const struct btk_cpu_list *cpus)
{
    struct btk_worker_table *table = &coordinator->workers;
    for (uint32_t i = 0; i < BTK_SCHEDULER_WORKERS_MAX; i++) {
        struct btk_worker_entry *worker = table->entries + i;
        worker->coordinator = coordinator;
        worker->id = i;
        worker->channel.fd = -1;
        worker->pidfd = -1;
        worker->page = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
        worker->is_ours = i < count;
        if (worker->is_ours) worker->cpu = (uint32_t)cpus->cpus[i % cpus->count];
    }
    table->limit = count;
    table->oom_kills = btk_cgroup_oom_kills();
}

// --- Coming

// The place that we spawned this process for, or a free one for a worker started by hand.
static struct btk_worker_entry *find_place(struct btk_worker_table *table, uint32_t pid)
{
    for (uint32_t i = 0; i < table->limit; i++)
        if (table->entries[i].stage == BTK_WORKER_SPAWNED && table->entries[i].pid == pid)
            return table->entries + i;
    for (uint32_t i = 0; i < BTK_SCHEDULER_WORKERS_MAX; i++) {
        struct btk_worker_entry *worker = table->entries + i;
        if (worker->stage != BTK_WORKER_EMPTY || worker->is_ours) continue;
        if (i >= table->limit) table->limit = i + 1;
        return worker;
    }
    return NULL;
}

static int attach_page(int *fd, struct btk_shared_memory *out_page, struct btk_error *error)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = sizeof(struct btk_worker_page),
        .bytes_max = sizeof(struct btk_worker_page) + 4096,
        .needs_sealed = true,
    };
    const int rc = btk_shared_memory_attach(fd, &limits, out_page);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "worker page: %s", strerror(-rc));
    btk_shared_memory_close_fd(out_page);
    const volatile struct btk_worker_page *page = out_page->address;
    if (page->magic == BTK_WORKER_PAGE_MAGIC && page->version == BTK_PAGE_VERSION) return 0;
    btk_shared_memory_clear(out_page);
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "worker page: wrong magic or version");
}

static int check_hello(const struct btk_coordinator *coordinator,
                       const struct btk_channel_inbound *inbound, struct btk_error *error)
{
    const struct btk_control_hello_worker *hello = &inbound->control.hello_worker;
    if (hello->version != BTK_CONTROL_VERSION || inbound->fd_count != 1
        || hello->incarnation.length != BTK_SOCKET_ROUTING_BYTES)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "hello: another version, or no page");
    if (coordinator->stage >= BTK_COORDINATOR_LEAVING)
        return btk_error_set(error, ESHUTDOWN, BTK_NO_OFFSET, "the cluster is shutting down");
    return 0;
}

static void on_channel(void *context, int fd BTK_UNUSED, uint32_t events)
{
    struct btk_worker_entry *worker = context;
    if ((events & EPOLLOUT) != 0 && btk_channel_flush(&worker->channel) != 0)
        btk_worker_table_kill(worker, "channel broken");
    btk_worker_drain_channel(worker);
}

static void on_death(void *context, int fd, uint32_t events);

// The descriptor of our own child is there already; that of a stranger comes from its socket.
static int watch_process(struct btk_worker_entry *worker, struct btk_peer *peer)
{
    if (!worker->is_child) {
        worker->pidfd = peer->pidfd;
        peer->pidfd = -1;
    }
    if (worker->pidfd < 0) return -ESRCH;
    return btk_loop_add_fd(worker->coordinator->loop, worker->pidfd, EPOLLIN, on_death, worker);
}

static void send_welcome(struct btk_worker_entry *worker)
{
    const struct btk_coordinator_options *options = &worker->coordinator->options;
    const struct btk_control_message welcome = {
        .kind = BTK_CONTROL_WELCOME_WORKER,
        .welcome_worker = {.worker_id = worker->id,
                           .epoch = worker->epoch,
                           .cpu = worker->cpu,
                           .lease_ms = options->lease_ms,
                           .results_bytes = options->results_bytes},
    };
    btk_worker_send(worker, &welcome, NULL, 0);
}

static void renew_lease(struct btk_worker_entry *worker, uint64_t now_ns)
{
    worker->checked_ns = now_ns;
    worker->stalled_ns = 0;
    worker->cpu_ns = 0;
}

static void begin_incarnation(struct btk_worker_entry *worker, uint32_t cpu)
{
    worker->epoch = ++worker->coordinator->workers.last_epoch;
    worker->stage = BTK_WORKER_GREETED;
    worker->was_killed_for_stall = false;
    memset(worker->has_image, 0, sizeof worker->has_image);
    worker->assignment_count = 0;
    worker->shards_finished = 0;
    worker->previous_finish_ns = 0;
    worker->progress = 0;
    renew_lease(worker, btk_clock_now_ns());
    if (!worker->is_child) {
        worker->cpu = cpu;
        worker->started_ns = worker->checked_ns;
    }
    memset(worker->options_known, 0, sizeof worker->options_known);
    btk_probe_epoch_bump(worker->id, worker->epoch, worker->pid);
}

int btk_worker_table_admit(struct btk_coordinator *coordinator, struct btk_channel *channel,
                           struct btk_peer *peer, struct btk_channel_inbound *inbound,
                           struct btk_error *error)
{
    int rc = check_hello(coordinator, inbound, error);
    if (rc != 0) return rc;
    struct btk_worker_entry *worker = find_place(&coordinator->workers, (uint32_t)peer->pid);
    if (worker == NULL)
        return btk_error_set(error, EUSERS, BTK_NO_OFFSET, "the cluster has %d workers already",
                             BTK_SCHEDULER_WORKERS_MAX);
    struct btk_shared_memory page = BTK_SHARED_MEMORY_INIT;
    rc = attach_page(&inbound->fds[0], &page, error);
    if (rc != 0) return rc;
    rc = worker->is_child ? 0 : watch_process(worker, peer);
    if (rc == 0) rc = btk_channel_hand_over(channel, &worker->channel, on_channel, worker);
    if (rc != 0) {
        btk_shared_memory_clear(&page);
        return btk_error_set(error, -rc, BTK_NO_OFFSET, "worker: %s", strerror(-rc));
    }
    worker->pid = (uint32_t)peer->pid;
    worker->page = page;
    memcpy(worker->incarnation, inbound->control.hello_worker.incarnation.data,
           BTK_SOCKET_ROUTING_BYTES);
    begin_incarnation(worker, inbound->control.hello_worker.cpu);
    send_welcome(worker);
    return 0;
}

int btk_worker_table_watch_child(struct btk_worker_entry *worker)
{
    return btk_loop_add_fd(worker->coordinator->loop, worker->pidfd, EPOLLIN, on_death, worker);
}

// --- Its channel

void btk_worker_send(struct btk_worker_entry *worker, const struct btk_control_message *message,
                     const int *fds, unsigned fd_count)
{
    const int rc = btk_channel_send(&worker->channel, message, fds, fd_count);
    if (rc != 0 && rc != -ECONNRESET) btk_worker_table_kill(worker, strerror(-rc));
}

static void take_results(struct btk_worker_entry *worker, struct btk_channel_inbound *inbound)
{
    const struct btk_control_results *results = &inbound->control.results;
    struct btk_coordinator *coordinator = worker->coordinator;
    const struct btk_results_memory memory = {
        .worker_id = worker->id,
        .epoch = worker->epoch,
        .client_id = results->client_id,
        .results_id = results->results_id,
        .bytes = results->bytes,
        .shard_id = results->shard_id,
    };
    struct btk_client_entry *client =
        btk_client_table_find(&coordinator->clients, results->client_id);
    if (client == NULL || !btk_scheduler_add_results(coordinator->scheduler, &memory)) return;
    btk_client_table_give_results(client, &memory, &inbound->fds[0]);
}

void btk_worker_drain_channel(struct btk_worker_entry *worker)
{
    struct btk_channel_inbound inbound = {0};
    struct btk_error error = {0};
    for (;;) {
        const int rc = btk_channel_receive(&worker->channel, &inbound, &error);
        if (rc == -EAGAIN) return;
        if (rc != 0) {
            btk_worker_table_kill(worker, rc == -ECONNRESET ? "hung up" : error.message);
            return;
        }
        const bool is_results =
            inbound.control.kind == BTK_CONTROL_RESULTS && inbound.fd_count == 1;
        if (is_results) take_results(worker, &inbound);
        btk_channel_close_inbound(&inbound);
        if (is_results) continue;
        btk_worker_table_kill(worker, "unexpected message");
        return;
    }
}

// --- Going

// The process is killed and its channel closed; all else happens when its pidfd fires.
void btk_worker_table_kill(struct btk_worker_entry *worker, const char *why)
{
    if (worker->channel.fd < 0 && worker->stage != BTK_WORKER_SPAWNED) return;
    const bool is_expected = worker->coordinator->stage >= BTK_COORDINATOR_LEAVING;
    btk_log(is_expected ? BTK_LOG_DEBUG : BTK_LOG_WARN, BTK_COORDINATOR_TARGET, "worker_given_up",
            "worker=%u pid=%u epoch=%u why=%s", worker->id, worker->pid, worker->epoch, why);
    btk_channel_close(&worker->channel);
    if (is_expected || worker->pidfd < 0) return;
    if (btk_pidfd_kill(worker->pidfd, SIGKILL) != 0) errno = 0;
}

// Whether the kernel killed it for want of memory. Each kill accounts for one worker.
static bool was_killed_for_memory(struct btk_worker_table *table, int signal_number)
{
    if (signal_number != SIGKILL || btk_cgroup_oom_kills() <= table->oom_kills) return false;
    table->oom_kills++;
    return true;
}

// Whether the shard that was in work is to blame: it crashed its worker, kept it from moving or took
// too much memory. Of a process that is not our child nobody tells us the end: its shard is blamed
// too.
static bool is_blamed(const struct btk_worker_entry *worker, int signal_number)
{
    if (worker->was_killed_for_stall || !worker->is_child) return true;
    if (was_killed_for_memory(&worker->coordinator->workers, signal_number)) return true;
    return signal_number == SIGSEGV || signal_number == SIGBUS || signal_number == SIGABRT
           || signal_number == SIGILL || signal_number == SIGFPE;
}

void btk_worker_table_bury(struct btk_worker_entry *worker, uint64_t now_ns)
{
    struct btk_coordinator *coordinator = worker->coordinator;
    uint64_t blamed = 0;
    const uint64_t shards = worker->shards_finished;
    const int signal_number = btk_supervisor_reap(worker, now_ns);
    const bool is_expected =
        worker->stage == BTK_WORKER_LEAVING || coordinator->stage >= BTK_COORDINATOR_LEAVING;
    btk_log(is_expected ? BTK_LOG_DEBUG : BTK_LOG_WARN, BTK_COORDINATOR_TARGET, "worker_ended",
            "worker=%u pid=%u epoch=%u signal=%d shards=%llu", worker->id, worker->pid,
            worker->epoch, signal_number, (unsigned long long)shards);
    if (worker->page.address != NULL) {
        const struct btk_worker_page *page = worker->page.address;
        if (is_blamed(worker, signal_number)) blamed = btk_worker_page_get(&page->started_shard_id);
        btk_latency_keep_worker(&coordinator->latency, worker->id, page);
    }
    btk_channel_close(&worker->channel);
    btk_shared_memory_clear(&worker->page);
    if (worker->stage == BTK_WORKER_READY) btk_reload_note_death(coordinator);
    worker->stage = BTK_WORKER_EMPTY;
    worker->epoch = 0;
    btk_scheduler_remove_worker(coordinator->scheduler, worker->id, blamed);
}

static void on_death(void *context, int fd BTK_UNUSED, uint32_t events BTK_UNUSED)
{
    struct btk_worker_entry *worker = context;
    struct btk_coordinator *coordinator = worker->coordinator;
    const uint64_t now_ns = btk_clock_now_ns();
    // Reports that were sent before the end still count.
    (void)btk_worker_table_receive(coordinator);
    if (worker->stage == BTK_WORKER_EMPTY) return; // one of them was its leave
    btk_worker_table_bury(worker, now_ns);
    btk_supervisor_fill(coordinator, now_ns);
}

// --- Lease

// Whether its working thread wants a processor, and how much its process has had of one.
static bool try_read_stat(uint32_t pid, bool *out_is_runnable, uint64_t *out_cpu_ns)
{
    char path[64];
    char text[1024];
    char state = 0;
    unsigned long long user = 0;
    unsigned long long system = 0;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *const file = fopen(path, "re");
    if (file == NULL) return false;
    const size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    // The name in brackets may have anything in it.
    const char *const end = strrchr(text, ')');
    if (end == NULL
        || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &state, &user,
                  &system)
               != 3)
        return false;
    const long ticks_per_s = sysconf(_SC_CLK_TCK);
    if (ticks_per_s <= 0) return false;
    *out_is_runnable = state == 'R';
    *out_cpu_ns = (user + system) * (NS_PER_S / (uint64_t)ticks_per_s);
    return true;
}

// How much of its lease it has used since it was looked at. While it waits for a processor, the
// lease does not run: in its place, another worker would get no further.
static uint64_t used_ns(struct btk_worker_entry *worker, uint64_t now_ns)
{
    bool is_runnable = false;
    uint64_t cpu_ns = 0;
    const uint64_t before_ns = worker->cpu_ns;
    const uint64_t passed_ns = now_ns - worker->checked_ns;
    if (!try_read_stat(worker->pid, &is_runnable, &cpu_ns)) return passed_ns;
    worker->cpu_ns = cpu_ns;
    if (!is_runnable) return passed_ns;
    return before_ns == 0 || cpu_ns < before_ns ? 0 : btk_min_size(passed_ns, cpu_ns - before_ns);
}

static void check_lease(struct btk_worker_entry *worker, uint64_t now_ns)
{
    const struct btk_coordinator *coordinator = worker->coordinator;
    const struct btk_worker_page *page = worker->page.address;
    const uint64_t progress = btk_worker_page_get(&page->progress);
    if (progress != worker->progress
        || btk_scheduler_worker_load(coordinator->scheduler, worker->id) == 0)
    {
        worker->progress = progress;
        renew_lease(worker, now_ns);
        return;
    }
    worker->stalled_ns += used_ns(worker, now_ns);
    worker->checked_ns = now_ns;
    if (worker->stalled_ns < (uint64_t)coordinator->options.lease_ms * NS_PER_MS) return;
    worker->was_killed_for_stall = true;
    btk_worker_table_kill(worker, "no progress for the time of its lease");
}

void btk_worker_table_check_leases(struct btk_coordinator *coordinator, uint64_t now_ns)
{
    for (uint32_t i = 0; i < coordinator->workers.limit; i++) {
        struct btk_worker_entry *worker = coordinator->workers.entries + i;
        if (worker->stage == BTK_WORKER_EMPTY || worker->stage == BTK_WORKER_LEAVING) continue;
        if (worker->stage == BTK_WORKER_READY)
            check_lease(worker, now_ns);
        else if (now_ns - worker->started_ns > (uint64_t)START_LIMIT_MS * NS_PER_MS)
            btk_worker_table_kill(worker, "did not become ready");
    }
}

void btk_worker_table_forgive(struct btk_coordinator *coordinator, uint64_t now_ns)
{
    for (uint32_t i = 0; i < coordinator->workers.limit; i++)
        renew_lease(coordinator->workers.entries + i, now_ns);
}

// --- The end

bool btk_worker_table_has_image(const struct btk_worker_table *table, uint32_t slot)
{
    for (uint32_t i = 0; i < table->limit; i++)
        if (table->entries[i].stage == BTK_WORKER_READY && !table->entries[i].has_image[slot])
            return false;
    return true;
}

uint32_t btk_worker_table_ready_count(const struct btk_worker_table *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->limit; i++)
        count += table->entries[i].stage == BTK_WORKER_READY;
    return count;
}

bool btk_worker_table_is_empty(const struct btk_worker_table *table)
{
    for (uint32_t i = 0; i < table->limit; i++)
        if (table->entries[i].stage != BTK_WORKER_EMPTY) return false;
    return true;
}

void btk_worker_table_clear(struct btk_coordinator *coordinator)
{
    for (uint32_t i = 0; i < coordinator->workers.limit; i++) {
        struct btk_worker_entry *worker = coordinator->workers.entries + i;
        if (worker->stage == BTK_WORKER_EMPTY) continue;
        if (worker->is_child && btk_pidfd_kill(worker->pidfd, SIGKILL) != 0) errno = 0;
        (void)btk_supervisor_reap(worker, 0);
        btk_channel_close(&worker->channel);
        btk_shared_memory_clear(&worker->page);
        worker->stage = BTK_WORKER_EMPTY;
    }
}
