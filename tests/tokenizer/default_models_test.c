// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/default/default_models.h"

#include <criterion/criterion.h>
#include <string.h>

Test(default_models, both_are_whole_json_objects_and_found_by_name)
{
    const char *const names[] = {"wordpiece", "bpe"};
    for (size_t i = 0; i < 2; i++) {
        struct btk_default_model listed, found;
        cr_assert(btk_default_model_get(i, &listed));
        cr_assert_str_eq(listed.name, names[i]);
        cr_assert(btk_default_model_find(names[i], &found));
        cr_expect_eq(found.json, listed.json);
        cr_expect_eq(found.json_bytes, listed.json_bytes);
        cr_expect_eq(memcmp(listed.json, "{\"version\":", 11), 0);
        cr_expect_eq(memcmp(listed.json + listed.json_bytes - 3, "}}\n", 3), 0);
        cr_expect_eq(strlen((const char *)listed.json), listed.json_bytes);
    }
}

Test(default_models, what_is_not_there_leaves_the_result_alone)
{
    struct btk_default_model model = {.name = "kept"};
    cr_expect_not(btk_default_model_get(2, &model));
    cr_expect_not(btk_default_model_find("unigram", &model));
    cr_expect_not(btk_default_model_find("", &model));
    cr_expect_str_eq(model.name, "kept");
}
