// SPDX-License-Identifier: Apache-2.0
#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

#define FIRST_NS UINT64_C(1000000000)
#define EVERY_NS UINT64_C(100000000)

enum { BAR_WIDTH = 24 };

void btk_progress_init(struct btk_progress *progress, bool is_quiet)
{
    progress->is_on = !is_quiet && isatty(STDERR_FILENO);
    progress->begin_ns = btk_clock_now_ns();
    progress->shown_ns = 0;
}

static void draw_share(const struct btk_progress_counts *counts, double seconds)
{
    const double share = (double)counts->bytes / (double)counts->bytes_total;
    const int full = (int)(share * BAR_WIDTH);
    const double left = share > 0 ? seconds / share - seconds : 0;
    fprintf(stderr, "[%.*s%*s] %3.0f %%  ", full > BAR_WIDTH ? BAR_WIDTH : full,
            "########################", full > BAR_WIDTH ? 0 : BAR_WIDTH - full, "", 100 * share);
    fprintf(stderr, "%.0f s left  ", left);
}

void btk_progress_update(struct btk_progress *progress, const struct btk_progress_counts *counts)
{
    if (!progress->is_on) return;
    const uint64_t now = btk_clock_now_ns();
    if (now - progress->begin_ns < FIRST_NS || now - progress->shown_ns < EVERY_NS) return;
    progress->shown_ns = now;
    const double seconds = (double)(now - progress->begin_ns) / 1e9;
    fprintf(stderr, "\r\033[K");
    if (counts->bytes_total) draw_share(counts, seconds);
    fprintf(stderr, "%.1f MB/s  %.0f documents/s  %.0f tokens/s",
            (double)counts->bytes / 1e6 / seconds, (double)counts->documents / seconds,
            (double)counts->tokens / seconds);
    fflush(stderr);
}

void btk_progress_end(struct btk_progress *progress)
{
    if (progress->shown_ns) fprintf(stderr, "\r\033[K");
}
