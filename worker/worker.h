// SPDX-License-Identifier: Apache-2.0
// A worker of the cluster: joins a coordinator, turns shards into blocks of results until that one
// says drain or is gone. `budtiktok-worker` is this function in a process of its own.
//
// Ownership: the caller owns options and what they point to. Threads: one of ours; those of libzmq
// beside it.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/error.h"

struct btk_worker_options {
    const char *endpoint; // ipc://P; NULL: the default endpoint
    int cpu;              // to pin to; -1: what the coordinator says
    bool reconnect;       // started by hand: outlives its coordinator, and leaves on SIGTERM or
                          // SIGINT. Without it both signals are left to the coordinator, which gets
                          // them too and drains
    bool takes_profiles;  // of encode: budtiktok/profile.h
};

// 0 when it was told to leave, or, with reconnect off, after a drain or when the coordinator is gone. -ENOENT: no cluster
// answers; -EACCES: it refuses; other errors with a message.
BTK_MUST_USE int btk_worker_run(const struct btk_worker_options *options, struct btk_error *error);
