// SPDX-License-Identifier: Apache-2.0
// Normalizer and pre-tokenizer by themselves: the engine's own functions, on what they are given
// inside of encode, cut at added tokens before the clock starts.
//
//     call   ----[added]-------     gaps: what the normalizer is given
//     gap    ~~~~~~[added]~~~~~     of the normalized text: what the pre-tokenizer is given
//
// When the clock has stopped, the same calls go the same way once more, and the stages behind make
// ids of what the measured one gives: those are compared. How much a stage gave has to be the same
// both times.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure_stage.h"
#include "tokenizer/engine.h"
#include "tools/open_tokenizer.h"

enum { FIRST_GAPS = 1024 };

struct gap_list {
    struct btk_span *spans;
    size_t count, capacity;
    uint8_t *texts; // of spans that are not in the caller's text
    size_t text_bytes, text_capacity;
};

struct text_state {
    struct btk_measure_share share;
    bool is_pretokenizer;
    struct btk_scratch *scratch;
    struct btk_normal_buffer normal; // for the longest call
    struct gap_list calls, warm_up;
    struct gap_list *collecting; // NULL: verifying
    struct btk_encoder encoder;
    struct btk_encoding encoding;
    uint8_t *prefixed; // " " and a gap
    size_t prefixed_capacity;
    size_t given; // bytes or pieces, in the last run
};

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
}

static void clear_list(struct gap_list *list)
{
    free(list->spans);
    free(list->texts);
}

static void text_close(void *context)
{
    struct text_state *const state = context;
    if (!state) return;
    btk_scratch_free(&state->scratch);
    btk_normal_buffer_clear(&state->normal);
    clear_list(&state->calls);
    clear_list(&state->warm_up);
    free(state->encoding.ids);
    free(state->prefixed);
    free(state);
}

// --- The two stages

static bool wants_maps(const struct text_state *state)
{
    return state->share.plan->fields & BTK_MEASURE_OFFSETS
           || btk_pretokenizer_reads_places(&state->share.plan->tokenizer->image);
}

// *out is good until the next call.
static int normalize(struct text_state *state, const struct btk_span *source, struct btk_span *out)
{
    struct btk_scratch *const scratch = state->scratch;
    const bool has_maps = wants_maps(state);
    if (scratch->normalizer) return btk_normalizer_run(scratch->normalizer, source, has_maps, out);
    *out = *source;
    if (!scratch->bert) return 0;
    struct btk_bert_output output = {.text = state->normal.text,
                                     .begins = has_maps ? state->normal.begins : NULL,
                                     .ends = has_maps ? state->normal.ends : NULL};
    scratch->bert->chars = state->normal.chars;
    const size_t length = btk_bert_normalize(scratch->bert, source->text, source->base, &output);
    *out = (struct btk_span){.text = {output.text, length},
                             .base = source->base,
                             .begins = output.has_moved ? output.begins : NULL,
                             .ends = output.has_moved ? output.ends : NULL,
                             .readable_end = output.text + length + BTK_READ_SLACK_BYTES};
    return 0;
}

static void release_normal(struct text_state *state)
{
    if (state->scratch->normalizer) btk_normalizer_release(state->scratch->normalizer);
}

