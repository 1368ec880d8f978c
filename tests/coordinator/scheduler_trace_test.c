// SPDX-License-Identifier: Apache-2.0
// What the scheduler says of traced batches: each report, and the end exactly once.
#include "tests/coordinator/harness.h"

static const uint64_t ends[3] = {60, 120, 180}; // three shards

static const struct btk_action *only_end(struct harness *harness)
{
    harness->cursor = 0;
    cr_assert_eq(harness_count(harness, BTK_ACTION_TRACE_END), 1u);
    const struct btk_action *end = harness_next(harness, BTK_ACTION_TRACE_END);
    cr_assert_eq(end->trace, 7u);
    return end;
}

static void open_traced(struct harness *harness)
{
    harness_one_worker(harness);
    harness->trace = 7;
}

Test(scheduler_trace, a_batch_that_is_not_traced_says_nothing)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(assign->assignment.trace, 0u);
    harness_report(&harness, assign);
    cr_expect_eq(btk_scheduler_trace(harness.scheduler, 1, 1), 0u);
    btk_scheduler_release(harness.scheduler, 1, 1);
    cr_expect_eq(harness_count(&harness, BTK_ACTION_TRACE_SHARD), 0u);
    cr_expect_eq(harness_count(&harness, BTK_ACTION_TRACE_END), 0u);
    harness_close(&harness);
}

Test(scheduler_trace, each_shard_has_its_stamps_and_the_end_comes_with_the_release)
{
    struct harness harness;
    open_traced(&harness);
    harness_submit(&harness, 1, 1, ends, 3);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assigns[3];
    for (int i = 0; i < 3; i++) assigns[i] = harness_next(&harness, BTK_ACTION_ASSIGN);
    for (int i = 0; i < 3; i++) harness_report(&harness, assigns[i]);
    harness.cursor = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const struct btk_action *shard = harness_next(&harness, BTK_ACTION_TRACE_SHARD);
        cr_assert_not_null(shard);
        cr_expect_eq(shard->trace, 7u);
        cr_expect_eq(shard->epoch, 1u);
        cr_expect_eq(shard->traced.shard_index, i);
        cr_expect_eq(shard->traced.bytes, 60u);
        cr_expect_eq(shard->traced.submitted_ns, 5u);
        cr_expect_eq(shard->traced.dispatched_ns, 15u);
        cr_expect_eq(shard->traced.report.finished_ns, 30u);
    }
    cr_expect_eq(harness_count(&harness, BTK_ACTION_TRACE_END), 0u);
    cr_expect_eq(btk_scheduler_trace(harness.scheduler, 1, 1), 7u);
    btk_scheduler_release(harness.scheduler, 1, 1);
    cr_expect_eq(only_end(&harness)->status, (uint32_t)BTK_STATUS_OK);
    cr_expect_eq(btk_scheduler_trace(harness.scheduler, 1, 1), 0u);
    harness_close(&harness);
}

Test(scheduler_trace, a_batch_that_is_refused_ends_at_once)
{
    struct harness harness;
    open_traced(&harness);
    btk_scheduler_drain(harness.scheduler);
    harness_submit(&harness, 1, 1, ends, 3);
    cr_expect_eq(only_end(&harness)->status, (uint32_t)BTK_STATUS_SHUTTING_DOWN);
    harness_close(&harness);
}

Test(scheduler_trace, a_batch_of_nobody_ends_at_once)
{
    struct harness harness;
    open_traced(&harness);
    harness_submit(&harness, 2, 1, ends, 3);
    cr_expect_eq(only_end(&harness)->status, (uint32_t)BTK_STATUS_CANCELED);
    harness_close(&harness);
}

Test(scheduler_trace, a_canceled_batch_ends_when_nothing_of_it_runs)
{
    struct harness harness;
    open_traced(&harness);
    harness_submit(&harness, 1, 1, ends, 3);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assigns[3];
    for (int i = 0; i < 3; i++) assigns[i] = harness_next(&harness, BTK_ACTION_ASSIGN);
    btk_scheduler_cancel(harness.scheduler, 1, 1);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(harness_count(&harness, BTK_ACTION_TRACE_END), 0u);
        harness_report(&harness, assigns[i]);
    }
    cr_expect_eq(only_end(&harness)->status, (uint32_t)BTK_STATUS_CANCELED);
    harness_close(&harness);
}

Test(scheduler_trace, batches_of_a_client_that_is_gone_end_once_released_or_not)
{
    struct harness harness;
    open_traced(&harness);
    harness_submit(&harness, 1, 1, ends, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    btk_scheduler_remove_client(harness.scheduler, 1);
    cr_expect_eq(only_end(&harness)->status, (uint32_t)BTK_STATUS_OK);
    harness_close(&harness);
}

Test(scheduler_trace, a_shard_that_is_done_again_has_the_stamps_of_the_second_time)
{
    struct harness harness;
    open_traced(&harness);
    harness_submit(&harness, 1, 1, ends, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    btk_scheduler_remove_worker(harness.scheduler, 0, 0);
    btk_scheduler_add_worker(harness.scheduler, 0, 2);
    harness_add_results(&harness, 0, 2, 1);
    harness_forget_actions(&harness);
    btk_scheduler_dispatch(harness.scheduler, 18);
    harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    const struct btk_action *shard = harness_next(&harness, BTK_ACTION_TRACE_SHARD);
    cr_assert_not_null(shard);
    cr_expect_eq(shard->epoch, 2u);
    cr_expect_eq(shard->traced.dispatched_ns, 18u);
    harness_close(&harness);
}
