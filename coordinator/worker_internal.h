// SPDX-License-Identifier: Apache-2.0
// What the files of the worker table share.
#pragma once

#include "coordinator/worker_table.h"

// A worker that does not take its messages is killed.
void btk_worker_send(struct btk_worker_entry *worker, const struct btk_control_message *message,
                     const int *fds, unsigned fd_count);
// Takes what waits in the worker's channel.
void btk_worker_drain_channel(struct btk_worker_entry *worker);

// Its process has ended, or it is not ours and has left: the place is free.
void btk_worker_table_bury(struct btk_worker_entry *worker, uint64_t now_ns);
// The worker has registered: its images go out.
void btk_worker_send_images(struct btk_worker_entry *worker);
// It has all images: every client and slab goes out, and work may come.
void btk_worker_become_ready(struct btk_worker_entry *worker);
