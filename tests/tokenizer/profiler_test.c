// SPDX-License-Identifier: Apache-2.0
// Profiles of encode: what is sampled, that stages add up, that ids stay what they are.
#include <budtiktok/tokenizer.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tokenizer/small_models.h"
#include "tokenizer/default/default_models.h"

enum { CALLS = 10 * BTK_PROFILE_ONE_IN, ROOM = 4096 };

static const char text[] =
    "The na\xc3\xafve caf\xc3\xa9, 12345 [SEP] <|endoftext|> \xe4\xb8\xad\xe6\x96\x87 and more.";

struct engine {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    uint32_t ids[ROOM];
    uint32_t offsets[2 * ROOM];
};

static struct engine *open_default(const char *name)
{
    struct btk_default_model model;
    struct engine *const engine = calloc(1, sizeof *engine);
    cr_assert(engine && btk_default_model_find(name, &model));
    cr_assert_eq(btk_tokenizer_open_json(model.json, model.json_bytes, &engine->tokenizer, NULL),
                 0);
    cr_assert_eq(btk_scratch_new(engine->tokenizer, &engine->scratch, NULL), 0);
    return engine;
}

static void close_engine(struct engine *engine)
{
    btk_scratch_free(&engine->scratch);
    btk_tokenizer_close(&engine->tokenizer);
    free(engine);
}

static size_t encode(struct engine *engine, const char *data, size_t bytes)
{
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    struct btk_encoding columns = {
        .capacity = ROOM, .ids = engine->ids, .offsets = engine->offsets};
    (void)!btk_encode(engine->tokenizer, engine->scratch, data, bytes, &options, &columns, NULL);
    return columns.count;
}

static struct btk_profile profile_of(const struct engine *engine)
{
    struct btk_profile profile;
    btk_scratch_profile(engine->scratch, &profile);
    return profile;
}

static uint64_t sum_of_stages(const struct btk_profile *profile)
{
    uint64_t sum = 0;
    for (int i = 0; i < BTK_ENCODE_STAGE_COUNT; i++) sum += profile->stage_ns[i];
    return sum;
}

static void expect_shares(const char *name)
{
    struct engine *const engine = open_default(name);
    btk_scratch_set_profiling(engine->scratch, true);
    for (int i = 0; i < CALLS; i++) encode(engine, text, strlen(text));
    const struct btk_profile profile = profile_of(engine);
    cr_expect_eq(profile.calls, CALLS);
    cr_expect_eq(profile.bytes, CALLS * strlen(text));
    cr_expect_eq(profile.staged.calls, CALLS / BTK_PROFILE_ONE_IN);
    cr_expect_eq(profile.staged.bytes, CALLS / BTK_PROFILE_ONE_IN * strlen(text));
    cr_expect_eq(profile.plain.calls, profile.staged.calls);
    cr_expect_eq(profile.plain.bytes, profile.staged.bytes);
    cr_expect_gt(profile.plain.ns, 0);
    cr_expect_eq(sum_of_stages(&profile), profile.staged.ns, "the stages are all of a call");
    cr_expect_gt(profile.stage_ns[BTK_STAGE_VALIDATION], 0);
    cr_expect_gt(profile.stage_ns[BTK_STAGE_ADDED_TOKENS], 0);
    cr_expect_gt(profile.stage_ns[BTK_STAGE_PRETOKENIZATION], 0);
    cr_expect_gt(profile.stage_ns[BTK_STAGE_MODEL], 0);
    cr_expect_gt(profile.stage_ns[BTK_STAGE_POST_PROCESSING], 0);
    cr_expect_gt(profile.cache_hits, profile.cache_misses);
    close_engine(engine);
}

Test(profiler, one_call_in_64_has_stages_and_they_add_up_to_it)
{
    expect_shares("wordpiece");
    expect_shares("bpe");
}

Test(profiler, only_what_has_a_normalizer_takes_time_for_one)
{
    struct engine *const wordpiece = open_default("wordpiece"), *const bpe = open_default("bpe");
    btk_scratch_set_profiling(wordpiece->scratch, true);
    btk_scratch_set_profiling(bpe->scratch, true);
    encode(wordpiece, text, strlen(text));
    encode(bpe, text, strlen(text));
    cr_expect_gt(profile_of(wordpiece).stage_ns[BTK_STAGE_NORMALIZATION], 0);
    cr_expect_eq(profile_of(bpe).stage_ns[BTK_STAGE_NORMALIZATION], 0);
    close_engine(wordpiece);
    close_engine(bpe);
}

