// SPDX-License-Identifier: Apache-2.0
// The event loop of a process: descriptors, timers and signals on one epoll, in one thread.
//
// Handlers run one after the other on the thread that runs the loop and must not block. A handler
// may add and remove descriptors, its own too: a removed one is not called again, not even for an
// event that had been reported already.
//
// Ownership: the loop borrows the descriptors and contexts that it is given, and owns its epoll,
// timer and signal descriptors. Threads: one, except btk_loop_stop(), which is for handlers too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"

struct btk_loop;

// `events` is a set of EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR.
typedef void btk_loop_fd_fn(void *context, int fd, uint32_t events);
typedef void btk_loop_timer_fn(void *context);
typedef void btk_loop_signal_fn(void *context, int signal_number);
// Runs at the end of every turn, after all handlers.
typedef void btk_loop_turn_fn(void *context);

BTK_MUST_USE int btk_loop_new(struct btk_loop **out_loop); // -ENOMEM, -errno
void btk_loop_free(struct btk_loop **loop);                // NULL and half-built are fine

// Level-triggered. -EEXIST when it is there already, -ENOMEM, -errno.
BTK_MUST_USE int btk_loop_add_fd(struct btk_loop *loop, int fd, uint32_t events,
                                 btk_loop_fd_fn *handler, void *context);
BTK_MUST_USE int btk_loop_modify_fd(struct btk_loop *loop, int fd, uint32_t events);
// Before the descriptor is closed. Unknown ones are ignored.
void btk_loop_remove_fd(struct btk_loop *loop, int fd);

// Every `interval_ns` from now on; late turns are not made up for. *out_timer_fd is the handle for
// btk_loop_remove_timer().
BTK_MUST_USE int btk_loop_add_timer(struct btk_loop *loop, uint64_t interval_ns,
                                    btk_loop_timer_fn *handler, void *context, int *out_timer_fd);
void btk_loop_remove_timer(struct btk_loop *loop, int timer_fd);

// Blocks the signal for the thread and hands it to the handler instead. Call before other threads
// start, so that they inherit the mask. All signals share one handler and context.
BTK_MUST_USE int btk_loop_add_signal(struct btk_loop *loop, int signal_number,
                                     btk_loop_signal_fn *handler, void *context);

void btk_loop_set_turn(struct btk_loop *loop, btk_loop_turn_fn *handler, void *context);

// Runs until btk_loop_stop(). 0, or -errno when waiting failed.
BTK_MUST_USE int btk_loop_run(struct btk_loop *loop);
// One turn: waits up to timeout_ms (-1: without end, 0: not at all). The number of events, -errno.
BTK_MUST_USE int btk_loop_turn(struct btk_loop *loop, int timeout_ms);
void btk_loop_stop(struct btk_loop *loop);
