// SPDX-License-Identifier: Apache-2.0
// The whole of encode: one call a piece, results one after the other in the columns.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure_stage.h"
#include "common/profile.h"
#include "tools/open_tokenizer.h"

struct encode_state {
    struct btk_measure_share share;
    struct btk_scratch *scratch;
    struct btk_encoding columns; // of all calls
    size_t token_count;
};

static void encode_close(void *context)
{
    struct encode_state *const state = context;
    if (!state) return;
    btk_scratch_free(&state->scratch);
    free(state->columns.ids);
    free(state->columns.offsets);
    free(state->columns.type_ids);
    free(state->columns.word_ids);
    free(state->columns.special_tokens_mask);
    free(state);
}

// Page faults belong to nobody's tokenizer.
static void *touched(size_t bytes)
{
    void *const memory = malloc(bytes);
    if (memory) memset(memory, 0xff, bytes);
    return memory;
}

static bool try_allocate(struct btk_encoding *columns, size_t bound, unsigned fields)
{
    const size_t bytes = bound * sizeof(uint32_t);
    columns->capacity = bound;
    columns->ids = touched(bytes);
    if (fields & BTK_MEASURE_OFFSETS) columns->offsets = touched(2 * bytes);
    if (fields & BTK_MEASURE_TYPE_IDS) columns->type_ids = touched(bytes);
    if (fields & BTK_MEASURE_WORD_IDS) columns->word_ids = touched(bytes);
    if (fields & BTK_MEASURE_SPECIAL_TOKENS_MASK) columns->special_tokens_mask = touched(bound);
    return columns->ids && (columns->offsets || !(fields & BTK_MEASURE_OFFSETS))
           && (columns->type_ids || !(fields & BTK_MEASURE_TYPE_IDS))
           && (columns->word_ids || !(fields & BTK_MEASURE_WORD_IDS))
           && (columns->special_tokens_mask || !(fields & BTK_MEASURE_SPECIAL_TOKENS_MASK));
}

static int encode_open(const struct btk_measure_share *share, void **out_state,
                       struct btk_error *error)
{
    const struct btk_measure_plan *const plan = share->plan;
    struct encode_state *const state = calloc(1, sizeof *state);
    *out_state = state;
    const size_t bound =
        btk_max_size(
            btk_measure_bound(plan->tokenizer, share->calls, share->call_count),
            btk_measure_bound(plan->tokenizer, plan->warm_up->pieces, plan->warm_up->count))
        + 1;
    if (!state || !try_allocate(&state->columns, bound, plan->fields))
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    state->share = *share;
    struct btk_error_info info;
    return btk_scratch_new(plan->tokenizer, &state->scratch, &info) < 0
               ? btk_error_import(error, &info)
               : 0;
}

static uint32_t *column_at(uint32_t *column, size_t at)
{
    return column ? column + at : NULL;
}

static int encode_all(struct encode_state *state, const struct btk_bytes *pieces, size_t count,
                      struct btk_error *error)
{
    const struct btk_encoding *const columns = &state->columns;
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        struct btk_error_info info;
        struct btk_encoding encoding = {
            .capacity = columns->capacity - done,
            .ids = columns->ids + done,
            .offsets = column_at(columns->offsets, 2 * done),
            .type_ids = column_at(columns->type_ids, done),
            .word_ids = column_at(columns->word_ids, done),
            .special_tokens_mask =
                columns->special_tokens_mask ? columns->special_tokens_mask + done : NULL,
        };
        const int status =
            btk_encode(state->share.plan->tokenizer, state->scratch, (const char *)pieces[i].data,
                       pieces[i].length, &btk_measure_options, &encoding, &info);
        if (status < 0) return btk_error_import(error, &info);
        done += encoding.count;
    }
    state->token_count = done;
    return 0;
}

static int encode_run(void *context, bool is_warm_up, struct btk_error *error)
{
    struct encode_state *const state = context;
    const struct btk_measure_plan *const plan = state->share.plan;
    const struct btk_cut_list *const warm_up = plan->warm_up;
    // Begins anew: the last pass is the one that is timed.
    btk_scratch_set_profiling(state->scratch, plan->takes_profile && !is_warm_up);
    return is_warm_up ? encode_all(state, warm_up->pieces, warm_up->count, error)
                      : encode_all(state, state->share.calls, state->share.call_count, error);
}

static int encode_sum_up(void *context, struct btk_measure_sums *sums,
                         BTK_UNUSED struct btk_error *error)
{
    const struct encode_state *const state = context;
    const size_t bytes = state->token_count * sizeof(uint32_t);
    btk_hash_stream_update(sums->ids, state->columns.ids, bytes);
    if (state->columns.offsets)
        btk_hash_stream_update(sums->offsets, state->columns.offsets, 2 * bytes);
    struct btk_profile profile;
    btk_scratch_profile(state->scratch, &profile);
    btk_profile_add(&sums->result->profile, &profile);
    sums->result->tokens += state->token_count;
    snprintf(sums->result->simd, sizeof sums->result->simd, "%s", btk_scratch_simd(state->scratch));
    return 0;
}

const struct btk_measure_stage btk_measure_encode = {
    .open = encode_open, .run = encode_run, .sum_up = encode_sum_up, .close = encode_close};
