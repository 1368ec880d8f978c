// SPDX-License-Identifier: Apache-2.0
#include "coordinator/channel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS_MAX = 64, MESSAGES = 8, USERS_BASE = 1 << 24 };

static void on_event(void *context, int fd, uint32_t events)
{
    (void)fd;
    if ((events & EPOLLOUT) != 0) cr_assert_eq(btk_channel_flush(context), 0);
}

static void open_pair(int out_fds[2])
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_fds), 0);
}

// Descriptors of this user that stay on their way, until the system takes no more. False: it never
// says so, as for one with CAP_SYS_RESOURCE.
static bool try_fill(int *out_pair)
{
    const int fds[4] = {0, 0, 0, 0};
    open_pair(out_pair);
    for (int i = 0; i < FDS_MAX; i++)
        if (btk_fd_channel_send(out_pair[0], "x", 1, fds, 4) == -ETOOMANYREFS) return true;
    return false;
}

// A limit of this process, and as a user that nothing else runs as: descriptors on their way count
// for a user, and tests run side by side.
static bool try_few_descriptors(void)
{
    const struct rlimit few = {FDS_MAX, FDS_MAX};
    const uid_t user = USERS_BASE + (uid_t)getpid();
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) return false;
    return geteuid() != 0 || setresuid(user, user, user) == 0;
}

static void send_number(struct btk_channel *channel, uint64_t number, int fd)
{
    const struct btk_control_message message = {.kind = BTK_CONTROL_PING,
                                                .ping = {.sequence = number}};
    cr_assert_eq(btk_channel_send(channel, &message, &fd, 1), 0);
}

static void expect_number(int fd, uint64_t number)
{
    uint8_t frame[256];
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned fd_count = 0;
    size_t length = 0;
    struct btk_control_message message;
    struct btk_error error;
    cr_assert_eq(btk_fd_channel_receive(fd, frame, sizeof frame, &length, fds, &fd_count), 0);
    cr_assert_eq(btk_control_decode((struct btk_bytes){frame, length}, &message, &error), 0);
    cr_assert_eq(message.kind, BTK_CONTROL_PING);
    cr_assert_eq(message.ping.sequence, number);
    cr_assert_eq(fd_count, 1);
    btk_fd_channel_close_fds(fds, fd_count);
}

Test(channel, keeps_what_carries_more_descriptors_than_the_system_takes_now)
{
    int other[2];
    int pair[2];
    struct btk_loop *loop = NULL;
    struct btk_channel channel = {.fd = -1};
    if (!try_few_descriptors() || !try_fill(other)) cr_skip_test("no limit of descriptors here");
    open_pair(pair);
    cr_assert_eq(btk_loop_new(&loop), 0);
    cr_assert_eq(btk_channel_open(&channel, loop, pair[0], on_event, &channel), 0);
    for (uint64_t i = 0; i < MESSAGES; i++) send_number(&channel, i, STDERR_FILENO);
    cr_assert_eq(channel.queued_count, MESSAGES);
    // Only a timer tries again.
    for (int i = 0; i < 4; i++) cr_assert_geq(btk_loop_turn(loop, 1000), 0);
    cr_assert_eq(channel.queued_count, MESSAGES);
    // The others arrive: closing their socket takes them off the way.
    close(other[0]);
    close(other[1]);
    for (int i = 0; i < 200 && channel.queued_count > 0; i++)
        cr_assert_geq(btk_loop_turn(loop, 1000), 0);
    cr_assert_eq(channel.queued_count, 0);
    cr_assert(!channel.is_retrying);
    for (uint64_t i = 0; i < MESSAGES; i++) expect_number(pair[1], i);
    btk_channel_close(&channel);
    close(pair[1]);
    btk_loop_free(&loop);
}

Test(channel, closes_while_it_waits_for_others)
{
    int other[2];
    int pair[2];
    struct btk_loop *loop = NULL;
    struct btk_channel channel = {.fd = -1};
    if (!try_few_descriptors() || !try_fill(other)) cr_skip_test("no limit of descriptors here");
    open_pair(pair);
    cr_assert_eq(btk_loop_new(&loop), 0);
    cr_assert_eq(btk_channel_open(&channel, loop, pair[0], on_event, &channel), 0);
    send_number(&channel, 1, STDERR_FILENO);
    cr_assert(channel.is_retrying);
    btk_channel_close(&channel);
    cr_assert_eq(btk_loop_turn(loop, 20), 0);
    btk_loop_free(&loop);
}
