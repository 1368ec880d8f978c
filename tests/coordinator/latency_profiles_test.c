// SPDX-License-Identifier: Apache-2.0
#include "coordinator/latency.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct btk_latency latency;

static void set_up(void)
{
    cr_assert_eq(btk_latency_init(&latency), 0);
}

static void tear_down(void)
{
    btk_latency_clear(&latency);
}

TestSuite(latency_profiles, .init = set_up, .fini = tear_down);

// A worker dies that has encoded once with each of these tokenizers.
static void keep(uint32_t first, uint32_t count)
{
    struct btk_worker_page *const page = calloc(1, sizeof *page);
    cr_assert_not_null(page);
    for (uint32_t i = 0; i < count; i++)
        btk_page_profiles_set(&page->profiles, first + i, &(struct btk_profile){.calls = 1});
    btk_latency_keep_worker(&latency, 0, page);
    free(page);
}

static uint64_t calls_of(uint32_t tokenizer_id)
{
    struct btk_tokenizer_profiles profiles = {0};
    btk_latency_want_profile(&profiles, tokenizer_id);
    btk_latency_add_kept_profiles(&latency, &profiles);
    return profiles.list[0].profile.calls;
}

Test(latency_profiles, tokenizers_that_are_gone_leave_their_places_to_others)
{
    for (uint32_t id = 1; id <= 10 * BTK_PAGE_PROFILES_MAX; id++) {
        keep(id, 1);
        keep(id, 1);
        cr_assert_eq(calls_of(id), 2);
        btk_latency_forget_profile(&latency, id);
        cr_assert_eq(calls_of(id), 0);
    }
}

Test(latency_profiles, a_tokenizer_that_is_shown_has_its_place_before_all_others)
{
    struct btk_tokenizer_profiles profiles = {0};
    struct btk_worker_page *const page = calloc(1, sizeof *page);
    cr_assert_not_null(page);
    keep(1, BTK_PAGE_PROFILES_MAX);
    btk_page_profiles_set(&page->profiles, 1000, &(struct btk_profile){.calls = 3});
    btk_latency_want_profile(&profiles, 1000);
    btk_latency_add_kept_profiles(&latency, &profiles);
    btk_latency_add_profiles(&profiles, page);
    cr_assert_eq(profiles.list[0].tokenizer_id, 1000);
    cr_assert_eq(profiles.list[0].profile.calls, 3);
    free(page);
}