static btk_pretok_next_fn *const patterns[] = {
#define PATTERN(name, NAME, source) btk_pretok_##name##_next,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

static int pieces_of_pattern(struct text_state *state, const struct btk_span *span,
                             struct btk_encoder *encoder)
{
    struct btk_scratch *const scratch = state->scratch;
    const struct btk_image_config *const config = state->share.plan->tokenizer->image.config;
    btk_pretok_next_fn *const next = config->pretokenizer == BTK_PRETOKENIZER_BERT
                                         ? btk_pretok_bert_next
                                         : patterns[config->pattern];
    size_t count;
    btk_pretok_init(&scratch->pretok, scratch->kernels, span->text);
    while ((count = next(&scratch->pretok, scratch->pieces, BTK_PIECE_BATCH)) != 0) {
        state->given += count;
        const int status =
            encoder ? btk_encode_pieces(encoder, span, scratch->pieces, count, true) : 0;
        if (status < 0) return status;
    }
    return 0;
}

static int pieces_of_steps(struct text_state *state, const struct btk_span *span,
                           struct btk_encoder *encoder)
{
    struct btk_pretokenizer *const pretokenizer = state->scratch->pretokenizer;
    int status = 0;
    for (size_t begin = 0; !status && begin < span->text.length;) {
        const struct btk_bytes left = {span->text.data + begin, span->text.length - begin};
        const size_t end = begin + btk_pretokenizer_window(pretokenizer, left);
        const struct btk_span window = btk_span_part(span, begin, end);
        struct btk_span out;
        const struct btk_piece *pieces;
        size_t count;
        status = btk_pretokenizer_run(pretokenizer, &window, false, &out, &pieces, &count);
        if (status < 0) return status;
        state->given += count;
        if (encoder) status = btk_encode_pieces(encoder, &out, pieces, count, true);
        begin = end;
    }
    btk_pretokenizer_release(pretokenizer);
    return status;
}

// The pieces of a gap; with an encoder, their tokens too.
static int pretokenize(struct text_state *state, const struct btk_span *span,
                       struct btk_encoder *encoder)
{
    return state->scratch->pretokenizer ? pieces_of_steps(state, span, encoder)
                                        : pieces_of_pattern(state, span, encoder);
}

// --- Gaps

static int push_gap(struct gap_list *list, const struct btk_span *span)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : FIRST_GAPS;
        struct btk_span *const spans = realloc(list->spans, capacity * sizeof *spans);
        if (!spans) return -ENOMEM;
        list->spans = spans;
        list->capacity = capacity;
    }
    list->spans[list->count++] = *span;
    return 0;
}

// The text is kept by its place in `texts`, which moves as it grows: place_texts() makes pointers.
static int push_copy(struct gap_list *list, const struct btk_span *span)
{
    const size_t needed = list->text_bytes + span->text.length + BTK_READ_SLACK_BYTES;
    if (needed > list->text_capacity) {
        uint8_t *const texts = realloc(list->texts, 2 * needed);
        if (!texts) return -ENOMEM;
        list->texts = texts;
        list->text_capacity = 2 * needed;
    }
    memcpy(list->texts + list->text_bytes, span->text.data, span->text.length);
    const struct btk_span copy = {.text = {NULL, span->text.length}};
    list->text_bytes += span->text.length;
    return push_gap(list, &copy);
}

static void place_texts(struct gap_list *list)
{
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct btk_span *const span = &list->spans[i];
        span->text.data = list->texts + at;
        span->readable_end = span->text.data + span->text.length + BTK_READ_SLACK_BYTES;
        at += span->text.length;
    }
}

typedef int gap_fn(struct text_state *state, const struct btk_span *gap);

// Each gap between the added tokens of a span; these too while ids are made.
static int walk(struct text_state *state, const struct btk_span *whole, bool is_raw, gap_fn *gap)
{
    const struct btk_tokenizer *const tokenizer = state->share.plan->tokenizer;
    struct btk_added_finder finder;
    struct btk_added_match match;
    size_t begin = 0;
    int status = 0;
    btk_added_finder_init(&finder,
                          is_raw ? &tokenizer->image.raw_trie : &tokenizer->image.normal_trie,
                          is_raw ? &tokenizer->raw_filter : &tokenizer->normal_filter, whole->text);
    finder.skips_special = btk_encode_special_text(&state->encoder) == BTK_SPECIAL_TEXT_PLAIN;
    while (!status && btk_added_finder_next(&finder, &match)) {
        const struct btk_span part = btk_span_part(whole, begin, btk_max_size(begin, match.begin));
        if (part.text.length) status = gap(state, &part);
        if (!status && !state->collecting)
            status = btk_encode_added(&state->encoder, whole, &match);
        begin = match.end;
    }
    const struct btk_span rest = btk_span_part(whole, begin, whole->text.length);
    return !status && rest.text.length ? gap(state, &rest) : status;
}

