// SPDX-License-Identifier: Apache-2.0
// Points in running programs that tools can look at from outside (USDT: bpftrace, perf, SystemTap,
// gdb). Each is one nop, and a note in the file that says where its arguments stand; nothing is
// asked, counted or branched on while nobody looks. ops/bpftrace has scripts, docs/profiling.md says
// how to use them.
//
//     coordinator   batch_enqueue ---> dispatch ---> (credit_zero)      epoch_bump
//     worker                              '--> tokenize_start ---> tokenize_done
//
// The provider is `budtiktok`. Names, order and meaning of arguments are promises; a new argument comes
// last. Without <sys/sdt.h> (Debian: systemtap-sdt-dev) or with -Dusdt=disabled there are none.
//
// Threads: no state. The only file that includes sys/sdt.h.
#pragma once

#include <stdint.h>

#include "common/base.h"

#ifndef BTK_USDT_DISABLED
#include <sys/sdt.h>
#define BTK_PROBE(name, count, ...) STAP_PROBE##count(budtiktok, name, __VA_ARGS__)
#else
#define BTK_PROBE(name, count, ...)
#endif

// The coordinator has admitted a batch. A refused one does not come here.
static inline void btk_probe_batch_enqueue(uint32_t client_id BTK_UNUSED,
                                           uint64_t batch_id BTK_UNUSED, // the client's own number
                                           uint64_t text_bytes BTK_UNUSED,
                                           uint32_t document_count BTK_UNUSED,
                                           uint64_t submitted_ns BTK_UNUSED) // CLOCK_MONOTONIC
{
    BTK_PROBE(batch_enqueue, 5, client_id, batch_id, text_bytes, document_count, submitted_ns);
}

// A shard goes to a worker; once more after the death of one that had it.
static inline void btk_probe_dispatch(uint64_t shard_id BTK_UNUSED, // never used again
                                      uint64_t batch_id BTK_UNUSED, uint32_t worker_id BTK_UNUSED,
                                      uint32_t epoch BTK_UNUSED, // of the worker's incarnation
                                      uint64_t shard_bytes BTK_UNUSED,
                                      uint64_t waited_ns BTK_UNUSED) // since it was submitted
{
    BTK_PROBE(dispatch, 6, shard_id, batch_id, worker_id, epoch, shard_bytes, waited_ns);
}

// A client has work and no worker has credit for it: it waits for the next report.
static inline void btk_probe_credit_zero(uint32_t client_id BTK_UNUSED,
                                         uint64_t queue_depth BTK_UNUSED, // of the cluster
                                         uint64_t queue_bytes BTK_UNUSED)
{
    BTK_PROBE(credit_zero, 3, client_id, queue_depth, queue_bytes);
}

// A new incarnation of a worker was greeted.
static inline void btk_probe_epoch_bump(uint32_t worker_id BTK_UNUSED, uint32_t epoch BTK_UNUSED,
                                        uint32_t pid BTK_UNUSED)
{
    BTK_PROBE(epoch_bump, 3, worker_id, epoch, pid);
}

// A worker begins a shard.
static inline void btk_probe_tokenize_start(uint64_t shard_id BTK_UNUSED,
                                            uint64_t batch_id BTK_UNUSED,
                                            uint32_t worker_id BTK_UNUSED,
                                            uint64_t shard_bytes BTK_UNUSED,
                                            uint64_t queue_wait_ns BTK_UNUSED) // as in /metrics
{
    BTK_PROBE(tokenize_start, 5, shard_id, batch_id, worker_id, shard_bytes, queue_wait_ns);
}

// It has ended. A shard that failed has no tokens and took no time.
static inline void
btk_probe_tokenize_done(uint64_t shard_id BTK_UNUSED, uint64_t batch_id BTK_UNUSED,
                        uint32_t worker_id BTK_UNUSED, uint64_t shard_bytes BTK_UNUSED,
                        uint64_t token_count BTK_UNUSED, uint64_t tokenization_ns BTK_UNUSED)
{
    BTK_PROBE(tokenize_done, 6, shard_id, batch_id, worker_id, shard_bytes, token_count,
              tokenization_ns);
}
