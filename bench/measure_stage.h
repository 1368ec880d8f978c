// SPDX-License-Identifier: Apache-2.0
// What one thread of a measurement does: a part of the engine behind four functions.
//
//     open()    scratch, room for all results, touched          not timed
//     run()     the warm-up, a first pass                       not timed
//     run()     the calls                                       timed
//     sum_up()  digests; a stage hands its results to the       not timed
//               stages behind it, so that there are ids to compare
//
// Ownership: open() makes a state that close() frees, whatever failed between. Threads: a state is
// for one.
#pragma once

#include "bench/measure.h"
#include "common/hash.h"

struct btk_measure_share { // what a thread was given of a plan
    const struct btk_measure_plan *plan;
    const struct btk_bytes *calls;
    size_t call_count;
};

// What all threads add to, one after the other, in the order of the calls.
struct btk_measure_sums {
    struct btk_hash_stream *ids;
    struct btk_hash_stream *offsets;
    struct btk_hash_stream *text;
    struct btk_measure_result *result;
};

struct btk_measure_stage {
    bool (*is_there)(const struct btk_tokenizer *tokenizer); // NULL: always
    int (*open)(const struct btk_measure_share *share, void **out_state, struct btk_error *error);
    int (*run)(void *state, bool is_warm_up, struct btk_error *error);
    int (*sum_up)(void *state, struct btk_measure_sums *sums, struct btk_error *error);
    void (*close)(void *state); // NULL is fine
};

// Tokens that all pieces together have at the most.
size_t btk_measure_bound(const struct btk_tokenizer *tokenizer, const struct btk_bytes *pieces,
                         size_t count);

// As in the goldens: no special tokens are added, offsets are in characters.
extern const struct btk_encode_options btk_measure_options;
