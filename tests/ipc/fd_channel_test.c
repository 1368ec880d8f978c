// SPDX-License-Identifier: Apache-2.0
#include "ipc/fd_channel.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct channel {
    char folder[64];
    char path[96];
    int listener, client, server;
    struct btk_peer peer;
};

static void open_channel(struct channel *channel)
{
    struct btk_error error;
    strcpy(channel->folder, "/tmp/btk-fd-channel-XXXXXX");
    cr_assert_not_null(mkdtemp(channel->folder));
    snprintf(channel->path, sizeof channel->path, "%s/control.fd", channel->folder);
    cr_assert_eq(btk_fd_channel_listen(channel->path, &channel->listener, &error), 0, "%s",
                 error.message);
    cr_assert_eq(btk_fd_channel_accept(channel->listener, &channel->server, &channel->peer),
                 -EAGAIN);
    cr_assert_eq(btk_fd_channel_connect(channel->path, &channel->client, &error), 0, "%s",
                 error.message);
    cr_assert_eq(btk_fd_channel_accept(channel->listener, &channel->server, &channel->peer), 0);
}

static void close_channel(struct channel *channel)
{
    close(channel->listener);
    if (channel->client >= 0) close(channel->client);
    close(channel->server);
    if (channel->peer.pidfd >= 0) close(channel->peer.pidfd);
    unlink(channel->path);
    rmdir(channel->folder);
}

static size_t count_open(void)
{
    size_t count = 0;
    DIR *const folder = opendir("/proc/self/fd");
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static int receive(int fd, char *message, size_t capacity, size_t *out_length, int *fds,
                   unsigned *out_count)
{
    *out_length = 777;
    *out_count = 777;
    return btk_fd_channel_receive(fd, message, capacity, out_length, fds, out_count);
}

Test(fd_channel, the_peer_is_who_the_kernel_says)
{
    struct channel channel;
    open_channel(&channel);
    cr_expect_eq(channel.peer.pid, getpid());
    cr_expect_eq(channel.peer.uid, geteuid());
    cr_expect_geq(channel.peer.pidfd, 0);
    cr_expect(fcntl(channel.server, F_GETFD) & FD_CLOEXEC);
    close_channel(&channel);
}

Test(fd_channel, a_message_comes_whole_with_its_descriptors)
{
    struct channel channel;
    char message[64];
    size_t length;
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned count;
    open_channel(&channel);
    const int memory = memfd_create("test", 0);
    cr_assert_eq(write(memory, "shared", 6), 6);
    const int sent[2] = {memory, channel.client};
    cr_assert_eq(btk_fd_channel_send(channel.client, "first", 5, sent, 2), 0);
    cr_assert_eq(btk_fd_channel_send(channel.client, "2nd", 3, NULL, 0), 0);
    cr_assert_eq(receive(channel.server, message, sizeof message, &length, fds, &count), 0);
    cr_expect_eq(length, 5);
    cr_expect_eq(count, 2);
    cr_expect(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
    char content[8] = "";
    cr_expect_eq(pread(fds[0], content, 6, 0), 6);
    cr_expect_str_eq(content, "shared");
    btk_fd_channel_close_fds(fds, count);
    cr_expect_eq(fds[0], -1);
    cr_assert_eq(receive(channel.server, message, sizeof message, &length, fds, &count), 0);
    cr_expect_eq(length, 3);
    cr_expect_eq(count, 0);
    cr_expect_eq(receive(channel.server, message, sizeof message, &length, fds, &count), -EAGAIN);
    close(memory);
    close_channel(&channel);
}

Test(fd_channel, the_end_of_the_peer_is_a_message_of_no_bytes)
{
    struct channel channel;
    char message[64];
    size_t length;
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned count;
    open_channel(&channel);
    close(channel.client);
    channel.client = -1;
    cr_expect_eq(receive(channel.server, message, sizeof message, &length, fds, &count), 0);
    cr_expect_eq(length, 0);
    cr_expect_eq(btk_fd_channel_send(channel.server, "x", 1, NULL, 0), -EPIPE);
    close_channel(&channel);
}

Test(fd_channel, a_message_without_bytes_or_too_long_is_not_sent)
{
    static char large[BTK_FD_CHANNEL_MESSAGE_MAX + 1];
    struct channel channel;
    open_channel(&channel);
    cr_expect_eq(btk_fd_channel_send(channel.client, large, 0, NULL, 0), -EMSGSIZE);
    cr_expect_eq(btk_fd_channel_send(channel.client, large, sizeof large, NULL, 0), -EMSGSIZE);
    cr_expect_eq(btk_fd_channel_send(channel.client, large, sizeof large - 1, NULL, 0), 0);
    int fds[BTK_FD_CHANNEL_FDS_MAX + 1] = {0};
    cr_expect_eq(btk_fd_channel_send(channel.client, large, 1, fds, BTK_FD_CHANNEL_FDS_MAX + 1),
                 -EMSGSIZE);
    close_channel(&channel);
}

// Sends more descriptors than there is room for, as no sender of ours does.
static void send_many(int fd, const char *bytes, unsigned fd_count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 64)] = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = strlen(bytes)};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = CMSG_SPACE(sizeof(int) * fd_count)};
    struct cmsghdr *const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    for (unsigned i = 0; i < fd_count; i++)
        memcpy(CMSG_DATA(rights) + i * sizeof(int), &fd, sizeof fd);
    cr_assert_eq(sendmsg(fd, &header, 0), (ssize_t)strlen(bytes));
}

