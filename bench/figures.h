// SPDX-License-Identifier: Apache-2.0
// One measured figure, and how it is shown: a row of a table for people, a line of JSON for programs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buffer.h"

// What a figure counts, and so its rates.
enum btk_figure_unit {
    BTK_FIGURE_TEXT,   // mb_per_s, 10^6 bytes of text
    BTK_FIGURE_BYTES,  // gb_per_s, 10^9 bytes; ns_per_byte
    BTK_FIGURE_SLOTS,  // ns_per_slot
    BTK_FIGURE_ACCESS, // ns_per_access
};

// What NULL and 0 stand for is left out.
struct btk_figure {
    const char *bench;     // "wordpiece", "normalizer", "kernels", ...
    const char *tokenizer; // file name, or the embedded model's
    const char *kernel;
    const char *input;
    const char *mode;
    uint64_t chunk_bytes;
    unsigned threads;
    const char *fields; // "ids", "ids,offsets", ...
    const char *simd;
    enum btk_figure_unit unit;
    uint64_t bytes;
    uint64_t pieces; // calls
    uint64_t tokens;
    uint64_t count; // slots or accesses, of one run
    const char *items_name;
    uint64_t items;     // what a stage gave
    const double *runs; // seconds
    size_t run_count;
    bool has_ids;
    uint64_t ids_xxh64;
    const char *verified; // what the ids, or the results, are equal to; "none"
};

// The middle one; of an even number, the mean of the two. Sorts `values`; count > 0.
double btk_figures_median(double *values, size_t count);

// Do the parts of a request add up to what its caller's clock says: within 5 % of it, or 20 us?
bool btk_figures_add_up(uint64_t caller_ns, uint64_t parts_ns);

// The median of the runs, in seconds. 0: no memory.
double btk_figures_seconds(const struct btk_figure *figure);

// The rate that the unit of the figure asks for first: MB/s, GB/s, ns a slot, ns an access.
double btk_figures_rate(const struct btk_figure *figure);

// Appends the object, without an end of line. -ENOMEM.
BTK_MUST_USE int btk_figures_write_json(const struct btk_figure *figure, struct btk_buffer *line);

// Which measurement it is, in one line: what two figures that can be compared have in common. The
// kernels that were used are a part of it only where a figure is about them.
void btk_figures_name(const struct btk_figure *figure, char *out_name, size_t capacity);

// Unverified figures do not stand in the table: a sentence of their own says what they are.
void btk_figures_print_head(const struct btk_figure *figure);
void btk_figures_print_row(const struct btk_figure *figure);
