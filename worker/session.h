// SPDX-License-Identifier: Apache-2.0
// One incarnation of a worker: from the hello to one coordinator until that one is gone or has said
// goodbye. The next incarnation begins with nothing of this one.
//
//     open:   P.fd hello_worker + page  ->  welcome_worker  ->  DEALER, pinned, register_worker
//     turn:   receive everything from both channels, then work on one shard
//
// Both channels are emptied before each shard: an assignment over ZeroMQ may overtake the descriptor
// of the slab that it names, which was sent before it over P.fd.
//
// Reports of quick shards travel together while more wait: a message costs coordinator, client and
// ZeroMQ's threads more than a tenth of the time that a shard of 64 KiB takes.
//
// Ownership: owns its sockets, its page and all that was loaded; borrows the loop. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "common/process_loop.h"
#include "ipc/control.h"
#include "ipc/endpoint.h"
#include "ipc/fd_channel.h"
#include "ipc/shared_memory.h"
#include "ipc/socket.h"
#include "worker/outbox.h"
#include "worker/shard_queue.h"
#include "worker/shard_runner.h"

enum { BTK_WORKER_REPORTS_MAX = 8 }; // in one message

struct btk_worker_session {
    struct btk_loop *loop;
    struct btk_endpoint endpoint;
    int cpu;        // -1: what the coordinator says
    int channel_fd; // P.fd; -1: none
    struct btk_socket *socket;
    struct btk_shared_memory page_memory;
    struct btk_worker_page *page;
    uint8_t incarnation[BTK_SOCKET_ROUTING_BYTES];
    struct btk_shard_runner runner;
    struct btk_shard_queue queue;
    struct btk_shard_report reports[BTK_WORKER_REPORTS_MAX]; // finished, not sent yet
    unsigned report_count;
    uint64_t report_by_ns; // when they are to be sent at the latest
    struct btk_outbox outbox;
    bool is_draining;       // no new shards
    uint64_t drained_at_ns; // when the last word was said; 0: not yet
    bool is_lost;           // the coordinator is gone, or does not make sense any more
    uint8_t frame[BTK_CONTROL_FRAME_MAX];
};

// A message with its descriptors. What a handler does not take, it leaves to be closed.
struct btk_worker_message {
    struct btk_control_message control; // borrows from the frame of the session
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned fd_count;
};

// Nothing is open yet. -ENOMEM.
BTK_MUST_USE int btk_worker_session_new(struct btk_loop *loop, const struct btk_endpoint *endpoint,
                                        int cpu, struct btk_worker_session **out_session);

// Says hello and waits for the welcome. -ENOENT: no cluster answers; -EACCES: it refuses;
// -ETIMEDOUT; -EPROTO; -ENOMEM; a message in every case. The session is to be freed after it.
BTK_MUST_USE int btk_worker_session_open(struct btk_worker_session *session,
                                         struct btk_error *error);

// One turn of work, without waiting. Sets is_lost when there is no more to come.
void btk_worker_session_turn(struct btk_worker_session *session);

// Over ZeroMQ; what fails loses the session.
void btk_worker_session_send(struct btk_worker_session *session,
                             const struct btk_control_message *message);

// Over P.fd, waiting for a coordinator that is busy for as long as it may be. -EPIPE, -ETIMEDOUT.
BTK_MUST_USE int btk_worker_session_send_fd(struct btk_worker_session *session,
                                            const struct btk_control_message *message, int fd);

void btk_worker_session_free(struct btk_worker_session **session); // NULL and half-built are fine

// control_handlers.c: what each message does. One that makes no sense is logged and has no effect.
void btk_worker_session_handle(struct btk_worker_session *session,
                               struct btk_worker_message *message);
