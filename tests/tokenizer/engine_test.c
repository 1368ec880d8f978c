// SPDX-License-Identifier: Apache-2.0
// The whole engine: bounds, windows, kernels; what is compared is itself under other circumstances.
#include <budtiktok/tokenizer.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "kernels/kernels.h"
#include "tests/tokenizer/small_models.h"
#include "tokenizer/default/default_models.h"

// One result with all of its columns, in memory of exactly its size.
struct result {
    size_t capacity;
    struct btk_encoding encoding;
};

struct engine {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
};

static struct engine open_json(const void *json, size_t bytes)
{
    struct engine engine = {0};
    struct btk_error_info error;
    cr_assert_eq(btk_tokenizer_open_json(json, bytes, &engine.tokenizer, &error), 0, "%s",
                 error.message);
    cr_assert_eq(btk_scratch_new(engine.tokenizer, &engine.scratch, &error), 0, "%s",
                 error.message);
    return engine;
}

static struct engine open_default(const char *name)
{
    struct btk_default_model model;
    cr_assert(btk_default_model_find(name, &model));
    return open_json(model.json, model.json_bytes);
}

static void close_engine(struct engine *engine)
{
    btk_scratch_free(&engine->scratch);
    btk_tokenizer_close(&engine->tokenizer);
}

static struct result new_result(size_t capacity)
{
    struct result result = {.capacity = capacity};
    result.encoding = (struct btk_encoding){
        .capacity = capacity,
        .ids = calloc(capacity + 1, sizeof(uint32_t)),
        .offsets = calloc(2 * capacity + 1, sizeof(uint32_t)),
        .type_ids = calloc(capacity + 1, sizeof(uint32_t)),
        .word_ids = calloc(capacity + 1, sizeof(uint32_t)),
        .special_tokens_mask = calloc(capacity + 1, 1),
        .sources = calloc(2 * capacity + 1, sizeof(uint32_t)),
    };
    cr_assert(result.encoding.ids && result.encoding.offsets && result.encoding.sources);
    return result;
}

static void free_result(struct result *result)
{
    free(result->encoding.ids);
    free(result->encoding.offsets);
    free(result->encoding.type_ids);
    free(result->encoding.word_ids);
    free(result->encoding.special_tokens_mask);
    free(result->encoding.sources);
}

static const struct btk_encode_options defaults = BTK_ENCODE_DEFAULTS;

static struct result encode(struct engine *engine, const char *text, size_t bytes)
{
    struct result result = new_result(btk_encode_bound(engine->tokenizer, bytes, &defaults));
    struct btk_error_info error;
    cr_assert_eq(btk_encode(engine->tokenizer, engine->scratch, text, bytes, &defaults,
                            &result.encoding, &error),
                 0, "%zu bytes: %s", bytes, error.message);
    return result;
}

static void expect_same(const struct btk_encoding *a, const struct btk_encoding *b,
                        const char *what)
{
    cr_assert_eq(a->count, b->count, "%s: %zu tokens, %zu tokens", what, a->count, b->count);
    const size_t bytes = a->count * sizeof(uint32_t);
    cr_assert_eq(memcmp(a->ids, b->ids, bytes), 0, "%s: ids", what);
    cr_assert_eq(memcmp(a->offsets, b->offsets, 2 * bytes), 0, "%s: offsets", what);
    cr_assert_eq(memcmp(a->word_ids, b->word_ids, bytes), 0, "%s: word ids", what);
    cr_assert_eq(memcmp(a->type_ids, b->type_ids, bytes), 0, "%s: type ids", what);
    cr_assert_eq(memcmp(a->special_tokens_mask, b->special_tokens_mask, a->count), 0, "%s: mask",
                 what);
}

