// SPDX-License-Identifier: Apache-2.0
// Histograms: recorded, merged, subtracted, asked for percentiles.
#include <criterion/criterion.h>
#include <stdint.h>

#include "common/histogram.h"

static struct btk_histogram histogram;
static struct btk_histogram_snapshot snapshot, other;

Test(histogram, percentiles_are_within_a_bucket_of_the_truth)
{
    for (uint64_t i = 1; i <= 100000; i++) btk_histogram_record(&histogram, i * 100);
    btk_histogram_read(&histogram, &snapshot);
    cr_expect_eq(snapshot.count, 100000);
    cr_expect_eq(snapshot.max_ns, 10000000);
    cr_expect_eq(snapshot.sum_ns, UINT64_C(100) * 100000 * 100001 / 2);
    for (double quantile = 0.01; quantile < 1; quantile += 0.01) {
        const double found = (double)btk_histogram_percentile(&snapshot, quantile);
        cr_assert_float_eq(found / (quantile * 10000000), 1, 0.033, "%g", quantile);
    }
    cr_expect_eq(btk_histogram_percentile(&snapshot, 1), 10000000);
}

Test(histogram, small_values_are_exact_and_the_largest_are_counted)
{
    for (uint64_t i = 0; i < 64; i++) btk_histogram_record(&histogram, i);
    btk_histogram_read(&histogram, &snapshot);
    for (uint64_t i = 0; i < 64; i++) cr_expect_eq(btk_histogram_count_below(&snapshot, i), i + 1);
    btk_histogram_record(&histogram, UINT64_MAX);
    btk_histogram_record(&histogram, UINT64_C(1) << 40);
    btk_histogram_read(&histogram, &snapshot);
    cr_expect_eq(snapshot.count, 66);
    cr_expect_eq(snapshot.max_ns, UINT64_MAX);
}

Test(histogram, merged_ones_are_the_sum_and_subtracting_gives_back_the_rest)
{
    btk_histogram_record(&histogram, 10);
    btk_histogram_record(&histogram, 1000);
    btk_histogram_read(&histogram, &snapshot);
    btk_histogram_merge(&other, &snapshot);
    btk_histogram_merge(&other, &snapshot);
    cr_expect_eq(other.count, 4);
    cr_expect_eq(other.sum_ns, 2020);
    btk_histogram_subtract(&other, &snapshot);
    cr_expect_eq(other.count, 2);
    cr_expect_eq(other.sum_ns, 1010);
    btk_histogram_subtract(&snapshot, &other);
    btk_histogram_subtract(&snapshot, &other);
    cr_expect_eq(snapshot.count, 0, "counts that went back are nothing");
}

Test(histogram, the_maximum_of_a_difference_is_the_end_of_its_last_bucket)
{
    btk_histogram_record(&histogram, 1000000);
    btk_histogram_read(&histogram, &other);
    btk_histogram_record(&histogram, 1000);
    btk_histogram_read(&histogram, &snapshot);
    btk_histogram_subtract(&snapshot, &other);
    cr_expect_eq(snapshot.max_ns, 1007);
    btk_histogram_record(&histogram, UINT64_MAX);
    btk_histogram_read(&histogram, &snapshot);
    btk_histogram_subtract(&snapshot, &other);
    cr_expect_eq(snapshot.max_ns, UINT64_MAX, "the last bucket has no end");
    btk_histogram_subtract(&snapshot, &snapshot);
    cr_expect_eq(snapshot.max_ns, 0);
}

Test(histogram, an_empty_one_has_no_percentiles)
{
    btk_histogram_read(&histogram, &snapshot);
    cr_expect_eq(btk_histogram_percentile(&snapshot, 0.5), 0);
    cr_expect_eq(btk_histogram_percentile(&snapshot, 1), 0);
    cr_expect_eq(btk_histogram_count_below(&snapshot, UINT64_MAX), 0);
}
