// SPDX-License-Identifier: Apache-2.0
// The bar on standard error: when it is a terminal, nobody said --quiet, and work lasts longer than
// a second.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct btk_progress {
    bool is_on;
    uint64_t begin_ns;
    uint64_t shown_ns; // 0: never
};

void btk_progress_init(struct btk_progress *progress, bool is_quiet);

struct btk_progress_counts {
    uint64_t bytes;
    uint64_t bytes_total; // 0: unknown
    uint64_t documents;
    uint64_t tokens;
};

// Draws it anew at most ten times a second.
void btk_progress_update(struct btk_progress *progress, const struct btk_progress_counts *counts);
void btk_progress_end(struct btk_progress *progress);
