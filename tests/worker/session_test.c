// SPDX-License-Identifier: Apache-2.0
// A worker in a child process, and a coordinator that is played here step by step.
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/batch.h"
#include "ipc/control.h"
#include "ipc/endpoint.h"
#include "ipc/fd_channel.h"
#include "ipc/shared_memory.h"
#include "ipc/socket.h"
#include "ipc/worker_page.h"
#include "worker/worker.h"

enum { WAIT_MS = 10000, EPOCH = 7, CLIENT = 3, SLAB = 4, TOKENIZER = 5, OPTIONS = 6 };

static char folder[] = "/tmp/btk-worker-test-XXXXXX";
static struct btk_endpoint endpoint;
static int listen_fd = -1;
static int channel_fd = -1;
static struct btk_socket *router;
static pid_t worker_pid;
static uint8_t incarnation[BTK_SOCKET_ROUTING_BYTES];
static uint8_t frame[BTK_CONTROL_FRAME_MAX];
static struct btk_shared_memory page = BTK_SHARED_MEMORY_INIT;

static void set_up(void)
{
    char text[BTK_ENDPOINT_TEXT_MAX];
    struct btk_error error = {0};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(text, sizeof text, "ipc://%s/control", folder);
    cr_assert_eq(btk_endpoint_parse(text, &endpoint, &error), 0);
}

static void tear_down(void)
{
    if (worker_pid > 0) {
        kill(worker_pid, SIGKILL);
        waitpid(worker_pid, NULL, 0);
    }
    btk_socket_close(&router);
    btk_shared_memory_clear(&page);
    if (channel_fd >= 0) close(channel_fd);
    if (listen_fd >= 0) close(listen_fd);
    unlink(endpoint.path);
    unlink(endpoint.fd_path);
    rmdir(folder);
}

TestSuite(worker_session, .init = set_up, .fini = tear_down);

// --- The parts of a coordinator

static void start_worker(bool reconnect)
{
    struct btk_error error = {0};
    cr_assert_eq(btk_fd_channel_listen(endpoint.fd_path, &listen_fd, &error), 0);
    worker_pid = fork();
    cr_assert_geq(worker_pid, 0);
    if (worker_pid == 0) {
        const struct btk_worker_options options = {endpoint.text, -1, reconnect};
        _exit(btk_worker_run(&options, &error) == 0 ? 0 : error.code);
    }
    cr_assert_eq(btk_socket_open_router(endpoint.text, &router, &error), 0, "%s", error.message);
}

static int exit_status(void)
{
    int status = 0;
    cr_assert_eq(waitpid(worker_pid, &status, 0), worker_pid);
    worker_pid = 0;
    cr_assert(WIFEXITED(status), "status 0x%x", (unsigned)status);
    return WEXITSTATUS(status);
}

static void wait_readable(int fd, int timeout_ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    cr_assert_geq(poll(&readable, 1, timeout_ms), 0);
}

static struct btk_control_message decode(size_t length)
{
    struct btk_control_message message;
    struct btk_error error = {0};
    const struct btk_bytes bytes = {frame, length};
    cr_assert_eq(btk_control_decode(bytes, &message, &error), 0, "%s", error.message);
    return message;
}

// The next message of P.fd and its descriptor.
static struct btk_control_message take_from_channel(enum btk_control_kind kind, int *out_fd)
{
    size_t length = 0;
    int fds[BTK_FD_CHANNEL_FDS_MAX] = {-1};
    unsigned fd_count = 0;
    wait_readable(channel_fd, WAIT_MS);
    cr_assert_eq(btk_fd_channel_receive(channel_fd, frame, sizeof frame, &length, fds, &fd_count),
                 0);
    const struct btk_control_message message = decode(length);
    cr_assert_eq(message.kind, kind, "got %s", btk_control_name(message.kind));
    cr_assert_eq(fd_count, 1);
    *out_fd = fds[0];
    return message;
}

static struct btk_control_message take_from_router(enum btk_control_kind kind)
{
    uint8_t from[BTK_SOCKET_ROUTING_BYTES];
    size_t length = 0;
    int rc = -EAGAIN;
    for (int i = 0; i < WAIT_MS && rc == -EAGAIN; i++) {
        rc = btk_socket_receive(router, from, frame, sizeof frame, &length);
        if (rc == -EAGAIN) wait_readable(btk_socket_fd(router), 1);
    }
    cr_assert_eq(rc, 0);
    cr_assert_eq(memcmp(from, incarnation, sizeof from), 0);
    const struct btk_control_message message = decode(length);
    cr_assert_eq(message.kind, kind, "got %s", btk_control_name(message.kind));
    return message;
}

