// SPDX-License-Identifier: Apache-2.0
// A sign of life that long work gives (btk_scratch_set_progress).
#pragma once

#include <budtiktok/tokenizer.h>

struct btk_progress {
    btk_progress_fn *report; // NULL: nobody asks
    void *context;
};

static inline void btk_progress_tick(const struct btk_progress *progress)
{
    if (progress->report) progress->report(progress->context);
}
