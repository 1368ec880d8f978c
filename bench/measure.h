// SPDX-License-Identifier: Apache-2.0
// One measurement: calls of btk_encode() between two looks at the clock.
//
//     warm-up (not timed)  [ first pass (not timed) ]  CLOCK  one call a piece  CLOCK  digests
//
// The columns for all results are there and touched before the clock starts, the digests are made
// after it has stopped. Special tokens are not added, as in the goldens.
#pragma once

#include <budtiktok/tokenizer.h>

#include <stdbool.h>
#include <stdint.h>

#include "bench/cut.h"
#include "common/error.h"

enum { BTK_MEASURE_THREADS_MAX = 1024 };

struct btk_measure_plan { // all borrowed
    const struct btk_tokenizer *tokenizer;
    const struct btk_cut_list *calls;   // dealt out to the threads in ranges of about equal bytes
    const struct btk_cut_list *warm_up; // each thread encodes all of it first
    bool has_first_pass;                // what is timed is the second pass
    bool wants_offsets;
    unsigned threads;
};

struct btk_measure_result {
    double seconds;     // from the first thread's start to the last one's end
    double cpu_seconds; // of all threads in that time
    uint64_t tokens;
    uint64_t ids_xxh64;
    uint64_t offsets_xxh64; // 0 without offsets
    char simd[16];
};

// In this process. Errors of btk_scratch_new() and btk_encode().
BTK_MUST_USE int btk_measure(const struct btk_measure_plan *plan,
                             struct btk_measure_result *out_result, struct btk_error *error);

// In a child process, which nothing was measured in before. Also -ECHILD: it died.
BTK_MUST_USE int btk_measure_apart(const struct btk_measure_plan *plan,
                                   struct btk_measure_result *out_result, struct btk_error *error);
