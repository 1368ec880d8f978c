// SPDX-License-Identifier: Apache-2.0
// What a load driver sends and when: sizes and arrivals, drawn from a seeded generator, so that two
// runs with the same words are the same load.
//
// Threads: one a generator.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/text_source.h"
#include "common/base.h"
#include "common/error.h"

#define BTK_LOAD_DOCUMENT_BYTES_MAX (1u << 24)

enum btk_load_size_kind {
    BTK_LOAD_SIZE_FIXED,
    BTK_LOAD_SIZE_LOGNORMAL, // median and sigma of the logarithm
    BTK_LOAD_SIZE_LINES,     // the lines of the input
};

struct btk_load_sizes {
    enum btk_load_size_kind kind;
    double median_bytes;
    double sigma;
};

// "1024", "lognormal:1024,1.2" or "file". -EINVAL.
BTK_MUST_USE int btk_load_sizes_parse(const char *text, struct btk_load_sizes *out_sizes,
                                      struct btk_error *error);

enum { BTK_LOAD_RATES_MAX = 64 };

struct btk_load_rates { // requests a second
    double rates[BTK_LOAD_RATES_MAX];
    unsigned count;
};

// "100,200,400". -EINVAL.
BTK_MUST_USE int btk_load_rates_parse(const char *text, struct btk_load_rates *out_rates,
                                      struct btk_error *error);

struct btk_load_random {
    uint64_t state;
};

// In (0, 1].
double btk_load_random_unit(struct btk_load_random *random);

// The gap to the next arrival.
uint64_t btk_load_gap_ns(struct btk_load_random *random, double rate, bool is_poisson);

// The next document; its size is between 1 byte and BTK_LOAD_DOCUMENT_BYTES_MAX.
struct btk_bytes btk_load_document(struct btk_load_random *random,
                                   const struct btk_load_sizes *sizes,
                                   struct btk_text_source *source);
