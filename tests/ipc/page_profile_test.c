// SPDX-License-Identifier: Apache-2.0
#include "ipc/page_profile.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct btk_page_profiles profiles; // each test has a process of its own

static void set(uint32_t tokenizer_id, uint64_t calls)
{
    const struct btk_profile profile = {.calls = calls, .plain = {.ns = 2 * calls}};
    btk_page_profiles_set(&profiles, tokenizer_id, &profile);
}

// The last number goes with the first.
static uint64_t calls_of(uint32_t tokenizer_id)
{
    struct btk_profile profile;
    unsigned place = 1;
    while (place <= BTK_PAGE_PROFILES_MAX
           && btk_page_profiles_get(&profiles, place, &profile) != tokenizer_id)
        place++;
    if (place > BTK_PAGE_PROFILES_MAX) return UINT64_MAX;
    cr_assert_eq(profile.plain.ns, 2 * profile.calls);
    return profile.calls;
}

Test(page_profile, a_tokenizer_has_one_place_with_its_newest_numbers)
{
    set(7, 1);
    set(8, 2);
    set(7, 3);
    cr_expect_eq(calls_of(7), 3);
    cr_expect_eq(calls_of(8), 2);
}

Test(page_profile, what_is_unloaded_is_added_to_all_that_was_and_leaves_its_place)
{
    struct btk_profile gone;
    set(7, 5);
    set(8, 2);
    btk_page_profiles_retire(&profiles, 7);
    btk_page_profiles_retire(&profiles, 8);
    btk_page_profiles_retire(&profiles, 9); // was never there
    cr_expect_eq(btk_page_profiles_get(&profiles, 0, &gone), 0);
    cr_expect_eq(gone.calls, 7);
    cr_expect_eq(gone.plain.ns, 14);
    cr_expect_eq(calls_of(7), UINT64_MAX);
    set(10, 4);
    cr_expect_eq(calls_of(10), 4);
    cr_expect_eq(btk_page_profiles_get(&profiles, 1, &gone), 10, "the first place is free again");
}

Test(page_profile, one_that_finds_no_place_is_left_out_and_spoils_nothing)
{
    for (uint32_t id = 1; id <= BTK_PAGE_PROFILES_MAX; id++) set(id, id);
    set(1000, 1);
    cr_expect_eq(calls_of(1000), UINT64_MAX);
    cr_expect_eq(calls_of(BTK_PAGE_PROFILES_MAX), BTK_PAGE_PROFILES_MAX);
    btk_page_profiles_retire(&profiles, 1000);
    struct btk_profile gone;
    (void)btk_page_profiles_get(&profiles, 0, &gone);
    cr_expect_eq(gone.calls, 0);
}
