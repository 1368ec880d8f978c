// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/harness.h"

static const uint64_t ends_of_ten[10] = {60, 120, 180, 240, 300, 360, 420, 480, 540, 600};

static const struct btk_completion *next_completion(struct harness *harness)
{
    const struct btk_action *action = harness_next(harness, BTK_ACTION_COMPLETE);
    return action == NULL ? NULL : &action->completion;
}

Test(scheduler, a_small_batch_is_one_shard_and_one_batch_completion)
{
    struct harness harness;
    const uint64_t ends[3] = {10, 20, 30};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 77, ends, 3);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_not_null(assign);
    cr_assert_eq(assign->assignment.batch_id, 77u);
    cr_assert_eq(assign->assignment.document_count, 3u);
    cr_assert_eq(assign->assignment.shard_bytes, 30u);
    cr_assert_eq(assign->assignment.submitted_ns, 5u);
    cr_assert_eq(assign->assignment.dispatched_ns, 15u);
    harness_report(&harness, assign);
    const struct btk_completion *shard = next_completion(&harness);
    cr_assert_eq(shard->kind, BTK_COMPLETION_SHARD);
    cr_assert_eq(shard->results_id, (UINT64_C(1) << 32) | 1);
    cr_assert_eq(shard->bytes, 512u);
    const struct btk_completion *batch = next_completion(&harness);
    cr_assert_eq(batch->kind, BTK_COMPLETION_BATCH);
    cr_assert_eq(batch->shard_count, 1u);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_SLAB_UNPIN), 1u);
    btk_scheduler_release(harness.scheduler, 1, 77);
    harness_close(&harness);
}

Test(scheduler, shards_are_cut_at_documents_and_keep_their_order_and_credits)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 10);
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 4u, "four credits");
    const struct btk_action *first = harness_next(&harness, BTK_ACTION_ASSIGN);
    const struct btk_action *second = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(first->assignment.shard_begin, 0u);
    cr_assert_eq(first->assignment.shard_bytes, 60u, "a second document would pass the limit");
    cr_assert_eq(second->assignment.first_document, 1u);
    cr_assert_eq(second->assignment.shard_begin, 60u);
    harness_report(&harness, first);
    btk_scheduler_dispatch(harness.scheduler, 16);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 5u, "a credit came back");
    harness_close(&harness);
}

Test(scheduler, what_is_padded_together_is_never_cut)
{
    struct harness harness;
    const uint64_t ends[6] = {60, 120 | BTK_GROUP_END, 130 | BTK_GROUP_END, 400, 500, 600};
    harness_one_worker(&harness);
    harness.shape.is_grouped = true;
    harness_submit(&harness, 1, 1, ends, 6);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *first = harness_next(&harness, BTK_ACTION_ASSIGN);
    const struct btk_action *second = harness_next(&harness, BTK_ACTION_ASSIGN);
    const struct btk_action *third = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(first->assignment.shard_bytes, 120u);
    cr_assert_eq(first->assignment.document_count, 2u);
    cr_assert_eq(second->assignment.document_count, 1u, "the next group would pass the limit");
    cr_assert_eq(third->assignment.document_count, 3u, "the last group has no mark");
    cr_assert_eq(third->assignment.shard_begin, 130u);
    cr_assert_eq(third->assignment.shard_bytes, 470u);
    harness_close(&harness);
}

Test(scheduler, marks_of_groups_mean_nothing_where_nothing_is_padded_together)
{
    struct harness harness;
    const uint64_t ends[2] = {10, 20 | BTK_GROUP_END};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends, 2);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(assign->assignment.document_count, 2u);
    cr_assert_eq(assign->assignment.shard_bytes, 20u);
    harness_close(&harness);
}