static void send_by_channel(const struct btk_control_message *message, int fd)
{
    size_t length = 0;
    cr_assert_eq(btk_control_encode(message, frame, sizeof frame, &length), 0);
    cr_assert_eq(btk_fd_channel_send(channel_fd, frame, length, &fd, fd >= 0), 0);
}

static void send_by_router(const struct btk_control_message *message)
{
    size_t length = 0;
    cr_assert_eq(btk_control_encode(message, frame, sizeof frame, &length), 0);
    cr_assert_eq(btk_socket_send(router, incarnation, frame, length), 0);
}

static void accept_hello(void)
{
    struct btk_peer peer;
    int fd = -1;
    wait_readable(listen_fd, WAIT_MS);
    cr_assert_eq(btk_fd_channel_accept(listen_fd, &channel_fd, &peer), 0);
    close(peer.pidfd);
    const struct btk_control_message hello = take_from_channel(BTK_CONTROL_HELLO_WORKER, &fd);
    cr_assert_eq(hello.hello_worker.incarnation.length, sizeof incarnation);
    memcpy(incarnation, hello.hello_worker.incarnation.data, sizeof incarnation);
    const struct btk_shared_memory_limits limits = {
        .bytes_min = sizeof(struct btk_worker_page),
        .bytes_max = sizeof(struct btk_worker_page) + 4096,
        .needs_sealed = true,
    };
    btk_shared_memory_clear(&page);
    cr_assert_eq(btk_shared_memory_attach(&fd, &limits, &page), 0);
}

static void join_worker(void)
{
    accept_hello();
    const struct btk_control_message welcome = {
        .kind = BTK_CONTROL_WELCOME_WORKER,
        .welcome_worker = {.worker_id = 1, .epoch = EPOCH, .cpu = UINT32_MAX},
    };
    send_by_channel(&welcome, -1);
    const struct btk_control_message registered = take_from_router(BTK_CONTROL_REGISTER);
    cr_assert_eq(registered.register_worker.epoch, EPOCH);
}

static void send_sealed(struct btk_control_message *message, const char *content, size_t length)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    cr_assert_eq(btk_shared_memory_create("test", 8192, BTK_SHARED_MEMORY_SMALL_PAGES, &memory), 0);
    memcpy(memory.address, content, length);
    cr_assert_eq(btk_shared_memory_seal(&memory), 0);
    send_by_channel(message, memory.fd);
    btk_shared_memory_clear(&memory);
}

static void load_image(const char *content)
{
    struct btk_control_message load = {
        .kind = BTK_CONTROL_LOAD_IMAGE,
        .load_image = {.tokenizer_id = TOKENIZER, .tokenizer = "double", .bytes = 8192},
    };
    send_sealed(&load, content, strlen(content));
}

static void define_options(void)
{
    const struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE, .fields = BTK_FIELD_IDS};
    const struct btk_control_message define = {
        .kind = BTK_CONTROL_DEFINE_OPTIONS,
        .define_options = {.options_id = OPTIONS,
                           .tokenizer_id = TOKENIZER,
                           .options = btk_batch_options_bytes(&options)},
    };
    send_by_router(&define);
}

static void make_results(uint64_t results_bytes)
{
    const struct btk_control_message attach = {
        .kind = BTK_CONTROL_ATTACH_CLIENT,
        .attach_client = {.client_id = CLIENT, .results_bytes = results_bytes},
    };
    send_by_channel(&attach, -1);
}

// A slab with one document, "abc".
static void attach_client(void)
{
    make_results(65536);
    struct btk_control_message slab = {
        .kind = BTK_CONTROL_ATTACH_SLAB,
        .attach_slab = {.client_id = CLIENT, .slab_id = SLAB, .bytes = 8192},
    };
    send_sealed(&slab, "\3\0\0\0\0\0\0\0abc", 11);
}

static struct btk_assignment make_assignment(uint64_t shard_id, uint32_t flags)
{
    return (struct btk_assignment){
        .shard_id = shard_id,
        .client_id = CLIENT,
        .options_id = OPTIONS,
        .slab_id = SLAB,
        .document_count = 1,
        .flags = flags,
        .epoch = EPOCH,
        .op = BTK_OPERATION_ENCODE,
        .text_offset = 8,
        .shard_bytes = 3,
        .result_limit_bytes = 4096,
    };
}

static void assign(uint32_t epoch, const struct btk_assignment *assignments, size_t count)
{
    const struct btk_control_message assign = {
        .kind = BTK_CONTROL_ASSIGN,
        .assign = {.epoch = epoch,
                   .assignments = {(const uint8_t *)assignments, count * sizeof *assignments}},
    };
    send_by_router(&assign);
}

static struct btk_shard_report take_report(void)
{
    struct btk_shard_report report;
    const struct btk_control_message done = take_from_router(BTK_CONTROL_DONE);
    cr_assert_eq(done.done.epoch, EPOCH);
    cr_assert_eq(done.done.reports.length, sizeof report);
    memcpy(&report, done.done.reports.data, sizeof report);
    return report;
}

