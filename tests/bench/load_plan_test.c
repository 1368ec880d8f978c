// SPDX-License-Identifier: Apache-2.0
#include "bench/load_plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static struct btk_text_source source_of(const char *text)
{
    struct btk_text_source source;
    btk_text_source_init(&source, (struct btk_bytes){(const uint8_t *)text, strlen(text)});
    return source;
}

static void expect(struct btk_bytes document, const char *expected)
{
    cr_assert(document.length == strlen(expected)
                  && memcmp(document.data, expected, document.length) == 0,
              "\"%.*s\" instead of \"%s\"", (int)document.length, (const char *)document.data,
              expected);
}

Test(load_plan, sizes_are_fixed_lognormal_or_lines)
{
    struct btk_load_sizes sizes;
    cr_assert_eq(btk_load_sizes_parse("1024", &sizes, NULL), 0);
    cr_assert(sizes.kind == BTK_LOAD_SIZE_FIXED && (int)sizes.median_bytes == 1024);
    cr_assert_eq(btk_load_sizes_parse("lognormal:2048,1.5", &sizes, NULL), 0);
    cr_assert(sizes.kind == BTK_LOAD_SIZE_LOGNORMAL && (int)sizes.median_bytes == 2048);
    cr_assert_float_eq(sizes.sigma, 1.5, 1e-12);
    cr_assert_eq(btk_load_sizes_parse("file", &sizes, NULL), 0);
    cr_assert_eq(sizes.kind, BTK_LOAD_SIZE_LINES);
    static const char *const wrong[] = {"",
                                        "0",
                                        "-1",
                                        "x",
                                        "lognormal:",
                                        "lognormal:1",
                                        "normal:1,1",
                                        "lognormal:1,",
                                        "lognormal:0,1",
                                        "99999999999"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(wrong); i++)
        cr_assert_eq(btk_load_sizes_parse(wrong[i], &sizes, NULL), -EINVAL, "%s", wrong[i]);
}

Test(load_plan, rates_are_numbers_with_commas_between_them)
{
    struct btk_load_rates rates;
    cr_assert_eq(btk_load_rates_parse("100,0.5,2e3", &rates, NULL), 0);
    cr_assert_eq(rates.count, 3);
    cr_assert_float_eq(rates.rates[2], 2000, 1e-9);
    cr_assert_eq(btk_load_rates_parse("100,", &rates, NULL), -EINVAL);
    cr_assert_eq(btk_load_rates_parse("0", &rates, NULL), -EINVAL);
    cr_assert_eq(btk_load_rates_parse("", &rates, NULL), -EINVAL);
}

Test(load_plan, gaps_of_poisson_arrivals_have_the_mean_and_the_deviation_of_an_exponential)
{
    struct btk_load_random random = {7};
    double sum = 0;
    double squares = 0;
    enum { COUNT = 200000 };
    for (int i = 0; i < COUNT; i++) {
        const double gap = (double)btk_load_gap_ns(&random, 1000, true) / 1e6;
        sum += gap;
        squares += gap * gap;
    }
    const double mean = sum / COUNT;
    cr_assert_float_eq(mean, 1, 0.01);
    cr_assert_float_eq(sqrt(squares / COUNT - mean * mean), 1, 0.02);
    cr_assert_eq(btk_load_gap_ns(&random, 1000, false), 1000000);
}

Test(load_plan, half_of_lognormal_documents_are_longer_than_the_median)
{
    static char text[1 << 16];
    struct btk_load_random random = {7};
    const struct btk_load_sizes sizes = {
        .kind = BTK_LOAD_SIZE_LOGNORMAL, .median_bytes = 500, .sigma = 1};
    memset(text, 'a', sizeof text - 1);
    struct btk_text_source source = source_of(text);
    int longer = 0;
    enum { COUNT = 20000 };
    for (int i = 0; i < COUNT; i++)
        longer += btk_load_document(&random, &sizes, &source).length >= 500;
    cr_assert_float_eq((double)longer / COUNT, 0.5, 0.02);
}

Test(text_source, documents_follow_each_other_and_begin_again_at_the_end)
{
    struct btk_text_source source = source_of("abcdefgh");
    expect(btk_text_source_next(&source, 3), "abc");
    expect(btk_text_source_next(&source, 3), "def");
    expect(btk_text_source_next(&source, 3), "abc");
    expect(btk_text_source_next(&source, 100), "abcdefgh");
    expect(btk_text_source_next(&source, 1), "a");
}

Test(text_source, no_character_is_divided_and_no_document_is_empty)
{
    struct btk_text_source source = source_of("ä€😀x");
    expect(btk_text_source_next(&source, 3), "ä");
    expect(btk_text_source_next(&source, 1), "€");
    expect(btk_text_source_next(&source, 2), "😀");
    expect(btk_text_source_next(&source, 1), "x");
    expect(btk_text_source_next(&source, 1), "ä");
}

Test(text_source, lines_lose_their_ends_and_empty_ones_are_passed_over)
{
    struct btk_text_source source = source_of("a\r\n\n\r\nbc\nlast");
    expect(btk_text_source_next_line(&source), "a");
    expect(btk_text_source_next_line(&source), "bc");
    expect(btk_text_source_next_line(&source), "last");
    expect(btk_text_source_next_line(&source), "a");
}

Test(text_source, a_text_of_empty_lines_is_one_document)
{
    struct btk_text_source source = source_of("\n\n");
    expect(btk_text_source_next_line(&source), "\n\n");
}
