// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "kernels/cpu_features.h"

static const struct btk_kernels *best_supported(void)
{
    size_t count;
    const struct btk_kernels *const *sets = btk_kernels_all(&count);
    while (!btk_kernels_is_supported(sets[count - 1])) count--;
    return sets[count - 1];
}

Test(kernels, the_list_begins_with_the_scalar_set_which_runs_everywhere)
{
    size_t count;
    const struct btk_kernels *const *sets = btk_kernels_all(&count);
    cr_assert_geq(count, 1);
    cr_expect_eq(sets[0], &btk_kernels_scalar);
    cr_expect(btk_kernels_is_supported(sets[0]));
}

Test(kernels, no_name_and_the_empty_name_ask_for_the_best_set)
{
    const struct btk_kernels *found = NULL;
    cr_expect_eq(btk_kernels_select(NULL, &found, NULL), 0);
    cr_expect_eq(found, best_supported());
    found = NULL;
    cr_expect_eq(btk_kernels_select("", &found, NULL), 0);
    cr_expect_eq(found, best_supported());
}

Test(kernels, scalar_can_always_be_asked_for)
{
    const struct btk_kernels *found = NULL;
    cr_expect_eq(btk_kernels_select("scalar", &found, NULL), 0);
    cr_expect_eq(found, &btk_kernels_scalar);
}

Test(kernels, every_set_is_found_by_its_name_or_refused_with_what_the_processor_has)
{
    size_t count;
    const struct btk_kernels *const *sets = btk_kernels_all(&count);
    for (size_t i = 0; i < count; i++) {
        const struct btk_kernels *found = NULL;
        struct btk_error error = {0};
        const int result = btk_kernels_select(sets[i]->name, &found, &error);
        if (btk_kernels_is_supported(sets[i])) {
            cr_expect_eq(result, 0);
            cr_expect_eq(found, sets[i]);
        } else {
            cr_expect_eq(result, -ENOTSUP);
            cr_expect_null(found);
            cr_expect_not_null(strstr(error.message, "it has:"));
        }
    }
}

Test(kernels, an_unknown_name_is_refused_with_the_names_that_there_are)
{
    static const char *const names[] = {"AVX2", "avx", "avx2 ", "scalar,avx2"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        const struct btk_kernels *found = NULL;
        struct btk_error error = {0};
        cr_expect_eq(btk_kernels_select(names[i], &found, &error), -EINVAL);
        cr_expect_null(found);
        cr_expect_eq(error.code, EINVAL);
        cr_expect_not_null(strstr(error.message, names[i]));
        cr_expect_not_null(strstr(error.message, "scalar, avx2, avx512"));
    }
}

Test(kernels, an_empty_text_may_be_null)
{
    size_t count;
    const struct btk_kernels *const *sets = btk_kernels_all(&count);
    for (size_t i = 0; i < count && btk_kernels_is_supported(sets[i]); i++) {
        cr_expect_eq(sets[i]->utf8_copy(NULL, NULL, 0), 0);
        cr_expect_eq(sets[i]->utf8_valid_prefix(NULL, 0), 0);
        cr_expect_eq(sets[i]->ascii_prefix(NULL, 0), 0);
        cr_expect_eq(sets[i]->utf8_count(NULL, 0), 0);
        sets[i]->ascii_lower(NULL, NULL, 0);
        sets[i]->word_masks(NULL, 0, NULL);
        sets[i]->char_masks(NULL, 0, 0, (const uint8_t[BTK_CHAR_KIND_ROOM]){0}, NULL);
        cr_expect_eq(sets[i]->mark_offsets(NULL, NULL, 0, 0, NULL), 0);
        sets[i]->bert_masks(NULL, 0, NULL);
    }
}

Test(kernels, features_are_named_and_cut_where_the_room_ends)
{
    char text[BTK_CPU_FEATURES_TEXT_BYTES];
    btk_cpu_features_format(0, text, sizeof text);
    cr_expect_str_eq(text, "none");
    btk_cpu_features_format(BTK_CPU_AVX2 | BTK_CPU_AVX512BW, text, sizeof text);
    cr_expect_str_eq(text, "avx2 avx512bw");
    btk_cpu_features_format(BTK_CPU_AVX2 | BTK_CPU_AVX512BW, text, 7);
    cr_expect_str_eq(text, "avx2 a");
    btk_cpu_features_format(UINT32_MAX, text, sizeof text);
    cr_expect_lt(strlen(text), sizeof text - 1);
}