Test(scheduler, padding_fills_a_shard_as_text_does)
{
    struct harness harness;
    const uint64_t ends[4] = {1, 2, 3, 4};
    harness_one_worker(&harness);
    harness.shape.padded_tokens = BTK_SHARD_PADDED_TOKENS / 2;
    harness_submit(&harness, 1, 1, ends, 4);
    cr_assert_eq(harness_next(&harness, BTK_ACTION_COMPLETE)->completion.status,
                 BTK_STATUS_TOO_LARGE, "more than a batch may become");
    harness.shape.padded_tokens = BTK_SHARD_PADDED_TOKENS / 8;
    harness_submit(&harness, 1, 2, ends, 4);
    harness_submit(&harness, 1, 3, ends, 4);
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_eq(harness_next(&harness, BTK_ACTION_ASSIGN)->assignment.document_count, 4u);
    harness_close(&harness);
}

Test(scheduler, the_credit_in_bytes_holds_too)
{
    struct harness harness;
    const uint64_t ends[2] = {1500, 1600};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends, 2);
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 1u);
    harness_close(&harness);
}

Test(scheduler, the_least_loaded_worker_is_next)
{
    struct harness harness;
    harness_one_worker(&harness);
    btk_scheduler_add_worker(harness.scheduler, 1, 2);
    harness_add_results(&harness, 1, 2, 1);
    harness_submit(&harness, 1, 1, ends_of_ten, 4);
    btk_scheduler_dispatch(harness.scheduler, 15);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_eq(harness_next(&harness, BTK_ACTION_ASSIGN)->worker_id, i % 2);
    harness_close(&harness);
}

Test(scheduler, clients_take_turns)
{
    struct harness harness;
    harness_one_worker(&harness);
    cr_assert_eq(btk_scheduler_add_client(harness.scheduler, 2), 0);
    harness_add_results(&harness, 0, 1, 2);
    harness_submit(&harness, 1, 1, ends_of_ten, 10);
    harness_submit(&harness, 2, 1, ends_of_ten, 10);
    btk_scheduler_dispatch(harness.scheduler, 15);
    uint32_t of_first = 0;
    for (uint32_t i = 0; i < 4; i++)
        of_first += harness_next(&harness, BTK_ACTION_ASSIGN)->client_id == 1;
    cr_assert_eq(of_first, 2u);
    harness_close(&harness);
}

Test(scheduler, nothing_is_assigned_before_the_results_memory_is_there)
{
    struct harness harness;
    const uint64_t ends[1] = {10};
    harness_open(&harness);
    cr_assert_eq(btk_scheduler_add_client(harness.scheduler, 1), 0);
    btk_scheduler_add_worker(harness.scheduler, 0, 1);
    harness_submit(&harness, 1, 1, ends, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 0u);
    harness_add_results(&harness, 0, 1, 1);
    btk_scheduler_dispatch(harness.scheduler, 16);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 1u);
    harness_close(&harness);
}

Test(scheduler, unfinished_shards_of_a_dead_worker_come_first_and_in_order)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 10);
    btk_scheduler_dispatch(harness.scheduler, 15);
    harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    harness_forget_actions(&harness);
    btk_scheduler_remove_worker(harness.scheduler, 0, 0);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_RESULTS_GONE), 0u, "one block is still kept");
    btk_scheduler_add_worker(harness.scheduler, 0, 2);
    harness_add_results(&harness, 0, 2, 1);
    btk_scheduler_dispatch(harness.scheduler, 16);
    for (uint32_t i = 0; i < 4; i++) {
        const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
        cr_assert_eq(assign->assignment.first_document, i + 1);
        cr_assert_eq(assign->assignment.epoch, 2u);
    }
    harness_close(&harness);
}

Test(scheduler, reports_of_an_older_epoch_are_dropped)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
    btk_scheduler_remove_worker(harness.scheduler, 0, 0);
    btk_scheduler_add_worker(harness.scheduler, 0, 2);
    harness_report(&harness, assign);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_COMPLETE), 0u);
    harness_close(&harness);
}

