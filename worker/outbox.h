// SPDX-License-Identifier: Apache-2.0
// Control messages on their way to the coordinator. A socket that does not take one now (its
// connection is still being made, or the coordinator is slow) makes it wait here, so that the order
// stays and nothing of the loop blocks.
//
// Ownership: owns the waiting frames, borrows the socket. Threads: one.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base.h"
#include "common/buffer.h"
#include "ipc/control.h"
#include "ipc/socket.h"

enum { BTK_OUTBOX_BYTES_MAX = 1 << 20, BTK_OUTBOX_FRAME_BYTES_MAX = 2048 };

struct btk_outbox {
    struct btk_buffer frames; // each: uint32_t length, bytes
    size_t sent_bytes;        // of frames
};

// Sends the message, after what waits. 0 also when it waits now. -ENOBUFS: more than
// BTK_OUTBOX_BYTES_MAX wait; -EMSGSIZE; -ENOMEM; or what the socket said.
BTK_MUST_USE int btk_outbox_send(struct btk_outbox *outbox, struct btk_socket *socket,
                                 const struct btk_control_message *message);

// Sends what waits, as far as the socket takes it.
BTK_MUST_USE int btk_outbox_flush(struct btk_outbox *outbox, struct btk_socket *socket);

static inline bool btk_outbox_is_empty(const struct btk_outbox *outbox)
{
    return outbox->frames.length == 0;
}

void btk_outbox_clear(struct btk_outbox *outbox);
