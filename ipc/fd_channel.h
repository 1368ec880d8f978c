// SPDX-License-Identifier: Apache-2.0
// P.fd: the SEQPACKET socket beside the control socket, over which hello, descriptors and liveness
// go. One message is one packet; descriptors ride on it by SCM_RIGHTS.
//
// Ownership: descriptors that receive gives out belong to the caller; those it does not have room
// for are closed. Sent descriptors stay the sender's. Threads: no state.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base.h"
#include "common/error.h"

enum { BTK_FD_CHANNEL_MESSAGE_MAX = 64 * 1024, BTK_FD_CHANNEL_FDS_MAX = 8 };

struct btk_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    int pidfd; // -1: the peer is gone already
};

// Binds and listens (non-blocking). A socket file that is in the way is removed: the caller holds
// the lock.
BTK_MUST_USE int btk_fd_channel_listen(const char *path, int *out_fd, struct btk_error *error);

// Connects (the result is non-blocking). -ENOENT or -ECONNREFUSED: nobody listens; -EAGAIN: busy.
BTK_MUST_USE int btk_fd_channel_connect(const char *path, int *out_fd, struct btk_error *error);

// Takes one waiting connection with its peer's credentials. -EAGAIN: none waits. Whether the peer
// may be here is the caller's decision.
BTK_MUST_USE int btk_fd_channel_accept(int listen_fd, int *out_fd, struct btk_peer *out_peer);

// Sends one message with `fd_count` descriptors. -EAGAIN: the peer does not read; -EPIPE: gone;
// -ETOOMANYREFS: this user has too many descriptors on their way; to be tried again some
// milliseconds later, since no event tells when they have arrived.
BTK_MUST_USE int btk_fd_channel_send(int fd, const void *message, size_t length, const int *fds,
                                     unsigned fd_count);

// The same, and waits up to `timeout_ms` for either to pass. -ETIMEDOUT.
BTK_MUST_USE int btk_fd_channel_send_patiently(int fd, const void *message, size_t length,
                                               const int *fds, unsigned fd_count, int timeout_ms);

// Receives one message. *out_length 0 with return 0: the peer has closed. -EAGAIN: none waits;
// -EMSGSIZE: longer than the room (its descriptors are closed); -ECONNRESET.
BTK_MUST_USE int btk_fd_channel_receive(int fd, void *out_message, size_t capacity_bytes,
                                        size_t *out_length, int out_fds[BTK_FD_CHANNEL_FDS_MAX],
                                        unsigned *out_fd_count);

// Closes descriptors and sets them to -1.
void btk_fd_channel_close_fds(int *fds, unsigned fd_count);

// SIGKILL without a race for the pid. 0, or -ESRCH when it is dead already.
BTK_MUST_USE int btk_pidfd_open(pid_t pid, int *out_pidfd);
BTK_MUST_USE int btk_pidfd_kill(int pidfd, int signal_number);