Test(profiler, ids_and_offsets_are_the_same_in_every_form)
{
    struct engine *const engine = open_default("wordpiece"), *const watched =
                                                                 open_default("wordpiece");
    btk_scratch_set_profiling(watched->scratch, true);
    const size_t count = encode(engine, text, strlen(text));
    for (int i = 0; i < CALLS; i++) {
        cr_assert_eq(encode(watched, text, strlen(text)), count);
        cr_assert_eq(memcmp(watched->ids, engine->ids, count * sizeof *engine->ids), 0);
        cr_assert_eq(memcmp(watched->offsets, engine->offsets, 2 * count * sizeof *engine->ids), 0);
    }
    close_engine(engine);
    close_engine(watched);
}

Test(profiler, it_is_off_until_it_is_turned_on_and_begins_anew_then)
{
    struct engine *const engine = open_default("bpe");
    encode(engine, text, strlen(text));
    cr_expect_eq(profile_of(engine).calls, 0);
    btk_scratch_set_profiling(engine->scratch, true);
    encode(engine, text, strlen(text));
    cr_expect_eq(profile_of(engine).calls, 1);
    cr_expect_gt(profile_of(engine).cache_hits, 0);
    cr_expect_eq(profile_of(engine).cache_misses, 0, "those were before");
    btk_scratch_set_profiling(engine->scratch, true);
    cr_expect_eq(profile_of(engine).calls, 0);
    cr_expect_eq(profile_of(engine).cache_hits, 0);
    close_engine(engine);
}

Test(profiler, an_emptied_cache_keeps_its_counts)
{
    struct engine *const engine = open_default("bpe");
    btk_scratch_set_profiling(engine->scratch, true);
    encode(engine, text, strlen(text));
    const uint64_t misses = profile_of(engine).cache_misses;
    btk_scratch_clear_cache(engine->scratch);
    cr_expect_eq(profile_of(engine).cache_misses, misses);
    encode(engine, text, strlen(text));
    cr_expect_eq(profile_of(engine).cache_misses, 2 * misses);
    close_engine(engine);
}

Test(profiler, a_text_that_is_refused_is_a_call_and_the_next_one_is_as_ever)
{
    struct engine *const engine = open_default("bpe");
    btk_scratch_set_profiling(engine->scratch, true);
    for (int i = 0; i < BTK_PROFILE_ONE_IN; i++) cr_assert_eq(encode(engine, "a\xff", 2), 0);
    cr_assert_gt(encode(engine, text, strlen(text)), 0);
    const struct btk_profile profile = profile_of(engine);
    cr_expect_eq(profile.calls, BTK_PROFILE_ONE_IN + 1);
    cr_expect_eq(profile.staged.calls, 2);
    cr_expect_eq(sum_of_stages(&profile), profile.staged.ns);
    close_engine(engine);
}

Test(profiler, a_batch_is_one_call_with_all_of_its_texts)
{
    struct engine *const engine = open_default("wordpiece");
    const struct btk_encode_input inputs[] = {
        {.text = {text, strlen(text)}},
        {.text = {"abc", 3}, .pair = {"de", 2}, .has_pair = true},
    };
    const struct btk_encoding_options options = BTK_ENCODING_DEFAULTS;
    struct btk_encodings *encodings;
    cr_assert_eq(btk_encodings_new(&encodings, NULL), 0);
    btk_scratch_set_profiling(engine->scratch, true);
    cr_assert_eq(
        btk_encode_batch(engine->tokenizer, engine->scratch, inputs, 2, &options, encodings, NULL),
        0);
    const struct btk_profile profile = profile_of(engine);
    cr_expect_eq(profile.calls, 1);
    cr_expect_eq(profile.bytes, strlen(text) + 5);
    cr_expect_eq(profile.staged.calls, 1);
    cr_expect_eq(sum_of_stages(&profile), profile.staged.ns);
    cr_expect_gt(profile.stage_ns[BTK_STAGE_POST_PROCESSING], 0);
    btk_encodings_free(&encodings);
    close_engine(engine);
}
