// SPDX-License-Identifier: Apache-2.0
#include "bench/figures.h"

#include <criterion/criterion.h>

Test(figures, the_median_is_the_middle_one_or_the_mean_of_the_two)
{
    double odd[] = {3, 1, 2};
    double even[] = {4, 1, 2, 3};
    double one[] = {5};
    cr_assert_float_eq(btk_figures_median(odd, 3), 2, 1e-12);
    cr_assert_float_eq(btk_figures_median(even, 4), 2.5, 1e-12);
    cr_assert_float_eq(btk_figures_median(one, 1), 5, 1e-12);
}
