// SPDX-License-Identifier: Apache-2.0
// Did it become slower? The ratio of two sets of times, and between what bounds it is with 95 %
// confidence.
//
// Times of one thing scatter by factors (an interrupt, a neighbour), so their logarithms are compared:
// the ratio is that of the geometric means, the interval that of a difference of two means with
// unequal variances. Source: B. L. Welch, "The generalization of 'Student's' problem when several
// different population variances are involved", Biometrika 34 (1947).
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct btk_interval {
    double ratio; // after / before; above 1: slower
    double low, high;
    bool is_known; // false: there are no two times on each side, and low and high mean nothing
};

// Counts are above 0, times too.
struct btk_interval btk_interval_of_ratio(const double *before, size_t before_count,
                                          const double *after, size_t after_count);

// What 95 % of Student's distribution lie within, on both sides of 0; not less for fractions.
double btk_interval_student(double degrees_of_freedom);