static const struct btk_action *run_until_death(struct harness *harness, uint32_t epoch)
{
    btk_scheduler_dispatch(harness->scheduler, 15);
    const struct btk_action *assign = harness_next(harness, BTK_ACTION_ASSIGN);
    if (assign == NULL) return NULL;
    btk_scheduler_remove_worker(harness->scheduler, 0, assign->assignment.shard_id);
    btk_scheduler_add_worker(harness->scheduler, 0, epoch);
    harness_add_results(harness, 0, epoch, 1);
    return assign;
}

Test(scheduler, the_third_blame_fails_the_shard_and_the_rest_of_the_batch_succeeds)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 2);
    run_until_death(&harness, 2);
    harness.cursor = harness.action_count;
    run_until_death(&harness, 3);
    harness_forget_actions(&harness);
    // In quarantine now: the other shard runs first or after it, but never beside it.
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 1u);
    const struct btk_action *alone = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(alone->assignment.first_document, 0u);
    btk_scheduler_remove_worker(harness.scheduler, 0, alone->assignment.shard_id);
    const struct btk_completion *poison = next_completion(&harness);
    cr_assert_eq(poison->kind, BTK_COMPLETION_SHARD);
    cr_assert_eq(poison->status, BTK_STATUS_POISON);
    cr_assert_eq(poison->results_id, 0u);
    btk_scheduler_add_worker(harness.scheduler, 0, 9);
    harness_add_results(&harness, 0, 9, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    cr_assert_eq(next_completion(&harness)->status, BTK_STATUS_OK);
    cr_assert_eq(next_completion(&harness)->kind, BTK_COMPLETION_BATCH);
    harness_close(&harness);
}

Test(scheduler, a_worker_in_quarantine_takes_work_again_afterwards)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 2);
    run_until_death(&harness, 2);
    harness.cursor = harness.action_count;
    run_until_death(&harness, 3);
    harness_forget_actions(&harness);
    btk_scheduler_dispatch(harness.scheduler, 15);
    harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *other = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_not_null(other);
    cr_assert_eq(other->assignment.first_document, 1u);
    harness_close(&harness);
}

Test(scheduler, a_batch_too_many_is_refused_with_a_time_to_come_back)
{
    struct harness harness;
    harness_open(&harness);
    cr_assert_eq(btk_scheduler_add_client(harness.scheduler, 1), 0);
    for (uint64_t id = 1; id <= 9; id++) harness_submit(&harness, 1, id, ends_of_ten, 10);
    const struct btk_completion *refused = next_completion(&harness);
    cr_assert_eq(refused->batch_id, 9u);
    cr_assert_eq(refused->kind, BTK_COMPLETION_FAILED);
    cr_assert_eq(refused->status, BTK_STATUS_OVERLOADED);
    cr_assert_gt(refused->retry_after_ms, 0u);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_SLAB_UNPIN), 1u);
    harness_close(&harness);
}

Test(scheduler, a_batch_whose_result_could_be_beyond_the_limit_is_refused_before_work)
{
    struct harness harness;
    const uint64_t ends[1] = {2 << 20};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends, 1);
    cr_assert_eq(next_completion(&harness)->status, BTK_STATUS_TOO_LARGE);
    harness_close(&harness);
}

Test(scheduler, a_draining_scheduler_refuses_new_batches_and_finishes_old_ones)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 1);
    btk_scheduler_drain(harness.scheduler);
    harness_submit(&harness, 1, 2, ends_of_ten, 1);
    cr_assert_eq(next_completion(&harness)->status, BTK_STATUS_SHUTTING_DOWN);
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_not_null(harness_next(&harness, BTK_ACTION_ASSIGN));
    harness_close(&harness);
}

Test(scheduler, a_client_that_goes_is_gone_when_its_last_shard_is_reported)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 10);
    btk_scheduler_dispatch(harness.scheduler, 15);
    btk_scheduler_remove_client(harness.scheduler, 1);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_CLIENT_GONE), 0u);
    const struct btk_action *assign;
    while ((assign = harness_next(&harness, BTK_ACTION_ASSIGN)) != NULL)
        harness_report(&harness, assign);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_CLIENT_GONE), 1u);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_COMPLETE), 0u);
    cr_assert_eq(btk_scheduler_add_client(harness.scheduler, 1), 0);
    harness_close(&harness);
}

