// SPDX-License-Identifier: Apache-2.0
// One measured figure, and how it is shown: a row of a table for people, a line of JSON for programs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct btk_figure {
    const char *bench;     // "wordpiece" or "bpe"
    const char *tokenizer; // file name, or the embedded model's
    const char *input;
    const char *mode;
    uint64_t chunk_bytes;
    unsigned threads;
    const char *fields; // "ids" or "ids,offsets"
    const char *simd;
    uint64_t bytes;
    uint64_t pieces; // calls
    uint64_t tokens;
    const double *runs; // seconds
    size_t run_count;
    uint64_t ids_xxh64;
    const char *verified; // "golden", "reference" or "none"
};

// The middle one; of an even number, the mean of the two. Sorts `values`; count > 0.
double btk_figures_median(double *values, size_t count);

// Do the parts of a request add up to what its caller's clock says: within 5 % of it, or 20 us?
bool btk_figures_add_up(uint64_t caller_ns, uint64_t parts_ns);

// To standard output. -ENOMEM.
BTK_MUST_USE int btk_figures_print_json(const struct btk_figure *figure);

// Unverified figures do not stand in the table: a sentence of their own says what they are.
void btk_figures_print_head(void);
void btk_figures_print_row(const struct btk_figure *figure);
