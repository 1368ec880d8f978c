// SPDX-License-Identifier: Apache-2.0
// Where figures go: to standard output as a table or as JSON lines, into a baseline, beside one.
//
// Ownership: btk_report_clear() frees what was kept. Threads: none.
#pragma once

#include "bench/baseline.h"
#include "bench/figures.h"
#include "bench/interval.h"
#include "common/buffer.h"

struct btk_comparison {
    char name[256];
    double before_s, after_s; // geometric means
    struct btk_interval interval;
};

struct btk_report {
    bool is_json;
    const struct btk_baseline *before; // NULL: nothing to compare with
    double regression_percent;         // more than that is a regression
    bool has_head;
    enum btk_figure_unit head_unit;
    struct btk_buffer kept; // lines of JSON of the verified figures
    struct btk_comparison *comparisons;
    size_t comparison_count;
    size_t missing_count; // figures that are not in `before`
};

void btk_report_clear(struct btk_report *report);

// Shows and keeps a figure. -ENOMEM.
BTK_MUST_USE int btk_report_add(struct btk_report *report, const struct btk_figure *figure);

// Keeps a figure that is shown elsewhere; prints its line of JSON. -ENOMEM.
BTK_MUST_USE int btk_report_keep(struct btk_report *report, const struct btk_figure *figure);

// Prints the comparison. How many figures are slower than the limit, with confidence.
size_t btk_report_compare(const struct btk_report *report);
