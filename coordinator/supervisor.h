// SPDX-License-Identifier: Apache-2.0
// Starts the workers of `serve` and starts them again when they die.
//
// The program is `budtiktok-worker` beside our own, or $BUDTIKTOK_WORKER. A child gets a
// parent-death signal before it becomes the worker, so it never outlives the coordinator. A death
// before the first finished shard delays the next start: 100 ms, doubled up to 10 s; any other
// death is followed by a start at once.
//
// Threads: the loop's (the parent-death signal is that of the thread that starts).
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_coordinator;
struct btk_worker_entry;

// Where the worker's program is. -ENOENT with both places in the message.
BTK_MUST_USE int btk_supervisor_find_program(char *out_path, size_t capacity_bytes,
                                             struct btk_error *error);

// Starts all places that are ours, empty and due.
void btk_supervisor_fill(struct btk_coordinator *coordinator, uint64_t now_ns);

// The worker of this place is dead. Says of what: the signal that ended it, or 0.
int btk_supervisor_reap(struct btk_worker_entry *worker, uint64_t now_ns);