// Reports as they come, in messages of one or several.
static void take_reports(struct btk_shard_report *out_reports, size_t count)
{
    for (size_t have = 0; have < count;) {
        const struct btk_control_message done = take_from_router(BTK_CONTROL_DONE);
        const size_t more = done.done.reports.length / sizeof *out_reports;
        cr_assert(more > 0 && more <= count - have);
        memcpy(out_reports + have, done.done.reports.data, done.done.reports.length);
        have += more;
    }
}

// Results memory as the coordinator gets it, and what it was announced as.
static struct btk_control_results take_results(struct btk_shared_memory *out_memory)
{
    const struct btk_shared_memory_limits limits = {.bytes_max = 1 << 24, .needs_sealed = true};
    int fd = -1;
    const struct btk_control_message message = take_from_channel(BTK_CONTROL_RESULTS, &fd);
    cr_assert_eq(btk_shared_memory_attach(&fd, &limits, out_memory), 0);
    cr_assert_eq(message.results.bytes, out_memory->bytes);
    return message.results;
}

static void expect_abc(const struct btk_shared_memory *memory, uint64_t offset)
{
    struct btk_result_header header;
    struct btk_error error = {0};
    const uint8_t *block = (const uint8_t *)memory->address + offset;
    memcpy(&header, block, sizeof header);
    cr_assert_eq(btk_result_header_check(&header, memory->bytes - offset, &error), 0);
    const uint32_t expected[] = {'a', 'b', 'c'};
    cr_assert_eq(header.token_count, 3);
    cr_assert_eq(memcmp(block + header.ids_offset, expected, sizeof expected), 0);
}

static void drain_worker(void)
{
    const struct btk_control_message drain = {
        .kind = BTK_CONTROL_DRAIN,
        .drain = {.epoch = EPOCH},
    };
    send_by_router(&drain);
}

static void ready_worker(bool reconnect)
{
    start_worker(reconnect);
    join_worker();
    load_image("double");
    cr_assert_eq(take_from_router(BTK_CONTROL_IMAGE_READY).image_ready.status, 0);
    define_options();
}

// --- Tests

Test(worker_session, an_assignment_may_overtake_the_slab_that_it_names)
{
    ready_worker(false);
    for (uint64_t round = 0; round < 20; round++) {
        attach_client();
        const struct btk_assignment assignment = make_assignment(100 + round, 0);
        assign(EPOCH, &assignment, 1);
        struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
        const struct btk_control_results results = take_results(&memory);
        const struct btk_shard_report report = take_report();
        cr_assert_eq(report.status, BTK_STATUS_OK, "status %u", report.status);
        cr_assert_eq(report.shard_id, 100 + round);
        cr_assert_eq(report.results_id, results.results_id);
        cr_assert_eq(results.shard_id, 0);
        expect_abc(&memory, 0);
        btk_shared_memory_clear(&memory);
        const struct btk_control_message detach = {
            .kind = BTK_CONTROL_DETACH_CLIENT,
            .detach_client = {.client_id = CLIENT},
        };
        send_by_channel(&detach, -1);
    }
    const struct btk_worker_page *seen = page.address;
    cr_assert_eq(btk_worker_page_get(&seen->shards), 20);
    cr_assert_eq(btk_worker_page_get(&seen->started_shard_id), 0);
}

Test(worker_session, memory_of_one_shard_comes_before_its_report)
{
    ready_worker(false);
    attach_client();
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    (void)take_results(&memory);
    btk_shared_memory_clear(&memory);
    const struct btk_assignment assignment = make_assignment(9, BTK_ASSIGNMENT_OWN_MEMFD);
    assign(EPOCH, &assignment, 1);
    const struct btk_shard_report report = take_report();
    const struct btk_control_results results = take_results(&memory);
    cr_assert_eq(report.status, BTK_STATUS_OK);
    cr_assert_eq(results.shard_id, 9);
    cr_assert_eq(results.results_id, report.results_id);
    cr_assert_eq(report.results_id >> 32, EPOCH);
    expect_abc(&memory, 0);
    btk_shared_memory_clear(&memory);
}

Test(worker_session, many_shards_are_reported_in_order_and_old_epochs_dropped)
{
    ready_worker(false);
    attach_client();
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    (void)take_results(&memory);
    struct btk_assignment assignments[8];
    for (uint32_t i = 0; i < 8; i++) {
        assignments[i] = make_assignment(i + 1, 0);
        assignments[i].result_offset = i * 4096;
        if (i == 3) assignments[i].epoch = EPOCH - 1;
    }
    assign(EPOCH - 1, assignments, 8);
    for (int round = 0; round < 50; round++) {
        struct btk_shard_report reports[7];
        assign(EPOCH, assignments, 8);
        take_reports(reports, 7);
        for (uint64_t i = 0; i < 7; i++) {
            const uint64_t id = i < 3 ? i + 1 : i + 2;
            cr_assert_eq(reports[i].shard_id, id);
            expect_abc(&memory, (id - 1) * 4096);
        }
    }
    btk_shared_memory_clear(&memory);
}