static bool needs_prefix(const struct text_state *state, const struct btk_span *gap)
{
    const struct btk_image_config *const config = state->share.plan->tokenizer->image.config;
    return config->pretokenizer == BTK_PRETOKENIZER_BYTE_LEVEL
           && config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE && gap->text.data[0] != ' ';
}

// add_prefix_space is done before the clock starts: " " + text is cut as the engine cuts the two.
static int with_prefix(struct text_state *state, const struct btk_span *gap, struct btk_span *out)
{
    const size_t bytes = gap->text.length + 1;
    if (bytes > state->prefixed_capacity) {
        uint8_t *const prefixed = realloc(state->prefixed, 2 * bytes);
        if (!prefixed) return -ENOMEM;
        state->prefixed = prefixed;
        state->prefixed_capacity = 2 * bytes;
    }
    state->prefixed[0] = ' ';
    memcpy(state->prefixed + 1, gap->text.data, gap->text.length);
    *out = (struct btk_span){.text = {state->prefixed, bytes},
                             .readable_end = state->prefixed + bytes};
    return 0;
}

static int take_normal_gap(struct text_state *state, const struct btk_span *gap)
{
    struct btk_span span = *gap;
    const int status = needs_prefix(state, gap) ? with_prefix(state, gap, &span) : 0;
    if (status < 0) return status;
    return state->collecting ? push_copy(state->collecting, &span)
                             : pretokenize(state, &span, &state->encoder);
}

static int take_raw_gap(struct text_state *state, const struct btk_span *gap)
{
    struct btk_span normal;
    if (state->collecting && !state->is_pretokenizer) return push_gap(state->collecting, gap);
    int status = normalize(state, gap, &normal);
    if (!status && state->is_pretokenizer) {
        status = walk(state, &normal, false, take_normal_gap);
    } else if (!status) {
        state->given += normal.text.length;
        status = btk_encode_span(&state->encoder, &normal);
    }
    release_normal(state);
    return status;
}

static int walk_calls(struct text_state *state, const struct btk_bytes *calls, size_t count,
                      struct btk_error *error)
{
    int status = 0;
    for (size_t i = 0; i < count && !status; i++) {
        const struct btk_span whole = {.text = calls[i],
                                       .readable_end = calls[i].data + calls[i].length};
        state->encoder.text = calls[i];
        status = walk(state, &whole, true, take_raw_gap);
    }
    return status < 0 ? btk_encode_explain(status, &state->encoder, error) : 0;
}

static int collect(struct text_state *state, const struct btk_bytes *calls, size_t count,
                   struct gap_list *list, struct btk_error *error)
{
    state->collecting = list;
    const int status = walk_calls(state, calls, count, error);
    state->collecting = NULL;
    if (!status && state->is_pretokenizer) place_texts(list);
    return status;
}

// --- What a measurement calls

static size_t longest(const struct btk_bytes *calls, size_t count)
{
    size_t bytes = 1;
    for (size_t i = 0; i < count; i++) bytes = btk_max_size(bytes, calls[i].length);
    return bytes;
}

static int allocate(struct text_state *state)
{
    const struct btk_measure_plan *const plan = state->share.plan;
    const size_t bytes = btk_max_size(longest(state->share.calls, state->share.call_count),
                                      longest(plan->warm_up->pieces, plan->warm_up->count));
    state->encoding.capacity =
        btk_measure_bound(plan->tokenizer, state->share.calls, state->share.call_count) + 1;
    state->encoding.ids = malloc(state->encoding.capacity * sizeof(uint32_t));
    if (!state->encoding.ids) return -ENOMEM;
    return btk_normal_buffer_init(&state->normal, bytes, true);
}

