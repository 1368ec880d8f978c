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

Test(figures, a_name_is_what_two_comparable_figures_have_in_common)
{
    static const double runs[] = {1, 3, 2};
    struct btk_figure figure = {.bench = "bpe",
                                .tokenizer = "bpe",
                                .input = "en.txt",
                                .mode = "cold",
                                .chunk_bytes = 4096,
                                .threads = 1,
                                .fields = "ids",
                                .simd = "avx2",
                                .bytes = 4000000,
                                .runs = runs,
                                .run_count = 3,
                                .verified = "golden"};
    char name[128];
    char other[128];
    btk_figures_name(&figure, name, sizeof name);
    cr_assert_str_eq(name, "bpe en.txt cold 4000000");
    figure.simd = "scalar"; // what is compared, not what is compared with
    btk_figures_name(&figure, other, sizeof other);
    cr_assert_str_eq(name, other);
    figure.threads = 2;
    figure.chunk_bytes = 100;
    figure.fields = "ids,offsets";
    btk_figures_name(&figure, other, sizeof other);
    cr_assert_str_eq(other, "bpe en.txt cold ids,offsets 4000000 chunk=100 threads=2");
    cr_assert_float_eq(btk_figures_rate(&figure), 2, 1e-12);
}

Test(figures, a_name_that_does_not_fit_is_cut)
{
    const struct btk_figure figure = {.bench = "kernels", .kernel = "utf8_copy", .bytes = 100};
    char name[12];
    btk_figures_name(&figure, name, sizeof name);
    cr_assert_str_eq(name, "kernels utf");
}
