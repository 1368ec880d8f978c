// SPDX-License-Identifier: Apache-2.0
// Decode: the ids of each call become text again, one call after the other. The ids are made before
// the clock starts; both they and the text are compared.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure_stage.h"
#include "tools/open_tokenizer.h"

struct call_list { // ids of several calls, one after the other
    uint32_t *ids;
    size_t *ends;
    size_t count;
};

struct decode_state {
    struct btk_measure_share share;
    struct btk_scratch *scratch;
    struct call_list calls, warm_up;
    char *text; // of all calls
    size_t capacity_bytes;
    size_t text_bytes;
};

static void decode_close(void *context)
{
    struct decode_state *const state = context;
    if (!state) return;
    btk_scratch_free(&state->scratch);
    free(state->calls.ids);
    free(state->calls.ends);
    free(state->warm_up.ids);
    free(state->warm_up.ends);
    free(state->text);
    free(state);
}

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
}

static int encode_calls(struct decode_state *state, const struct btk_bytes *pieces, size_t count,
                        struct call_list *list, struct btk_error *error)
{
    const struct btk_tokenizer *const tokenizer = state->share.plan->tokenizer;
    const size_t bound = btk_measure_bound(tokenizer, pieces, count) + 1;
    size_t done = 0;
    list->ids = malloc(bound * sizeof *list->ids);
    list->ends = malloc((count + 1) * sizeof *list->ends);
    if (!list->ids || !list->ends) return no_memory(error);
    for (size_t i = 0; i < count; i++) {
        struct btk_error_info info;
        struct btk_encoding encoding = {.capacity = bound - done, .ids = list->ids + done};
        if (btk_encode(tokenizer, state->scratch, (const char *)pieces[i].data, pieces[i].length,
                       &btk_measure_options, &encoding, &info)
            < 0)
            return btk_error_import(error, &info);
        done += encoding.count;
        list->ends[i] = done;
    }
    list->count = count;
    return 0;
}

// One call of btk_decode() may write as much as its ids allow, wherever the ones before ended.
static size_t room_of(const struct decode_state *state, const struct call_list *list)
{
    size_t bytes = 0;
    for (size_t i = 0; i < list->count; i++)
        bytes += btk_decode_bound(state->share.plan->tokenizer,
                                  list->ends[i] - (i ? list->ends[i - 1] : 0));
    return bytes;
}

static int decode_open(const struct btk_measure_share *share, void **out_state,
                       struct btk_error *error)
{
    const struct btk_measure_plan *const plan = share->plan;
    struct decode_state *const state = calloc(1, sizeof *state);
    struct btk_error_info info;
    *out_state = state;
    if (!state) return no_memory(error);
    state->share = *share;
    if (btk_scratch_new(plan->tokenizer, &state->scratch, &info) < 0)
        return btk_error_import(error, &info);
    int status = encode_calls(state, share->calls, share->call_count, &state->calls, error);
    if (!status)
        status = encode_calls(state, plan->warm_up->pieces, plan->warm_up->count, &state->warm_up,
                              error);
    if (status < 0) return status;
    state->capacity_bytes =
        btk_max_size(room_of(state, &state->calls), room_of(state, &state->warm_up)) + 1;
    state->text = malloc(state->capacity_bytes);
    if (!state->text) return no_memory(error);
    memset(state->text, 0xff, state->capacity_bytes);
    return 0;
}

static int decode_run(void *context, bool is_warm_up, struct btk_error *error)
{
    struct decode_state *const state = context;
    const struct call_list *const list = is_warm_up ? &state->warm_up : &state->calls;
    size_t begin = 0;
    state->text_bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct btk_error_info info;
        size_t bytes;
        const int status = btk_decode(state->share.plan->tokenizer, list->ids + begin,
                                      list->ends[i] - begin, false, state->text + state->text_bytes,
                                      state->capacity_bytes - state->text_bytes, &bytes, &info);
        if (status < 0) return btk_error_import(error, &info);
        state->text_bytes += bytes;
        begin = list->ends[i];
    }
    return 0;
}

static bool is_round_trip(const struct decode_state *state)
{
    size_t at = 0;
    for (size_t i = 0; i < state->share.call_count; i++) {
        const struct btk_bytes call = state->share.calls[i];
        if (call.length > state->text_bytes - at
            || memcmp(state->text + at, call.data, call.length) != 0)
            return false;
        at += call.length;
    }
    return at == state->text_bytes;
}

static int decode_sum_up(void *context, struct btk_measure_sums *sums,
                         BTK_UNUSED struct btk_error *error)
{
    const struct decode_state *const state = context;
    const size_t tokens = state->calls.count ? state->calls.ends[state->calls.count - 1] : 0;
    btk_hash_stream_update(sums->ids, state->calls.ids, tokens * sizeof(uint32_t));
    btk_hash_stream_update(sums->text, state->text, state->text_bytes);
    sums->result->tokens += tokens;
    sums->result->items += state->text_bytes;
    sums->result->is_round_trip &= is_round_trip(state);
    snprintf(sums->result->simd, sizeof sums->result->simd, "%s", btk_scratch_simd(state->scratch));
    return 0;
}

const struct btk_measure_stage btk_measure_decode = {
    .open = decode_open, .run = decode_run, .sum_up = decode_sum_up, .close = decode_close};
