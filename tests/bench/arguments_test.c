// SPDX-License-Identifier: Apache-2.0
#include "bench/arguments.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const char *number;
static const char *flag;

static const struct btk_argument arguments[] = {{"number", "N", "a number", &number},
                                                {"flag", NULL, "a flag", &flag}};
static const struct btk_argument_table table = {"program", "summary", "example", arguments, 2};

static int parse(int argc, char **argv, struct btk_error *error)
{
    bool wants_help;
    number = flag = NULL;
    return btk_arguments_parse(&table, argc, argv, &wants_help, error);
}

Test(arguments, values_stand_behind_a_space_or_an_equals_sign)
{
    char *first[] = {"program", "--number", "1", "--flag"};
    cr_assert_eq(parse(4, first, NULL), 0);
    cr_assert_str_eq(number, "1");
    cr_assert_not_null(flag);
    char *second[] = {"program", "--number=2"};
    cr_assert_eq(parse(2, second, NULL), 0);
    cr_assert_str_eq(number, "2");
    cr_assert_null(flag);
}

Test(arguments, what_is_not_in_the_table_is_named_and_refused)
{
    struct btk_error error;
    char *unknown[] = {"program", "--other"};
    cr_assert_eq(parse(2, unknown, &error), -EINVAL);
    cr_assert_not_null(strstr(error.message, "--other: no such option"));
    char *file[] = {"program", "file"};
    cr_assert_eq(parse(2, file, &error), -EINVAL);
    char *missing[] = {"program", "--number"};
    cr_assert_eq(parse(2, missing, &error), -EINVAL);
    char *too_much[] = {"program", "--flag=yes"};
    cr_assert_eq(parse(2, too_much, &error), -EINVAL);
}

Test(arguments, numbers_are_whole_and_in_their_range)
{
    uint64_t value = 7;
    cr_assert_eq(btk_arguments_number("n", NULL, 1, 9, &value, NULL), 0);
    cr_assert_eq(value, 7);
    cr_assert_eq(btk_arguments_number("n", "9", 1, 9, &value, NULL), 0);
    cr_assert_eq(value, 9);
    static const char *const wrong[] = {"0",  "10", "",    "-1",
                                        "1x", " 1", "1.5", "99999999999999999999"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(wrong); i++)
        cr_assert_eq(btk_arguments_number("n", wrong[i], 1, 9, &value, NULL), -EINVAL, "%s",
                     wrong[i]);
    cr_assert_eq(value, 9);
}

Test(arguments, real_numbers_are_finite_and_above_zero)
{
    double value = 0;
    cr_assert_eq(btk_arguments_real("n", "0.5", 1e9, &value, NULL), 0);
    cr_assert_float_eq(value, 0.5, 1e-12);
    static const char *const wrong[] = {"0", "-1", "nan", "inf", "", "1s", "2e9"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(wrong); i++)
        cr_assert_eq(btk_arguments_real("n", wrong[i], 1e9, &value, NULL), -EINVAL, "%s", wrong[i]);
}

Test(arguments, sets_are_names_with_commas_between_them)
{
    static const char *const names[] = {"cold", "warm", "whole", NULL};
    struct btk_error error;
    unsigned set = 0;
    cr_assert_eq(btk_arguments_set("mode", "whole,cold", names, &set, NULL), 0);
    cr_assert_eq(set, 5);
    cr_assert_eq(btk_arguments_set("mode", "cold,hot", names, &set, &error), -EINVAL);
    cr_assert_not_null(strstr(error.message, "\"hot\" is not one of cold, warm, whole"));
    cr_assert_eq(btk_arguments_set("mode", "cold,", names, &set, NULL), -EINVAL);
    cr_assert_eq(set, 5);
}