// Pieces of text on which some stage does something special.
static const char *const parts[] = {
    "hello",
    "World",
    " ",
    "  ",
    "\n",
    "\t",
    "'s",
    "...",
    "123",
    "\xc3\xa9",
    "e\xcc\x81",
    "\xcc\xa3",
    "\xe4\xb8\xad",
    "\xed\x95\x9c",
    "\xf0\x9f\x98\x80",
    "\xe2\x80\x8b",
    "\xc2\xa0",
    "[SEP]",
    "<|endoftext|>",
    "supercalifragilistic",
    "\xef\xbf\xbd",
    "\xd0\x96",
    "\xe3\x81\x8b\xe3\x82\x99",
    "##ing",
    "\r\n",
    "\xe2\x80\x99",
    "_",
    "\xf0\x9d\x85\x9e",
    "\xe1\xb9\xa9",
    "a",
};

// A text of exactly `bytes` bytes; `spaces`: of 100 parts, how many may be white space.
static char *random_text(uint64_t *state, size_t bytes, unsigned spaces)
{
    char *const text = malloc(bytes + 1);
    cr_assert_not_null(text);
    size_t length = 0;
    while (length < bytes) {
        const char *part = parts[btk_small_random(state) % (sizeof parts / sizeof parts[0])];
        if (strchr(" \n\t\r", part[0]) && btk_small_random(state) % 100 >= spaces) part = "x";
        if (strlen(part) > bytes - length) part = "z";
        memcpy(text + length, part, strlen(part));
        length += strlen(part);
    }
    text[bytes] = 0;
    return text;
}

// --- Kernels

static void compare_kernels(const char *model)
{
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    uint64_t state = 7;
    for (int round = 0; round < 12; round++) {
        const size_t bytes = (size_t)1 << (round + 4);
        char *const text = random_text(&state, bytes, round % 2 ? 100 : 20);
        struct result first = {0};
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            setenv("BUDTIKTOK_SIMD", names[i], 1);
            struct engine engine = {0};
            struct btk_default_model json;
            cr_assert(btk_default_model_find(model, &json));
            cr_assert_eq(
                btk_tokenizer_open_json(json.json, json.json_bytes, &engine.tokenizer, NULL), 0);
            const int status = btk_scratch_new(engine.tokenizer, &engine.scratch, NULL);
            cr_assert(status == 0 || (i > 0 && status == -ENOTSUP));
            if (status == 0) {
                cr_assert_str_eq(btk_scratch_simd(engine.scratch), names[i]);
                struct result result = encode(&engine, text, bytes);
                if (i) expect_same(&first.encoding, &result.encoding, names[i]);
                if (i)
                    free_result(&result);
                else
                    first = result;
            }
            close_engine(&engine);
        }
        free_result(&first);
        free(text);
    }
}

Test(engine, all_kernels_give_the_same_result_with_wordpiece)
{
    compare_kernels("wordpiece");
}

Test(engine, all_kernels_give_the_same_result_with_bpe)
{
    compare_kernels("bpe");
}

Test(engine, unknown_kernels_are_refused)
{
    setenv("BUDTIKTOK_SIMD", "mmx", 1);
    struct btk_default_model json;
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_scratch *scratch = NULL;
    struct btk_error_info error;
    cr_assert(btk_default_model_find("bpe", &json));
    cr_assert_eq(btk_tokenizer_open_json(json.json, json.json_bytes, &tokenizer, &error), 0);
    cr_expect_eq(btk_scratch_new(tokenizer, &scratch, &error), -EINVAL);
    cr_expect_null(scratch);
    cr_expect_not_null(strstr(error.message, "mmx"));
    btk_tokenizer_close(&tokenizer);
}

// --- Windows

// Words are encoded alike alone and in a text: so a text of any length must give what its words
// give, wherever a window ends.
static void compare_words(struct engine *engine, const char *text, size_t bytes)
{
    struct result whole = encode(engine, text, bytes);
    const struct btk_encoding *const encoding = &whole.encoding;
    size_t token = 1; // behind [CLS]
    for (size_t begin = 0; begin < bytes;) {
        size_t end = begin + 1;
        while (end < bytes && text[end] != ' ') end++;
        struct result word = encode(engine, text + begin, end - begin);
        const size_t count = word.encoding.count - 2;
        cr_assert_leq(token + count + 1, encoding->count);
        cr_assert_eq(memcmp(encoding->ids + token, word.encoding.ids + 1, count * 4), 0,
                     "%zu bytes: the word at %zu", bytes, begin);
        token += count;
        free_result(&word);
        begin = end;
    }
    cr_assert_eq(token + 1, encoding->count);
    free_result(&whole);
}