Test(scheduler, a_canceled_batch_fails_when_nothing_of_it_runs)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 10);
    btk_scheduler_dispatch(harness.scheduler, 15);
    btk_scheduler_cancel(harness.scheduler, 1, 1);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_COMPLETE), 0u);
    for (int i = 0; i < 4; i++) harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    harness.cursor = 0;
    const struct btk_completion *failed = next_completion(&harness);
    cr_assert_eq(failed->kind, BTK_COMPLETION_FAILED);
    cr_assert_eq(failed->status, BTK_STATUS_CANCELED);
    harness_close(&harness);
}

Test(scheduler, a_table_that_goes_back_fails_the_batch)
{
    struct harness harness;
    const uint64_t ends[3] = {20, 10, 30};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends, 3);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_completion *failed = next_completion(&harness);
    cr_assert_eq(failed->kind, BTK_COMPLETION_FAILED);
    cr_assert_eq(failed->status, BTK_STATUS_MALFORMED);
    harness_close(&harness);
}

Test(scheduler, released_room_is_used_again)
{
    struct harness harness;
    const uint64_t ends[1] = {90};
    harness_one_worker(&harness);
    for (uint64_t id = 1; id < 10000; id++) {
        harness_forget_actions(&harness);
        harness_submit(&harness, 1, id, ends, 1);
        btk_scheduler_dispatch(harness.scheduler, 15);
        const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
        cr_assert_eq(assign->assignment.flags, 0u);
        cr_assert_eq(assign->assignment.result_offset, 0u);
        harness_report(&harness, assign);
        btk_scheduler_release(harness.scheduler, 1, id);
    }
    harness_close(&harness);
}

Test(scheduler, without_room_a_shard_gets_memory_of_its_own_that_goes_with_its_batch)
{
    struct harness harness;
    const uint64_t ends[1] = {400000};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(assign->assignment.flags, (uint32_t)BTK_ASSIGNMENT_OWN_MEMFD);
    struct btk_shard_report report = harness_report_of(&assign->assignment);
    report.results_id = (UINT64_C(1) << 32) | 500;
    cr_assert_not(btk_scheduler_knows_results(harness.scheduler, 0, &report));
    const struct btk_results_memory memory = {
        .epoch = 1,
        .client_id = 1,
        .results_id = report.results_id,
        .bytes = 4096,
        .shard_id = report.shard_id,
    };
    cr_assert(btk_scheduler_add_results(harness.scheduler, &memory));
    cr_assert(btk_scheduler_knows_results(harness.scheduler, 0, &report));
    btk_scheduler_report(harness.scheduler, 0, &report);
    cr_assert_eq(next_completion(&harness)->results_id, report.results_id);
    cr_assert_null(harness_next(&harness, BTK_ACTION_RESULTS_GONE));
    btk_scheduler_release(harness.scheduler, 1, 1);
    harness.cursor = 0;
    cr_assert_eq(harness_next(&harness, BTK_ACTION_RESULTS_GONE)->results_id, report.results_id);
    harness_close(&harness);
}

Test(scheduler, a_block_that_outgrew_its_bound_is_made_again_in_memory_of_its_own)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    struct btk_shard_report report =
        harness_report_of(&harness_next(&harness, BTK_ACTION_ASSIGN)->assignment);
    report.status = BTK_STATUS_TOO_LARGE;
    report.results_id = 0;
    btk_scheduler_report(harness.scheduler, 0, &report);
    btk_scheduler_dispatch(harness.scheduler, 16);
    const struct btk_action *again = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(again->assignment.flags, (uint32_t)BTK_ASSIGNMENT_OWN_MEMFD);
    cr_assert_neq(again->assignment.shard_id, report.shard_id);
    report.shard_id = again->assignment.shard_id;
    btk_scheduler_report(harness.scheduler, 0, &report);
    cr_assert_eq(next_completion(&harness)->status, BTK_STATUS_TOO_LARGE, "the second time counts");
    harness_close(&harness);
}

