// SPDX-License-Identifier: Apache-2.0
#include "ipc/fd_channel.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"

// Newer than Debian 12's headers; Linux 6.5.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum { LISTEN_BACKLOG = 128, NS_PER_MS = 1000000 };

static int make_address(const char *path, struct sockaddr_un *out_address)
{
    if (strlen(path) >= sizeof out_address->sun_path) return -ENAMETOOLONG;
    memset(out_address, 0, sizeof *out_address);
    out_address->sun_family = AF_UNIX;
    strcpy(out_address->sun_path, path);
    return 0;
}

static int fail(int fd, int code, const char *path, struct btk_error *error)
{
    if (fd >= 0) close(fd);
    return btk_error_set(error, code, BTK_NO_OFFSET, "%s: %s", path, strerror(code));
}

int btk_fd_channel_listen(const char *path, int *out_fd, struct btk_error *error)
{
    struct sockaddr_un address;
    if (make_address(path, &address) != 0) return fail(-1, ENAMETOOLONG, path, error);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(fd, errno, path, error);
    if (unlink(path) != 0 && errno != ENOENT) return fail(fd, errno, path, error);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0
        || listen(fd, LISTEN_BACKLOG) != 0)
        return fail(fd, errno, path, error);
    *out_fd = fd;
    return 0;
}

int btk_fd_channel_connect(const char *path, int *out_fd, struct btk_error *error)
{
    struct sockaddr_un address;
    if (make_address(path, &address) != 0) return fail(-1, ENAMETOOLONG, path, error);
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(fd, errno, path, error);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return fail(fd, errno, path, error);
    *out_fd = fd;
    return 0;
}

int btk_pidfd_open(pid_t pid, int *out_pidfd)
{
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return -errno;
    *out_pidfd = fd;
    return 0;
}

int btk_pidfd_kill(int pidfd, int signal_number)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) != 0 ? -errno : 0;
}

int btk_fd_channel_accept(int listen_fd, int *out_fd, struct btk_peer *out_peer)
{
    const int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    struct ucred credentials = {0};
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
        const int code = errno;
        close(fd);
        return -code;
    }
    int pidfd = -1;
    length = sizeof pidfd;
    // Without SO_PEERPIDFD a pid could be another process by now; what it says is checked by uid.
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) != 0
        && btk_pidfd_open(credentials.pid, &pidfd) != 0)
        pidfd = -1;
    *out_peer = (struct btk_peer){credentials.pid, credentials.uid, credentials.gid, pidfd};
    *out_fd = fd;
    return 0;
}

int btk_fd_channel_send(int fd, const void *message, size_t length, const int *fds,
                        unsigned fd_count)
{
    if (length == 0 || length > BTK_FD_CHANNEL_MESSAGE_MAX || fd_count > BTK_FD_CHANNEL_FDS_MAX)
        return -EMSGSIZE;
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = length};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * BTK_FD_CHANNEL_FDS_MAX)] = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > 0) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
    }
    ssize_t sent;
    do sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return 0;
}

int btk_fd_channel_send_patiently(int fd, const void *message, size_t length, const int *fds,
                                  unsigned fd_count, int timeout_ms)
{
    const uint64_t end_ns = btk_clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    for (;;) {
        const int rc = btk_fd_channel_send(fd, message, length, fds, fd_count);
        if (rc != -EAGAIN && rc != -ETOOMANYREFS) return rc;
        const uint64_t now_ns = btk_clock_now_ns();
        if (now_ns >= end_ns) return -ETIMEDOUT;
        struct pollfd room = {.fd = fd, .events = POLLOUT};
        const int left_ms = (int)((end_ns - now_ns) / NS_PER_MS) + 1;
        // For the descriptors of others there is nothing to wait on but time.
        (void)poll(&room, rc == -EAGAIN, rc == -EAGAIN ? left_ms : 1);
    }
}

// Takes the descriptors out of the control part; those beyond the room are closed.
static unsigned take_fds(struct msghdr *header, int out_fds[BTK_FD_CHANNEL_FDS_MAX])
{
    unsigned count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const size_t fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < fds; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (count < BTK_FD_CHANNEL_FDS_MAX)
                out_fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

void btk_fd_channel_close_fds(int *fds, unsigned fd_count)
{
    for (unsigned i = 0; i < fd_count; i++) {
        if (fds[i] >= 0) close(fds[i]);
        fds[i] = -1;
    }
}

int btk_fd_channel_receive(int fd, void *out_message, size_t capacity_bytes, size_t *out_length,
                           int out_fds[BTK_FD_CHANNEL_FDS_MAX], unsigned *out_fd_count)
{
    struct iovec part = {.iov_base = out_message, .iov_len = capacity_bytes};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * BTK_FD_CHANNEL_FDS_MAX)];
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t length;
    do length = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    if (length < 0) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned count = take_fds(&header, fds);
    // The kernel closes what did not fit into the control part and says so.
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        btk_fd_channel_close_fds(fds, count);
        return -EMSGSIZE;
    }
    memcpy(out_fds, fds, count * sizeof fds[0]);
    *out_fd_count = count;
    *out_length = (size_t)length;
    return 0;
}
