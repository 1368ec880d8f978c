// SPDX-License-Identifier: Apache-2.0
// One measurement: calls of btk_encode(), or of one stage of it, between two looks at the clock.
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

// The columns beside ids.
enum btk_measure_field {
    BTK_MEASURE_OFFSETS = 1 << 0,
    BTK_MEASURE_TYPE_IDS = 1 << 1,
    BTK_MEASURE_WORD_IDS = 1 << 2,
    BTK_MEASURE_SPECIAL_TOKENS_MASK = 1 << 3,
};

struct btk_measure_stage; // measure_stage.h
extern const struct btk_measure_stage btk_measure_encode;
extern const struct btk_measure_stage btk_measure_normalizer;
extern const struct btk_measure_stage btk_measure_pretokenizer;
extern const struct btk_measure_stage btk_measure_decode;

// Is there anything in this tokenizer that the stage does?
bool btk_measure_has_stage(const struct btk_measure_stage *stage,
                           const struct btk_tokenizer *tokenizer);

struct btk_measure_plan { // all borrowed
    const struct btk_tokenizer *tokenizer;
    const struct btk_cut_list *calls;   // dealt out to the threads in ranges of about equal bytes
    const struct btk_cut_list *warm_up; // each thread encodes all of it first
    const struct btk_measure_stage *stage; // NULL: encode
    const char *simd;    // NULL: BUDTIKTOK_SIMD; a set of kernels for this process
    bool has_first_pass; // what is timed is the second pass
    bool takes_profile;  // of what is timed, if that is encode
    unsigned fields;     // set of enum btk_measure_field
    unsigned threads;
};

struct btk_measure_result {
    double seconds;     // from the first thread's start to the last one's end
    double cpu_seconds; // of all threads in that time
    uint64_t tokens;
    uint64_t ids_xxh64;     // of a stage: of the ids that the others make of its results
    uint64_t offsets_xxh64; // 0 without offsets
    uint64_t items;         // normalizer, decode: bytes written; pre-tokenizer: pieces
    uint64_t text_xxh64;    // decode: of the text
    bool is_round_trip;     // decode: the text is that of the calls
    char simd[16];
    struct btk_profile profile;
};

// In this process, whose environment gets plan->simd. Errors of btk_scratch_new() and btk_encode().
BTK_MUST_USE int btk_measure(const struct btk_measure_plan *plan,
                             struct btk_measure_result *out_result, struct btk_error *error);

// In a child process, which nothing was measured in before. Also -ECHILD: it died.
BTK_MUST_USE int btk_measure_apart(const struct btk_measure_plan *plan,
                                   struct btk_measure_result *out_result, struct btk_error *error);