Test(engine, texts_around_the_length_of_a_window_give_what_their_words_give)
{
    struct engine engine = open_default("wordpiece");
    uint64_t state = 3;
    for (size_t windows = 1; windows <= 3; windows++)
        for (size_t bytes = windows * 16384 - 6; bytes <= windows * 16384 + 6; bytes++) {
            char *const text = random_text(&state, bytes, 100);
            compare_words(&engine, text, bytes);
            free(text);
        }
    close_engine(&engine);
}

// Makes a text with a word that begins before and ends behind the end of a window.
Test(engine, a_word_longer_than_a_window_is_one_unknown_token)
{
    struct engine engine = open_default("wordpiece");
    for (size_t length = 16380; length <= 16390; length++)
        for (size_t before = 0; before < 40; before += 13) {
            char *const text = malloc(before + length + 4);
            memset(text, ' ', before);
            memset(text + before, 'q', length);
            memcpy(text + before + length, " a b", 4);
            struct result result = encode(&engine, text, before + length + 4);
            const struct btk_encoding *const encoding = &result.encoding;
            cr_assert_eq(encoding->count, 5);
            cr_assert_eq(encoding->ids[1], 1);
            cr_assert_eq(encoding->offsets[2], before);
            cr_assert_eq(encoding->offsets[3], before + length);
            cr_assert_eq(encoding->offsets[6], before + length + 3);
            free_result(&result);
            free(text);
        }
    close_engine(&engine);
}

Test(engine, a_giant_piece_is_encoded_as_short_ones_are_and_its_spill_is_given_back)
{
    struct engine engine = open_default("bpe");
    for (size_t bytes = 65530; bytes <= 65542; bytes++) {
        char *const text = malloc(bytes);
        memset(text, '=', bytes);
        struct result result = encode(&engine, text, bytes);
        const struct btk_encoding *const encoding = &result.encoding;
        cr_assert_gt(encoding->count, 0);
        for (size_t i = 0; i < encoding->count; i++) {
            size_t length;
            cr_assert_not_null(btk_token_text(engine.tokenizer, encoding->ids[i], &length));
            cr_assert_eq(encoding->offsets[2 * i + 1] - encoding->offsets[2 * i], length);
            cr_assert_eq(encoding->offsets[2 * i], i ? encoding->offsets[2 * i - 1] : 0);
        }
        cr_assert_eq(encoding->offsets[2 * encoding->count - 1], bytes);
        free_result(&result);
        free(text);
    }
    cr_expect_eq(btk_scratch_spill_count(engine.scratch), 6);
    close_engine(&engine);
}

// --- Room

// btk_encode_bound() is enough, and one token less than there are is refused without a trace.
static void check_room(struct engine *engine, const char *text, size_t bytes)
{
    struct result full = encode(engine, text, bytes);
    struct result tight = new_result(full.encoding.count);
    cr_assert_eq(btk_encode(engine->tokenizer, engine->scratch, text, bytes, &defaults,
                            &tight.encoding, NULL),
                 0);
    expect_same(&full.encoding, &tight.encoding, "exactly enough room");
    if (full.encoding.count) {
        struct btk_encoding *const encoding = &tight.encoding;
        encoding->capacity = full.encoding.count - 1;
        encoding->ids[encoding->capacity] = 0xdeadbeef;
        struct btk_error_info error;
        cr_assert_eq(btk_encode(engine->tokenizer, engine->scratch, text, bytes, &defaults,
                                encoding, &error),
                     -ENOBUFS);
        cr_assert_eq(encoding->count, 0);
        cr_assert_eq(encoding->ids[encoding->capacity], 0xdeadbeef);
    }
    free_result(&full);
    free_result(&tight);
}

static const char normalized_bpe[] =
    ",\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,"
    "\"handle_chinese_chars\":true,\"strip_accents\":true,\"lowercase\":false}";

