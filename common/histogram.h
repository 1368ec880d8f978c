// SPDX-License-Identifier: Apache-2.0
// A log-linear histogram of durations that lives in shared memory and survives its writer.
//
//     value (ns)   0 .. 63         one bucket each
//                  64 .. 2^40      32 buckets for each power of two: at most 3.2 % wide
//                  beyond          counted in the last bucket
//
// One process writes, any number read at any time: a reader sees each bucket whole, and the sum of
// the buckets it saw is the count it reports. A writer that is hostile can only spoil its own
// figures. Idea: HdrHistogram (Gil Tene); merging adds counts, percentiles come from merged buckets.
//
// Memory order: relaxed everywhere; nothing else is published through a histogram.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define BTK_HISTOGRAM_SUB_BITS 5
#define BTK_HISTOGRAM_MAX_BITS 40
#define BTK_HISTOGRAM_BUCKETS                                                                      \
    ((BTK_HISTOGRAM_MAX_BITS - BTK_HISTOGRAM_SUB_BITS + 1) << BTK_HISTOGRAM_SUB_BITS)

struct btk_histogram { // zero-initialized is empty
    _Atomic uint64_t sum_ns;
    _Atomic uint64_t max_ns;
    _Atomic uint64_t buckets[BTK_HISTOGRAM_BUCKETS];
};

struct btk_histogram_snapshot {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t max_ns;
    uint64_t buckets[BTK_HISTOGRAM_BUCKETS];
};

// The writer's side; about ten instructions.
void btk_histogram_record(struct btk_histogram *histogram, uint64_t value_ns);

// The readers' side: a copy that is consistent with itself.
void btk_histogram_read(const struct btk_histogram *histogram,
                        struct btk_histogram_snapshot *out_snapshot);

// Adds `more` to `total`.
void btk_histogram_merge(struct btk_histogram_snapshot *total,
                         const struct btk_histogram_snapshot *more);

// What happened between two snapshots of the same histogram (or of the same set, merged). Its max is
// the end of the last bucket that grew, and never above that of the later one's whole life. Counts
// that went back (a writer was replaced) become 0.
void btk_histogram_subtract(struct btk_histogram_snapshot *later,
                            const struct btk_histogram_snapshot *earlier);

// The maximum of a set of buckets of which only the maximum of a longer time is known: to within a
// bucket.
uint64_t btk_histogram_max_within(const struct btk_histogram_snapshot *snapshot,
                                  uint64_t longer_max_ns);

// The value that the share `quantile` (0..1) of all values is not above, to within a bucket; 0
// when empty.
uint64_t btk_histogram_percentile(const struct btk_histogram_snapshot *snapshot, double quantile);

// How many values are not above `limit_ns`, for cumulative exports; exact at bucket bounds.
uint64_t btk_histogram_count_below(const struct btk_histogram_snapshot *snapshot,
                                   uint64_t limit_ns);