Test(worker_session, an_image_that_is_none_is_answered_with_a_reason)
{
    start_worker(false);
    join_worker();
    load_image("nonsense");
    const struct btk_control_message answer = take_from_router(BTK_CONTROL_IMAGE_READY);
    cr_assert_eq(answer.image_ready.status, EPROTO);
    cr_assert_str_eq(answer.image_ready.message, "not an image");
}

Test(worker_session, messages_that_make_no_sense_change_nothing)
{
    ready_worker(false);
    const struct btk_control_message strange = {.kind = BTK_CONTROL_SLAB_REQUEST};
    send_by_router(&strange);
    send_by_channel(&strange, -1);
    const struct btk_control_message no_fd = {.kind = BTK_CONTROL_ATTACH_SLAB};
    send_by_channel(&no_fd, -1);
    cr_assert_eq(btk_socket_send(router, incarnation, "noise", 5), 0);
    cr_assert_eq(btk_fd_channel_send(channel_fd, "noise", 5, NULL, 0), 0);
    const struct btk_control_message ping = {.kind = BTK_CONTROL_PING, .ping = {.sequence = 5}};
    send_by_router(&ping);
    cr_assert_eq(take_from_router(BTK_CONTROL_PONG).pong.sequence, 5);
}

Test(worker_session, drain_finishes_what_was_assigned)
{
    ready_worker(false);
    attach_client();
    struct btk_assignment assignments[3];
    for (uint32_t i = 0; i < 3; i++) assignments[i] = make_assignment(i + 1, 0);
    assign(EPOCH, assignments, 3);
    drain_worker();
    struct btk_shard_report reports[3];
    take_reports(reports, 3);
    for (uint64_t id = 1; id <= 3; id++) cr_assert_eq(reports[id - 1].shard_id, id);
    (void)take_from_router(BTK_CONTROL_DRAINED);
    cr_assert_eq(exit_status(), 0);
}

Test(worker_session, one_started_by_hand_comes_back_after_a_drain)
{
    uint8_t before[sizeof incarnation];
    ready_worker(true);
    memcpy(before, incarnation, sizeof before);
    drain_worker();
    (void)take_from_router(BTK_CONTROL_DRAINED);
    close(channel_fd);
    join_worker();
    cr_assert_neq(memcmp(before, incarnation, sizeof before), 0);
    kill(worker_pid, SIGTERM);
    (void)take_from_router(BTK_CONTROL_DRAINED);
    cr_assert_eq(exit_status(), 0);
}

Test(worker_session, a_drain_is_not_overlooked_while_memory_is_made)
{
    ready_worker(false);
    make_results(UINT64_C(128) << 20);
    usleep(5000);
    drain_worker();
    (void)take_from_router(BTK_CONTROL_DRAINED);
    cr_assert_eq(exit_status(), 0);
}

Test(worker_session, a_spawned_worker_ends_with_its_coordinator_but_not_by_a_signal)
{
    ready_worker(false);
    kill(worker_pid, SIGTERM);
    kill(worker_pid, SIGINT);
    const struct btk_control_message ping = {.kind = BTK_CONTROL_PING};
    send_by_router(&ping);
    (void)take_from_router(BTK_CONTROL_PONG);
    close(channel_fd);
    channel_fd = -1;
    cr_assert_eq(exit_status(), 0);
}

Test(worker_session, one_started_by_hand_comes_back_as_a_new_incarnation_and_leaves_by_a_signal)
{
    uint8_t before[sizeof incarnation];
    ready_worker(true);
    memcpy(before, incarnation, sizeof before);
    close(channel_fd);
    join_worker();
    cr_assert_neq(memcmp(before, incarnation, sizeof before), 0);
    kill(worker_pid, SIGTERM);
    (void)take_from_router(BTK_CONTROL_DRAINED);
    cr_assert_eq(exit_status(), 0);
}

Test(worker_session, says_that_no_cluster_answers_or_that_it_refuses)
{
    const struct btk_worker_options options = {endpoint.text, -1, true};
    struct btk_error error = {0};
    cr_assert_eq(btk_worker_run(&options, &error), -ENOENT);
    start_worker(true);
    accept_hello();
    const struct btk_control_message refused = {
        .kind = BTK_CONTROL_REFUSED,
        .refused = {.code = EPERM, .message = "not you"},
    };
    send_by_channel(&refused, -1);
    cr_assert_eq(exit_status(), EACCES);
}
