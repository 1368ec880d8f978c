// SPDX-License-Identifier: Apache-2.0
// One measurement of the engine: pieces of a text through it, timed; what came out, hashed when the
// clock has stopped.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/text_cut.h"
#include "common/base.h"
#include "common/error.h"

enum btk_measure_mode {
    BTK_MEASURE_COLD,  // the pieces once, in a process that is warm but for them
    BTK_MEASURE_WARM,  // the pieces a second time
    BTK_MEASURE_WHOLE, // the text in one call
    BTK_MEASURE_BATCH, // all pieces, one after the other, timed as one
    BTK_MEASURE_LINES, // a line a call
    BTK_MEASURE_MODE_COUNT
};

struct btk_measure_options {
    const char *tokenizer; // path, or the name of an embedded model
    struct btk_bytes text;
    enum btk_measure_mode mode;
    size_t chunk_bytes;
    unsigned threads;
    bool wants_offsets;
};

struct btk_measurement {
    double seconds;
    uint64_t bytes;
    uint64_t tokens;
    uint64_t ids_xxh64;
    uint64_t offsets_xxh64;
    char simd[16];
};

// Opens the tokenizer, warms up, measures. Errors of opening; -EINVAL: nothing to measure; -ENOMEM.
BTK_MUST_USE int btk_measure(const struct btk_measure_options *options,
                             struct btk_measurement *out_measurement, struct btk_error *error);
