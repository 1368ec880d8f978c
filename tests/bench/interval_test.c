// SPDX-License-Identifier: Apache-2.0
#include "bench/interval.h"

#include <criterion/criterion.h>

Test(interval, equal_times_have_a_ratio_of_one_within_its_bounds)
{
    static const double times[] = {1.0, 1.1, 0.9, 1.05};
    const struct btk_interval interval = btk_interval_of_ratio(times, 4, times, 4);
    cr_assert(interval.is_known);
    cr_assert_float_eq(interval.ratio, 1, 1e-12);
    cr_assert(interval.low < 1 && interval.high > 1);
}

// By hand: logarithms of 1 and e, and of e and e^2: means 1/2 and 3/2, variances of the means 1/4 each,
// 2 degrees of freedom, so 1 +- 4.303 * sqrt(1/2).
Test(interval, bounds_are_those_of_welch)
{
    static const double before[] = {1, 2.718281828459045};
    static const double after[] = {2.718281828459045, 7.38905609893065};
    const struct btk_interval interval = btk_interval_of_ratio(before, 2, after, 2);
    cr_assert_float_eq(interval.ratio, 2.718281828459045, 1e-9);
    cr_assert_float_eq(interval.low, 0.129681, 1e-5);
    cr_assert_float_eq(interval.high, 56.97887, 1e-3);
}

Test(interval, one_time_alone_has_no_bounds)
{
    static const double one[] = {1};
    static const double two[] = {1, 2};
    cr_assert_not(btk_interval_of_ratio(one, 1, two, 2).is_known);
    cr_assert_not(btk_interval_of_ratio(two, 2, one, 1).is_known);
}

Test(interval, times_that_do_not_scatter_have_no_width)
{
    static const double before[] = {1, 1, 1};
    static const double after[] = {2, 2};
    const struct btk_interval interval = btk_interval_of_ratio(before, 3, after, 2);
    cr_assert_float_eq(interval.low, 2, 1e-12);
    cr_assert_float_eq(interval.high, 2, 1e-12);
}

Test(interval, the_table_of_student_falls_and_is_never_below_the_normal_one)
{
    double last = 1e9;
    for (unsigned halves = 1; halves < 2000; halves++) {
        const double value = btk_interval_student(halves / 2.0);
        cr_assert(value <= last && value >= 1.96);
        last = value;
    }
}