Test(scheduler, a_block_beyond_its_extent_is_not_believed)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 1);
    btk_scheduler_dispatch(harness.scheduler, 15);
    struct btk_shard_report report =
        harness_report_of(&harness_next(&harness, BTK_ACTION_ASSIGN)->assignment);
    report.result_bytes = RESULTS_BYTES;
    btk_scheduler_report(harness.scheduler, 0, &report);
    const struct btk_completion *shard = next_completion(&harness);
    cr_assert_eq(shard->results_id, 0u);
    cr_assert_eq(shard->status, BTK_STATUS_INTERNAL);
    harness_close(&harness);
}

Test(scheduler, what_was_not_begun_by_its_deadline_is_not_begun)
{
    struct harness harness;
    harness_one_worker(&harness);
    struct btk_batch_request request = {
        .client_id = 1,
        .submission = {.batch_id = 1, .text_bytes = 600, .document_count = 10, .deadline_ns = 50},
        .ends = ends_of_ten,
    };
    btk_scheduler_submit(harness.scheduler, &request, 10);
    btk_scheduler_dispatch(harness.scheduler, 20);
    request.submission.batch_id = 2;
    btk_scheduler_submit(harness.scheduler, &request, 25);
    for (int i = 0; i < 4; i++) harness_report(&harness, harness_next(&harness, BTK_ACTION_ASSIGN));
    harness.cursor = harness.action_count;
    btk_scheduler_dispatch(harness.scheduler, 60);
    const struct btk_completion *rest = next_completion(&harness);
    cr_assert_eq(rest->status, BTK_STATUS_DEADLINE);
    cr_assert_eq(rest->first_document, 4u);
    cr_assert_eq(rest->document_count, 6u);
    cr_assert_eq(next_completion(&harness)->kind, BTK_COMPLETION_BATCH);
    const struct btk_completion *second = next_completion(&harness);
    cr_assert_eq(second->kind, BTK_COMPLETION_FAILED);
    cr_assert_eq(second->status, BTK_STATUS_DEADLINE);
    harness_close(&harness);
}

Test(scheduler, a_paused_client_gets_nothing_until_it_is_not)
{
    struct harness harness;
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, ends_of_ten, 1);
    btk_scheduler_pause_client(harness.scheduler, 1, true);
    btk_scheduler_dispatch(harness.scheduler, 15);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 0u);
    btk_scheduler_pause_client(harness.scheduler, 1, false);
    btk_scheduler_dispatch(harness.scheduler, 16);
    cr_assert_eq(harness_count(&harness, BTK_ACTION_ASSIGN), 1u);
    harness_close(&harness);
}

Test(scheduler, shards_are_cut_larger_while_the_memory_of_the_client_is_full)
{
    struct harness harness;
    const uint64_t full[1] = {400000};
    harness_one_worker(&harness);
    harness_submit(&harness, 1, 1, full, 1);
    harness_submit(&harness, 1, 2, ends_of_ten, 10);
    btk_scheduler_dispatch(harness.scheduler, 15);
    const struct btk_action *assign = harness_next(&harness, BTK_ACTION_ASSIGN);
    cr_assert_eq(assign->assignment.flags, (uint32_t)BTK_ASSIGNMENT_OWN_MEMFD);
    btk_scheduler_add_worker(harness.scheduler, 1, 2);
    harness_add_results(&harness, 1, 2, 1);
    btk_scheduler_dispatch(harness.scheduler, 16);
    cr_assert_eq(harness_next(&harness, BTK_ACTION_ASSIGN)->assignment.document_count, 10u);
    harness_close(&harness);
}
