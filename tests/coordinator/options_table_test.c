// SPDX-License-Identifier: Apache-2.0
#include "coordinator/options_table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "coordinator/result_bound.h"

static struct btk_options_table *table;

static void set_up(void)
{
    table = calloc(1, sizeof *table);
    cr_assert_not_null(table);
}

static void tear_down(void)
{
    free(table);
}

TestSuite(options_table, .init = set_up, .fini = tear_down);

static struct btk_options_entry entry_of(uint32_t tokenizer_id, uint64_t max_length)
{
    struct btk_options_entry entry = {.tokenizer_id = tokenizer_id,
                                      .options = {.op = BTK_OPERATION_ENCODE}};
    btk_batch_options_set_truncation(&entry.options, BTK_OPTION_IS_GIVEN,
                                     &(struct btk_truncation){.max_length = max_length});
    return entry;
}

static uint32_t acquire(uint32_t tokenizer_id, uint64_t max_length)
{
    const struct btk_options_entry entry = entry_of(tokenizer_id, max_length);
    uint32_t id = 0;
    cr_assert_eq(btk_options_table_acquire(table, &entry, &id), 0);
    return id;
}

Test(options_table, the_same_options_have_one_id_and_others_have_others)
{
    const uint32_t id = acquire(1, 10);
    cr_assert_eq(acquire(1, 10), id);
    cr_assert_neq(acquire(1, 11), id);
    cr_assert_neq(acquire(2, 10), id);
    cr_assert_eq(btk_options_table_get(table, id)->options.max_length, 10u);
    cr_assert_null(btk_options_table_get(table, 0));
    cr_assert_null(btk_options_table_get(table, id + BTK_OPTIONS_PLACES));
}

Test(options_table, when_all_places_are_held_there_is_no_room_and_with_a_release_there_is)
{
    const struct btk_options_entry other = entry_of(1, BTK_OPTIONS_PLACES);
    uint32_t id = 0;
    for (uint32_t i = 0; i < BTK_OPTIONS_PLACES; i++) cr_assert_neq(acquire(1, i), 0);
    cr_assert_eq(btk_options_table_acquire(table, &other, &id), -ENOSPC);
    cr_assert_eq(id, 0);
    const uint32_t held_twice = acquire(1, 7);
    btk_options_table_release(table, held_twice);
    cr_assert_eq(btk_options_table_acquire(table, &other, &id), -ENOSPC, "it has a holder left");
    btk_options_table_release(table, held_twice);
    cr_assert_eq(btk_options_table_acquire(table, &other, &id), 0);
    cr_assert_eq(id, held_twice + BTK_OPTIONS_PLACES, "never the same id again");
    cr_assert_null(btk_options_table_get(table, held_twice));
}

Test(options_table, ids_begin_again_and_are_never_0)
{
    for (uint32_t place = 0; place < BTK_OPTIONS_PLACES; place++) {
        const uint32_t id = acquire(1, place);
        cr_assert_eq(btk_options_place(id), place);
        // The last that it has: 2^32 - 4096 + id, which for the last place is 0.
        table->ids[place] = id - (id == BTK_OPTIONS_PLACES ? 2u : 1u) * BTK_OPTIONS_PLACES;
    }
    for (uint32_t place = 0; place < BTK_OPTIONS_PLACES; place++) {
        btk_options_table_release(table, table->ids[place]);
        const uint32_t id = acquire(2, place);
        cr_assert_eq(id, place + 1);
        cr_assert_not_null(btk_options_table_get(table, id));
    }
}

Test(options_table, what_was_used_last_is_given_up_last)
{
    for (uint32_t i = 0; i < BTK_OPTIONS_PLACES; i++)
        btk_options_table_release(table, acquire(1, i));
    const uint32_t first = acquire(1, 0);
    btk_options_table_release(table, first);
    const uint32_t second = acquire(1, BTK_OPTIONS_PLACES);
    cr_assert_neq(btk_options_place(second), btk_options_place(first));
    cr_assert_not_null(btk_options_table_get(table, first));
}

Test(options_table, the_entries_of_a_tokenizer_go_with_it)
{
    const uint32_t gone = acquire(1, 10);
    const uint32_t kept = acquire(2, 10);
    btk_options_table_remove(table, 1);
    cr_assert_null(btk_options_table_get(table, gone));
    cr_assert_not_null(btk_options_table_get(table, kept));
    btk_options_table_release(table, gone);
    cr_assert_neq(acquire(1, 10), gone);
}

// --- What results could become

static uint64_t bound_of(const struct btk_batch_options *options)
{
    const struct btk_result_shape shape = btk_result_shape_of(options);
    return btk_result_bound(&shape, 1000, 10);
}

Test(result_bound, grows_with_padding_and_overlap_and_never_wraps)
{
    struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE,
                                        .fields = BTK_FIELD_IDS | BTK_FIELD_OVERFLOWING};
    const uint64_t plain = bound_of(&options);
    btk_batch_options_set_truncation(&options, BTK_OPTION_IS_GIVEN,
                                     &(struct btk_truncation){.max_length = 100, .stride = 50});
    const uint64_t overlapping = bound_of(&options);
    cr_assert_geq(overlapping, 2 * plain - 1000);
    btk_batch_options_set_padding(&options, BTK_OPTION_IS_GIVEN,
                                  &(struct btk_padding){.has_length = true, .length = 5000});
    cr_assert_geq(bound_of(&options), overlapping + UINT64_C(10) * 5000 * 4);
    options.pad_length = options.pad_multiple_of = options.stride = UINT64_MAX;
    const struct btk_result_shape shape = btk_result_shape_of(&options);
    cr_assert_leq(btk_result_bound(&shape, UINT64_C(1) << 48, 1 << 24), UINT64_MAX / 2);
    cr_assert_geq(btk_result_bound(&shape, UINT64_C(1) << 48, 1 << 24), UINT64_C(1) << 48);
}