Test(fd_channel, no_descriptor_of_a_refused_message_stays_open)
{
    struct channel channel;
    char message[4];
    size_t length;
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned count;
    open_channel(&channel);
    const size_t before = count_open();
    const int sent[1] = {channel.client};
    cr_assert_eq(btk_fd_channel_send(channel.client, "too long", 8, sent, 1), 0);
    cr_expect_eq(receive(channel.server, message, sizeof message, &length, fds, &count), -EMSGSIZE);
    send_many(channel.client, "many", 40);
    cr_expect_eq(receive(channel.server, message, sizeof message, &length, fds, &count), -EMSGSIZE);
    cr_expect_eq(length, 777);
    cr_expect_eq(count_open(), before);
    close_channel(&channel);
}

Test(fd_channel, a_peer_that_does_not_read_makes_no_sender_wait)
{
    static char message[32 * 1024];
    struct channel channel;
    open_channel(&channel);
    int status = 0;
    for (int i = 0; i < 1000 && status == 0; i++)
        status = btk_fd_channel_send(channel.client, message, sizeof message, NULL, 0);
    cr_expect_eq(status, -EAGAIN);
    close_channel(&channel);
}

Test(fd_channel, nobody_who_listens_is_told_apart_from_a_stale_file)
{
    struct channel channel;
    struct btk_error error;
    int fd = 77;
    open_channel(&channel);
    close(channel.listener);
    cr_expect_eq(btk_fd_channel_connect(channel.path, &fd, &error), -ECONNREFUSED);
    cr_expect_not_null(strstr(error.message, channel.path));
    cr_expect_eq(btk_fd_channel_listen(channel.path, &channel.listener, &error), 0);
    cr_expect_eq(btk_fd_channel_connect("/nonexistent/control.fd", &fd, &error), -ENOENT);
    cr_expect_eq(fd, 77);
    char path[200];
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    cr_expect_eq(btk_fd_channel_connect(path, &fd, &error), -ENAMETOOLONG);
    cr_expect_eq(btk_fd_channel_listen(path, &fd, &error), -ENAMETOOLONG);
    close_channel(&channel);
}

Test(fd_channel, a_pidfd_kills_and_then_knows_that_it_did)
{
    int pidfd = -1;
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    cr_assert_eq(btk_pidfd_open(child, &pidfd), 0);
    cr_expect_eq(btk_pidfd_kill(pidfd, SIGKILL), 0);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFSIGNALED(status));
    cr_expect_eq(btk_pidfd_kill(pidfd, SIGKILL), -ESRCH);
    cr_expect_lt(btk_pidfd_open(child, &pidfd), 0);
    close(pidfd);
}