static void check_room_of_all_characters(struct engine *engine)
{
    for (uint32_t code_point = 0; code_point < 0x110000; code_point += code_point < 0x3000 ? 1 : 7)
    {
        if (code_point >= 0xd800 && code_point < 0xe000) continue;
        uint8_t text[4 * 8];
        const size_t length = btk_utf8_encode(code_point, text);
        for (size_t i = 1; i < 8; i++) memcpy(text + i * length, text, length);
        struct result result = encode(engine, (const char *)text, 8 * length);
        free_result(&result);
    }
}

Test(engine, the_bound_is_enough_for_eight_of_any_character)
{
    static struct btk_small_model model;
    struct btk_buffer json;
    btk_small_bpe(&model, 1, 10);
    btk_small_bpe_json(&model, normalized_bpe, &json);
    struct engine engine = open_json(json.data, json.length);
    check_room_of_all_characters(&engine);
    close_engine(&engine);
    btk_buffer_clear(&json);
    btk_small_wordpiece(&model, 1, 10);
    btk_small_wordpiece_json(&model, normalized_bpe, &json);
    engine = open_json(json.data, json.length);
    check_room_of_all_characters(&engine);
    close_engine(&engine);
    btk_buffer_clear(&json);
}

Test(engine, exactly_the_room_that_is_needed_is_enough)
{
    static const char *const names[] = {"wordpiece", "bpe"};
    uint64_t state = 5;
    for (size_t i = 0; i < 2; i++) {
        struct engine engine = open_default(names[i]);
        check_room(&engine, "", 0);
        for (size_t bytes = 1; bytes < 3000; bytes += 1 + bytes / 4) {
            char *const text = random_text(&state, bytes, 50);
            check_room(&engine, text, bytes);
            free(text);
        }
        close_engine(&engine);
    }
}

// --- Bad text

Test(engine, the_first_byte_that_is_not_utf8_is_named_wherever_it_stands)
{
    struct engine engine = open_default("bpe");
    char text[200];
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'a', sizeof text);
        text[at] = (char)0xff;
        struct result result = new_result(300);
        struct btk_error_info error;
        cr_assert_eq(btk_encode(engine.tokenizer, engine.scratch, text, sizeof text, &defaults,
                                &result.encoding, &error),
                     -EILSEQ);
        cr_assert_eq(error.offset, at);
        cr_assert_eq(result.encoding.count, 0);
        free_result(&result);
    }
    close_engine(&engine);
}

Test(engine, replacing_gives_what_the_text_with_replacement_characters_gives)
{
    static const char bad[] = "a\xff b\xe4\xb8 c\xed\xa0\x80 d\xf0\x9f\x98";
    static const char good[] = "a\xef\xbf\xbd b\xef\xbf\xbd c\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                               " d\xef\xbf\xbd";
    struct engine engine = open_default("bpe");
    struct result expected = encode(&engine, good, strlen(good));
    struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    options.invalid_utf8 = BTK_INVALID_UTF8_REPLACE;
    struct result found = new_result(btk_encode_bound(engine.tokenizer, strlen(bad), &options));
    cr_assert_eq(btk_encode(engine.tokenizer, engine.scratch, bad, strlen(bad), &options,
                            &found.encoding, NULL),
                 0);
    expect_same(&expected.encoding, &found.encoding, "replaced");
    free_result(&expected);
    free_result(&found);
    close_engine(&engine);
}

// --- Decoding

Test(engine, ids_that_nobody_has_are_left_out_and_too_little_room_is_said)
{
    struct engine engine = open_default("bpe");
    struct result result = encode(&engine, "hello world", 11);
    const uint32_t ids[] = {result.encoding.ids[0], 0xffffffff, result.encoding.ids[1], 1u << 24};
    char text[64];
    size_t bytes = 77;
    cr_assert_eq(btk_decode(engine.tokenizer, ids, 4, false, text, sizeof text, &bytes, NULL), 0);
    cr_expect_eq(bytes, 11);
    cr_expect_eq(memcmp(text, "hello world", 11), 0);
    bytes = 77;
    cr_expect_eq(btk_decode(engine.tokenizer, ids, 4, false, text, 10, &bytes, NULL), -ENOBUFS);
    cr_expect_eq(bytes, 77);
    free_result(&result);
    close_engine(&engine);
}
