// SPDX-License-Identifier: Apache-2.0
// The coordinator: takes batches from clients, cuts them into shards, hands these to workers, counts
// them off and tells the client. `budtiktok serve` is this function in a process of its own.
//
//     frontend (P.fd, rings)  ->  scheduler (pure)  ->  workers (ZeroMQ, P.fd)
//     supervisor: spawns workers, sees their death by pidfd        http: own thread, reads only
//
// Ownership: the caller owns options and what they point to. Threads: one, that of the HTTP server,
// and those that make slabs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/affinity.h"
#include "common/base.h"
#include "common/error.h"

enum { BTK_COORDINATOR_TOKENIZERS_MAX = 64 };

// "NAME=PATH"; path NULL: the embedded tokenizer of that name (wordpiece, bpe).
struct btk_coordinator_tokenizer {
    const char *name;
    const char *path;
};

// Compiles a tokenizer and writes the image to `image_fd`. Runs in a child process of its own with
// limits. 0, or a negative errno value with a message.
typedef int btk_coordinator_compile_fn(const struct btk_coordinator_tokenizer *tokenizer,
                                       int image_fd, struct btk_error *error);

// SIGHUP: reads the configuration again. What *out_options points to lives until the next call; of
// it the tokenizers are taken, all else takes a restart. 0, or a negative errno value with a
// message: everything stays as it is.
struct btk_coordinator_options;
typedef int btk_coordinator_reload_fn(void *context, struct btk_coordinator_options *out_options,
                                      struct btk_error *error);

struct btk_coordinator_options {
    btk_coordinator_compile_fn *compile; // the coordinator reads no tokenizer's file itself
    btk_coordinator_reload_fn *reload;   // NULL: SIGHUP does nothing
    void *reload_context;
    const char *listen;  // ipc://P; NULL: the default endpoint
    const char *http;    // "ADDR:PORT", or NULL for off
    bool shows_profiles; // of encode, which the workers take (budtiktok/profile.h)
    // What work over HTTP needs as "Authorization: Bearer". NULL: nothing, and loopback alone.
    const char *http_token;
    struct btk_coordinator_tokenizer tokenizers[BTK_COORDINATOR_TOKENIZERS_MAX];
    uint32_t tokenizer_count;    // 0: the embedded wordpiece and bpe; the first is the default one
    uint32_t worker_count;       // 0: as many as affinity and cgroup quota allow
    struct btk_cpu_list cpus;    // count 0: all that are available
    uint64_t shard_bytes;        // all of these: 0 is the default
    uint64_t results_bytes;      // of one (client, worker): 16 MiB
    uint64_t slab_limit_bytes;   // of one slab: 4 GiB
    uint64_t client_limit_bytes; // text in flight and results not released, per client: 4 GiB
    uint32_t client_limit;       // 256
    uint32_t batch_limit;        // in flight per client: 1024
    uint32_t credit_shards;      // 16
    uint64_t credit_bytes;       // 1 MiB
    uint32_t lease_ms;           // 1000
};

// Runs until SIGTERM or SIGINT; prints "ready listen=... http=... workers=N" on stdout when it is.
// 0 after a drain; -EADDRINUSE: another coordinator or another HTTP server is there (exit status 6);
// other errors with a message.
BTK_MUST_USE int btk_coordinator_run(const struct btk_coordinator_options *options,
                                     struct btk_error *error);