static int open_stage(const struct btk_measure_share *share, bool is_pretokenizer, void **out_state,
                      struct btk_error *error)
{
    const struct btk_measure_plan *const plan = share->plan;
    struct text_state *const state = calloc(1, sizeof *state);
    struct btk_error_info info;
    *out_state = state;
    if (!state) return no_memory(error);
    state->share = *share;
    state->is_pretokenizer = is_pretokenizer;
    if (allocate(state) < 0) return no_memory(error);
    if (btk_scratch_new(plan->tokenizer, &state->scratch, &info) < 0)
        return btk_error_import(error, &info);
    state->encoder = (struct btk_encoder){.tokenizer = plan->tokenizer,
                                          .image = &plan->tokenizer->image,
                                          .scratch = state->scratch,
                                          .options = &btk_measure_options,
                                          .encoding = &state->encoding};
    const int status = collect(state, share->calls, share->call_count, &state->calls, error);
    return status ? status
                  : collect(state, plan->warm_up->pieces, plan->warm_up->count, &state->warm_up,
                            error);
}

static int normalizer_open(const struct btk_measure_share *share, void **out_state,
                           struct btk_error *error)
{
    return open_stage(share, false, out_state, error);
}

static int pretokenizer_open(const struct btk_measure_share *share, void **out_state,
                             struct btk_error *error)
{
    return open_stage(share, true, out_state, error);
}

static int run_gap(struct text_state *state, const struct btk_span *gap)
{
    struct btk_span normal;
    if (state->is_pretokenizer) return pretokenize(state, gap, NULL);
    const int status = normalize(state, gap, &normal);
    if (!status) state->given += normal.text.length;
    release_normal(state);
    return status;
}

static int text_run(void *context, bool is_warm_up, struct btk_error *error)
{
    struct text_state *const state = context;
    const struct gap_list *const list = is_warm_up ? &state->warm_up : &state->calls;
    state->given = 0;
    for (size_t i = 0; i < list->count; i++) {
        const int status = run_gap(state, &list->spans[i]);
        if (status < 0) return btk_encode_explain(status, &state->encoder, error);
    }
    return 0;
}

static int text_sum_up(void *context, struct btk_measure_sums *sums, struct btk_error *error)
{
    struct text_state *const state = context;
    const size_t given = state->given;
    state->given = 0;
    const int status = walk_calls(state, state->share.calls, state->share.call_count, error);
    if (status < 0) return status;
    if (state->given != given)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                             "the stage gave %zu of what it gave %zu of when it was verified",
                             given, state->given);
    btk_hash_stream_update(sums->ids, state->encoding.ids,
                           state->encoding.count * sizeof(uint32_t));
    sums->result->tokens += state->encoding.count;
    sums->result->items += given;
    snprintf(sums->result->simd, sizeof sums->result->simd, "%s", btk_scratch_simd(state->scratch));
    return 0;
}

static bool has_normalizer(const struct btk_tokenizer *tokenizer)
{
    return tokenizer->image.config->normalizer == BTK_NORMALIZER_BERT
           || (tokenizer->image.config->normalizer == BTK_NORMALIZER_STEPS
               && tokenizer->image.normalizer.count);
}

static bool has_pretokenizer(const struct btk_tokenizer *tokenizer)
{
    const struct btk_image_config *const config = tokenizer->image.config;
    switch (config->pretokenizer) {
    case BTK_PRETOKENIZER_BERT: return true;
    case BTK_PRETOKENIZER_BYTE_LEVEL: return config->flags & BTK_PIPELINE_USE_REGEX;
    default: return tokenizer->image.pretokenizer.count;
    }
}

const struct btk_measure_stage btk_measure_normalizer = {.is_there = has_normalizer,
                                                         .open = normalizer_open,
                                                         .run = text_run,
                                                         .sum_up = text_sum_up,
                                                         .close = text_close};
const struct btk_measure_stage btk_measure_pretokenizer = {.is_there = has_pretokenizer,
                                                           .open = pretokenizer_open,
                                                           .run = text_run,
                                                           .sum_up = text_sum_up,
                                                           .close = text_close};
