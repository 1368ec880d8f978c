// SPDX-License-Identifier: Apache-2.0
#include "common/profile.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct btk_profile example = {
    .calls = 640,
    .bytes = 6400,
    .cache_hits = 30,
    .cache_misses = 10,
    .staged = {.calls = 10, .bytes = 100, .ns = 1100},
    .stage_ns = {100, 0, 200, 300, 400, 100},
    .plain = {.calls = 10, .bytes = 200, .ns = 2000},
};

Test(profile, the_environment_says_0_or_1_and_nothing_else)
{
    bool is_wanted = true;
    struct btk_error error;
    cr_expect_eq(btk_profile_wanted(NULL, &is_wanted, &error), 0);
    cr_expect_not(is_wanted);
    cr_expect_eq(btk_profile_wanted("1", &is_wanted, &error), 0);
    cr_expect(is_wanted);
    cr_expect_eq(btk_profile_wanted("0", &is_wanted, &error), 0);
    cr_expect_not(is_wanted);
    cr_expect_eq(btk_profile_wanted("", &is_wanted, &error), 0);
    cr_expect_not(is_wanted);
    is_wanted = true;
    cr_expect_eq(btk_profile_wanted("yes", &is_wanted, &error), -EINVAL);
    cr_expect(is_wanted, "untouched on failure");
    cr_expect_str_eq(error.message, "BUDTIKTOK_PROFILE: expected 0 or 1, not \"yes\"");
}

Test(profile, adding_adds_every_number)
{
    uint64_t numbers[BTK_PROFILE_NUMBERS], sums[BTK_PROFILE_NUMBERS];
    struct btk_profile total, more;
    for (size_t i = 0; i < BTK_PROFILE_NUMBERS; i++) numbers[i] = i + 1;
    memcpy(&total, numbers, sizeof total);
    memcpy(&more, numbers, sizeof more);
    btk_profile_add(&total, &more);
    memcpy(sums, &total, sizeof sums);
    for (size_t i = 0; i < BTK_PROFILE_NUMBERS; i++) cr_expect_eq(sums[i], 2 * (i + 1));
}

Test(profile, looking_costs_what_sampled_calls_take_a_byte_against_the_others)
{
    const struct btk_profile empty = {0};
    cr_expect_float_eq(btk_profile_ratio(&example), 1.1, 1e-9);
    cr_expect_float_eq(btk_profile_ratio(&empty), 0, 0);
    cr_expect_float_eq(btk_profile_ns_per_byte(&example.staged), 11, 1e-9);
}

Test(profile, json_says_what_was_sampled_and_how_the_time_is_divided)
{
    struct btk_buffer json = {0};
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, &json);
    btk_json_begin_object(&writer);
    btk_profile_json_write_members(&writer, &example);
    btk_json_end_object(&writer);
    cr_assert_eq(writer.status, 0);
    cr_assert_eq(btk_buffer_append(&json, "", 1), 0);
    const char *const text = (const char *)json.data;
    static const char *const parts[] = {
        "{\"calls\":640,\"bytes\":6400,\"cache_hits\":30,\"cache_misses\":10,\"sampled_one_in\":64",
        "\"sampled\":{\"calls\":10,\"bytes\":100,\"ns\":1100,\"ns_per_byte\":11",
        "\"fused\":{\"calls\":10,\"bytes\":200,\"ns\":2000,\"ns_per_byte\":10",
        "\"normalization\":{\"ns\":200,\"ns_per_byte\":2,\"share\":0.18",
        "\"post_processing\":{\"ns\":100",
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(parts); i++)
        cr_expect(strstr(text, parts[i]), "%s is not in %s", parts[i], text);
    btk_buffer_clear(&json);
}

Test(profile, people_see_a_line_for_each_stage)
{
    struct btk_buffer text = {0};
    cr_assert_eq(btk_profile_print(&example, "gpt2.json", &text), 0);
    cr_assert_eq(btk_buffer_append(&text, "", 1), 0);
    const char *const table = (const char *)text.data;
    cr_expect(strstr(table, "profile of gpt2.json: 640 calls, 6400 bytes, 75.0 % of 40 short"));
    for (int i = 0; i < BTK_ENCODE_STAGE_COUNT; i++)
        cr_expect(strstr(table, btk_encode_stage_names[i]), "%s", btk_encode_stage_names[i]);
    cr_expect(strstr(table, "with them 1.100 times that"));
    btk_buffer_clear(&text);
}
