// SPDX-License-Identifier: Apache-2.0
// One connection to one coordinator: the descriptor channel, the two pages with their rings, and the
// doorbells. It knows how messages travel, not what they mean.
//
// Ownership: owns all of it. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "ipc/client_page.h"
#include "ipc/control.h"
#include "ipc/endpoint.h"
#include "ipc/fd_channel.h"
#include "ipc/ring.h"
#include "ipc/shared_memory.h"

struct btk_connection {
    int fd;       // P.fd; -1: not connected
    int bell_out; // rung after a submission
    int bell_in;  // rung after a completion
    struct btk_shared_memory client_page;
    struct btk_shared_memory server_page;
    struct btk_ring submissions;
    struct btk_ring completions;
    struct btk_control_welcome_client welcome;
    uint8_t frame[BTK_FD_CHANNEL_MESSAGE_MAX]; // the message received last
};

// What to say in hello.
struct btk_connection_options {
    const char *name;
    uint64_t slab_bytes;
    uint64_t results_bytes;
};

// A message with its descriptors; what is not taken (set to -1) is closed by the next receive.
struct btk_connection_message {
    struct btk_control_message control;
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned fd_count;
};

// The state before open and after close.
void btk_connection_init(struct btk_connection *connection);

// Connects and shakes hands until `deadline_ns`. -ENOENT, -ECONNREFUSED: nothing listens; -EACCES:
// refused; -ETIMEDOUT; -EPROTO.
BTK_MUST_USE int btk_connection_open(struct btk_connection *connection,
                                     const struct btk_endpoint *endpoint,
                                     const struct btk_connection_options *options,
                                     uint64_t deadline_ns, struct btk_error *error);

void btk_connection_close(struct btk_connection *connection);

// -ECONNRESET: the coordinator is gone; -EAGAIN: it does not read.
BTK_MUST_USE int btk_connection_send(struct btk_connection *connection,
                                     const struct btk_control_message *message, const int *fds,
                                     unsigned fd_count);

// One message; -EAGAIN: none waits; -ECONNRESET; -EPROTO.
BTK_MUST_USE int btk_connection_receive(struct btk_connection *connection,
                                        struct btk_connection_message *out_message,
                                        struct btk_error *error);

void btk_connection_close_message(struct btk_connection_message *message);

// Waits until the channel or the doorbell is readable. True: something is; false: time is up.
bool btk_connection_poll(const struct btk_connection *connection, uint64_t deadline_ns);

// The same for the channel alone.
bool btk_connection_poll_channel(const struct btk_connection *connection, uint64_t deadline_ns);
