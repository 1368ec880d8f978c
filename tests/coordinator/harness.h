// SPDX-License-Identifier: Apache-2.0
// A scheduler with invented workers: actions are kept in a list, reports are made by hand.
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/scheduler.h"
#include "ipc/control_messages.h"

enum { ACTIONS_MAX = 65536, RESULTS_BYTES = 1 << 20 };

struct harness {
    struct btk_scheduler *scheduler;
    struct btk_action *actions;
    size_t action_count;
    size_t cursor;
    struct btk_result_shape shape; // of what is submitted
    uint32_t trace;                // the same
};

static void harness_act(void *context, const struct btk_action *action)
{
    struct harness *harness = context;
    cr_assert_lt(harness->action_count, (size_t)ACTIONS_MAX);
    harness->actions[harness->action_count++] = *action;
}

static inline void harness_open(struct harness *harness)
{
    *harness = (struct harness){
        .actions = calloc(ACTIONS_MAX, sizeof *harness->actions),
        .shape = {.op = BTK_OPERATION_ENCODE, .fields = BTK_FIELD_IDS},
    };
    const struct btk_scheduler_options options = {
        .shard_bytes = 100,
        .credit_bytes = 1000,
        .credit_shards = 4,
        .batch_limit = 8,
        .client_limit_bytes = 1 << 20,
        .result_limit_bytes = 1 << 24,
        .act = harness_act,
        .context = harness,
    };
    cr_assert_eq(btk_scheduler_new(&options, &harness->scheduler), 0);
}

static inline void harness_close(struct harness *harness)
{
    btk_scheduler_free(&harness->scheduler);
    free(harness->actions);
}

// The next action of this kind that was not looked at yet; NULL: none.
static inline const struct btk_action *harness_next(struct harness *harness,
                                                    enum btk_action_kind kind)
{
    while (harness->cursor < harness->action_count) {
        const struct btk_action *action = harness->actions + harness->cursor++;
        if (action->kind == kind) return action;
    }
    return NULL;
}

static inline size_t harness_count(const struct harness *harness, enum btk_action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < harness->action_count; i++) count += harness->actions[i].kind == kind;
    return count;
}

static inline void harness_forget_actions(struct harness *harness)
{
    harness->action_count = 0;
    harness->cursor = 0;
}

static inline void harness_add_results(struct harness *harness, uint32_t worker_id, uint32_t epoch,
                                       uint32_t client_id)
{
    const struct btk_results_memory memory = {
        .worker_id = worker_id,
        .epoch = epoch,
        .client_id = client_id,
        .results_id = (uint64_t)epoch << 32 | client_id,
        .bytes = RESULTS_BYTES,
    };
    cr_assert(btk_scheduler_add_results(harness->scheduler, &memory));
}

static inline void harness_submit(struct harness *harness, uint32_t client_id, uint64_t batch_id,
                                  const uint64_t *ends, uint32_t document_count)
{
    const struct btk_batch_request request = {
        .client_id = client_id,
        .submission =
            {
                .kind = BTK_SUBMISSION_SUBMIT,
                .op = BTK_OPERATION_ENCODE,
                .slab_id = 1,
                .options_id = 1,
                .batch_id = batch_id,
                .submitted_ns = 5,
                .text_bytes = document_count == 0 ? 0 : btk_document_end(ends[document_count - 1]),
                .document_count = document_count,
            },
        .ends = ends,
        .shape = harness->shape,
        .trace = harness->trace,
    };
    btk_scheduler_submit(harness->scheduler, &request, 10);
}

static inline struct btk_shard_report harness_report_of(const struct btk_assignment *assignment)
{
    return (struct btk_shard_report){
        .shard_id = assignment->shard_id,
        .epoch = assignment->epoch,
        .results_id = (uint64_t)assignment->epoch << 32 | assignment->client_id,
        .result_bytes = 512,
        .token_count = 7,
        .started_ns = 20,
        .finished_ns = 30,
    };
}

static inline void harness_report(struct harness *harness, const struct btk_action *action)
{
    const struct btk_shard_report report = harness_report_of(&action->assignment);
    btk_scheduler_report(harness->scheduler, action->worker_id, &report);
}

static inline void harness_one_worker(struct harness *harness)
{
    harness_open(harness);
    cr_assert_eq(btk_scheduler_add_client(harness->scheduler, 1), 0);
    btk_scheduler_add_worker(harness->scheduler, 0, 1);
    harness_add_results(harness, 0, 1, 1);
}
