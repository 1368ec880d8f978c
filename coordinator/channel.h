// SPDX-License-Identifier: Apache-2.0
// One connection of P.fd in the loop: control messages in, control messages out, with descriptors.
//
// What the peer does not read yet waits in a bounded queue with copies of its descriptors, so the
// loop never blocks on a peer. Who sends much asks whether it is congested first; a peer that lets
// the queue fill up is given up by the caller. The system limits how many descriptors of a user are
// on their way; what it does not take now waits too. A channel stays where it is in memory.
//
// Ownership: the channel owns its socket and what waits. Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "common/process_loop.h"
#include "ipc/control.h"
#include "ipc/fd_channel.h"

enum { BTK_CHANNEL_QUEUE_MAX = 65536, BTK_CHANNEL_CONGESTED = 32 };

struct btk_channel_message;

struct btk_channel {
    int fd; // -1: closed
    struct btk_loop *loop;
    btk_loop_fd_fn *handler;
    void *context;
    bool is_retrying; // too many descriptors are on their way: a timer says EPOLLOUT
    int retry_timer;
    struct btk_channel_message *first, *last; // not sent yet
    uint32_t queued_count;
};

// A message that was received; BYTES of it live until the next receive on any channel.
struct btk_channel_inbound {
    struct btk_control_message control;
    int fds[BTK_FD_CHANNEL_FDS_MAX]; // take one by setting it to -1; close_inbound closes the rest
    unsigned fd_count;
};

// Takes the socket into the loop. `handler` sees EPOLLIN and EPOLLHUP, and calls flush on EPOLLOUT.
// On failure the socket stays the caller's.
BTK_MUST_USE int btk_channel_open(struct btk_channel *channel, struct btk_loop *loop, int fd,
                                  btk_loop_fd_fn *handler, void *context);
void btk_channel_close(struct btk_channel *channel); // closed and zeroed ones (fd -1) are fine

// The same socket with another handler: a stranger has said who it is.
BTK_MUST_USE int btk_channel_hand_over(struct btk_channel *from, struct btk_channel *to,
                                       btk_loop_fd_fn *handler, void *context);

// Sends or queues. -ENOBUFS: the queue is full; -EPIPE, -ECONNRESET: the peer is gone.
BTK_MUST_USE int btk_channel_send(struct btk_channel *channel,
                                  const struct btk_control_message *message, const int *fds,
                                  unsigned fd_count);
BTK_MUST_USE int btk_channel_flush(struct btk_channel *channel);

// Whether the peer is behind with reading.
static inline bool btk_channel_is_congested(const struct btk_channel *channel)
{
    return channel->queued_count >= BTK_CHANNEL_CONGESTED;
}

// -EAGAIN: nothing waits; -ECONNRESET: the peer has closed; -EPROTO with a message.
BTK_MUST_USE int btk_channel_receive(struct btk_channel *channel,
                                     struct btk_channel_inbound *out_inbound,
                                     struct btk_error *error);
void btk_channel_close_inbound(struct btk_channel_inbound *inbound);
