// SPDX-License-Identifier: Apache-2.0
// Where the time went: histograms of the four parts of a shard's time, merged over workers and
// clients, the dead ones too, for the last 10 s, the last 60 s and since the start.
//
//     worker pages   queue_wait, ipc_transfer, tokenization      -.
//     client pages   return                                       +--> total --> second by second
//     kept           what dead incarnations and clients recorded -'
//
// Each place for a worker has its own seconds, too: 0.8 MiB once a worker was there. Percentiles come
// from merged buckets alone. Threads: the loop's.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/histogram.h"
#include "ipc/client_page.h"
#include "ipc/worker_page.h"

enum btk_latency_part {
    BTK_LATENCY_QUEUE_WAIT = 0,
    BTK_LATENCY_IPC_TRANSFER,
    BTK_LATENCY_TOKENIZATION,
    BTK_LATENCY_RETURN,
    BTK_LATENCY_PARTS,
};

// "queue_wait", "ipc_transfer", "tokenization", "return".
extern const char *const btk_latency_names[BTK_LATENCY_PARTS];

struct btk_latency_set {
    struct btk_histogram_snapshot parts[BTK_LATENCY_PARTS];
};

// What one place for a worker has done in all its incarnations.
struct btk_worker_totals {
    uint64_t shards;
    uint64_t documents;
    uint64_t document_errors;
    uint64_t bytes;
    uint64_t tokens;
    uint64_t cache_hits;
    uint64_t cache_misses;
    uint64_t busy_ns;
    uint64_t duty_cycle_max_ns;
    struct btk_latency_set latency; // RETURN stays empty
    struct btk_profile profile;     // of all its tokenizers
};

// Of each tokenizer, by all workers.
struct btk_tokenizer_profiles {
    uint32_t count;
    struct {
        uint32_t tokenizer_id;
        struct btk_profile profile;
    } list[BTK_PAGE_PROFILES_MAX];
};

enum { BTK_LATENCY_SECONDS = 61, BTK_LATENCY_PLACES = 256 };

struct btk_latency_second;

struct btk_latency {
    struct btk_histogram_snapshot kept_returned;        // of clients that left
    struct btk_worker_totals *kept[BTK_LATENCY_PLACES]; // of dead incarnations; NULL: none died
    struct btk_latency_set *seconds;                    // ring of BTK_LATENCY_SECONDS totals
    struct btk_latency_second *worker_seconds[BTK_LATENCY_PLACES]; // such rings; NULL: no worker
    uint64_t second_count;                                         // pushed so far
    struct btk_tokenizer_profiles kept_profiles;                   // of dead incarnations
};

BTK_MUST_USE int btk_latency_init(struct btk_latency *latency); // -ENOMEM
void btk_latency_clear(struct btk_latency *latency);

// The last words of a page before it is unmapped. NULL pages are fine.
void btk_latency_keep_worker(struct btk_latency *latency, uint32_t worker_id,
                             const struct btk_worker_page *page);
void btk_latency_keep_client(struct btk_latency *latency, const struct btk_client_page *page);

// All that the place has done; `page` NULL: nobody is there now.
void btk_latency_read_worker(const struct btk_latency *latency, uint32_t worker_id,
                             const struct btk_worker_page *page,
                             struct btk_worker_totals *out_totals);
// A place for a tokenizer, ahead of all that pages name.
void btk_latency_want_profile(struct btk_tokenizer_profiles *profiles, uint32_t tokenizer_id);
// What dead incarnations said of each tokenizer, until that is forgotten.
void btk_latency_add_kept_profiles(const struct btk_latency *latency,
                                   struct btk_tokenizer_profiles *profiles);
void btk_latency_forget_profile(struct btk_latency *latency, uint32_t tokenizer_id);
// What a worker's page says of each tokenizer; one that finds no place any more is left out.
void btk_latency_add_profiles(struct btk_tokenizer_profiles *profiles,
                              const struct btk_worker_page *page);
void btk_latency_add_client(struct btk_histogram_snapshot *returned,
                            const struct btk_client_page *page);

// Once a second: the total of a place as it is now, and then that of all, which ends the second.
void btk_latency_push_worker(struct btk_latency *latency, uint32_t worker_id,
                             const struct btk_latency_set *total);
void btk_latency_push_second(struct btk_latency *latency, const struct btk_latency_set *total);
// What happened in the last `seconds` (at most 60): total less the total of then.
void btk_latency_window(const struct btk_latency *latency, const struct btk_latency_set *total,
                        uint32_t seconds, struct btk_latency_set *out_window);
void btk_latency_window_worker(const struct btk_latency *latency, uint32_t worker_id,
                               const struct btk_latency_set *total, uint32_t seconds,
                               struct btk_latency_set *out_window);
