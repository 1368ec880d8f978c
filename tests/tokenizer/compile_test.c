// SPDX-License-Identifier: Apache-2.0
// What the compiler refuses, and what it says then; and that no damaged file brings it down.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tokenizer/small_models.h"
#include "tokenizer/compile/compile.h"

static struct btk_small_model model;

static int compile(const char *json, size_t length, struct btk_error *error)
{
    struct btk_buffer image;
    btk_buffer_init(&image);
    const int status =
        btk_compile_json((struct btk_bytes){(const uint8_t *)json, length}, &image, error);
    if (status == 0)
        cr_assert_gt(image.length, sizeof(struct btk_image_header));
    else
        cr_assert_null(image.data, "an image in spite of: %s", error->message);
    btk_buffer_clear(&image);
    return status;
}

// A message names all of the places, separated by '|'.
static void expect_named(const char *message, const char *names)
{
    char copy[256];
    cr_assert_lt(strlen(names), sizeof copy);
    strcpy(copy, names);
    for (char *name = strtok(copy, "|"); name; name = strtok(NULL, "|"))
        cr_expect_not_null(strstr(message, name), "\"%s\" does not say %s", message, name);
}

struct refusal {
    const char *json;
    int status;
    const char *names;
};

static void expect_refusals(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct btk_error error = {.message = ""};
        cr_expect_eq(compile(refusals[i].json, strlen(refusals[i].json), &error),
                     refusals[i].status, "%s: %s", refusals[i].json, error.message);
        expect_named(error.message, refusals[i].names);
    }
}

Test(compile, what_is_not_a_tokenizer_is_refused_and_said_to_be_none)
{
    static const struct refusal refusals[] = {
        {"", -EINVAL, "not valid JSON"},
        {"{", -EINVAL, "not valid JSON"},
        {"\xff\xfe", -EINVAL, "not valid JSON"},
        {"{} {}", -EINVAL, "not valid JSON"},
        {"null", -EINVAL, "object|null|not a tokenizer"},
        {"[1,2]", -EINVAL, "object|array|not a tokenizer"},
        {"\"text\"", -EINVAL, "object|string"},
        {"{}", -EINVAL, "model|missing|not a tokenizer"},
        {"{\"model\":7}", -EINVAL, "model|integer"},
        {"{\"model\":{}}", -EINVAL, "model|type|WordPiece|BPE"},
        {"{\"model\":{\"type\":\"BPE\"}}", -EINVAL, "model.vocab|missing"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":[]}}", -EINVAL, "model.vocab|object"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":-1}}}", -EINVAL, "model.vocab|\"a\""},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1.5}}}", -EINVAL, "model.vocab|\"a\""},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":99999999999}}}", -EINVAL, "model.vocab"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0,\"b\":0}}}", -EINVAL,
         "model.vocab|two tokens|0"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", -EINVAL, "model|unk_token"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[],\"unk_id\":0}}", -EINVAL, "model.unk_id|0"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}}", -EINVAL, "model.vocab|entry 0"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",1,2]]}}", -EINVAL, "entry 0"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",null]]}}", -EINVAL, "entry 0"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[],\"byte_fallback\":null}}", -EINVAL,
         "model.byte_fallback|null"},
        {"{\"model\":{\"type\":\"WordLevel\",\"vocab\":{}}}", -EINVAL, "unk_token"},
        {"{\"model\":{\"type\":\"WordLevel\",\"vocab\":{},\"unk_token\":null}}", -EINVAL,
         "unk_token|null"},
        {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{},\"unk_token\":\"u\","
         "\"continuing_subword_prefix\":\"##\"}}",
         -EINVAL, "max_input_chars_per_word"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{}}}", -EINVAL, "model.merges|missing"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[],\"dropout\":1.1}}", -EINVAL,
         "model.dropout|0 to 1"},
        {"{\"model\":{\"type\":\"Other\",\"vocab\":{}}}", -ENOTSUP, "model.type|Other|Unigram"},
    };
    expect_refusals(refusals, sizeof refusals / sizeof refusals[0]);
}

// The small model with `more` in the object; members of the same name replace earlier ones.
static int compile_with(bool is_bpe, const char *more, struct btk_error *error)
{
    struct btk_buffer json;
    if (is_bpe)
        btk_small_bpe_json(&model, more, &json);
    else
        btk_small_wordpiece_json(&model, more, &json);
    const int status = compile((const char *)json.data, json.length, error);
    btk_buffer_clear(&json);
    return status;
}

static void expect_component_refusals(bool is_bpe, const struct refusal *refusals, size_t count)
{
    struct btk_error error = {.message = ""};
    cr_assert_eq(compile_with(is_bpe, "", &error), 0, "%s", error.message);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(compile_with(is_bpe, refusals[i].json, &error), refusals[i].status, "%s: %s",
                     refusals[i].json, error.message);
        expect_named(error.message, refusals[i].names);
    }
}

#define BERT "BertNormalizer"

Test(compile, a_component_that_is_not_there_is_named_with_its_place_and_what_there_is)
{
    static const struct refusal refusals[] = {
        {",\"normalizer\":{\"type\":\"NFG\"}", -ENOTSUP, "normalizer|NFG|NFKC|" BERT},
        {",\"normalizer\":{\"type\":\"" BERT "\",\"lowercase\":3}", -EINVAL,
         "normalizer|lowercase|true or false"},
        {",\"normalizer\":{}", -EINVAL, "normalizer|type"},
        {",\"normalizer\":[]", -EINVAL, "normalizer|object|array"},
        {",\"pre_tokenizer\":[]", -EINVAL, "pre_tokenizer|object|array"},
        {",\"pre_tokenizer\":{\"type\":\"Delimiter\"}", -ENOTSUP,
         "pre_tokenizer.type|Delimiter|BertPreTokenizer|CharDelimiterSplit"},
        {",\"decoder\":{\"type\":\"Undo\"}", -ENOTSUP,
         "decoder.type|Undo|BPEDecoder, ByteFallback, ByteLevel"},
        {",\"decoder\":{\"type\":\"Metaspace\"}", -EINVAL, "decoder|replacement|a string"},
        {",\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"@@\"}", -EINVAL,
         "decoder|cleanup|true or false"},
        {",\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},null]}", -EINVAL,
         "decoder.decoders[1]|object|null"},
        {",\"post_processor\":{\"type\":\"Sequence\"}", -EINVAL, "post_processor|processors"},
        {",\"post_processor\":{\"type\":\"Other\"}", -ENOTSUP,
         "post_processor.type|Other|BertProcessing|Sequence|TemplateProcessing"},
        {",\"post_processor\":{\"type\":\"BertProcessing\"}", -EINVAL, "post_processor|cls"},
        {",\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"a\",-1],\"sep\":[\"b\",0]"
         "}",
         -EINVAL, "post_processor|cls"},
        {",\"added_tokens\":{}", -EINVAL, "added_tokens|array|object"},
        {",\"added_tokens\":[{}]", -EINVAL, "added_tokens|content"},
        {",\"added_tokens\":[7]", -EINVAL, "added_tokens|content"},
        {",\"added_tokens\":[{\"content\":\"x\",\"lstrip\":\"yes\"}]", -EINVAL,
         "added_tokens|lstrip|true or false"},
    };
    btk_small_wordpiece(&model, 1, 30);
    expect_component_refusals(false, refusals, sizeof refusals / sizeof refusals[0]);
}

Test(compile, a_pre_tokenizer_that_is_wrong_is_refused_with_its_place)
{
    static const struct refusal refusals[] = {
        {",\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"use_regex\":1}", -EINVAL,
         "pre_tokenizer|use_regex|true or false"},
    };
    btk_small_bpe(&model, 1, 10);
    expect_component_refusals(true, refusals, sizeof refusals / sizeof refusals[0]);
}

// Replaces the first "from" in a copy of the JSON; the copy is the caller's.
static char *replaced(const struct btk_buffer *json, const char *from, const char *to)
{
    char *const text = calloc(json->length + strlen(to) + 1, 1);
    memcpy(text, json->data, json->length);
    char *const at = strstr(text, from);
    cr_assert_not_null(at);
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
    return text;
}

Test(compile, a_merge_that_makes_no_sense_is_named_by_its_number)
{
    static const struct refusal refusals[] = {
        {"\"merges\":[7,", -EINVAL, "model.merges|entry 0|two tokens"},
        {"\"merges\":[\"ab\",", -EINVAL, "model.merges|entry 0"},
        {"\"merges\":[\"a b c\",", -EINVAL, "model.merges|entry 0"},
        {"\"merges\":[[\"a\"],", -EINVAL, "model.merges|entry 0"},
        {"\"merges\":[\"zzz a\",", -EINVAL, "model.merges|entry 0|not in the vocabulary"},
        {"\"merges\":[\"z z\",", -EINVAL, "model.merges|entry 0|not in the vocabulary"},
        {"\"merges\":7,\"x\":[", -EINVAL, "model.merges|array"},
    };
    btk_small_bpe(&model, 1, 10);
    struct btk_buffer json;
    btk_small_bpe_json(&model, "", &json);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        char *const text = replaced(&json, "\"merges\":[", refusals[i].json);
        struct btk_error error = {.message = ""};
        cr_expect_eq(compile(text, strlen(text), &error), refusals[i].status, "%s: %s",
                     refusals[i].json, error.message);
        expect_named(error.message, refusals[i].names);
        free(text);
    }
    btk_buffer_clear(&json);
}

// --- Damaged files: any answer is right, as long as there is one

static const char all_components[] =
    ",\"added_tokens\":[{\"content\":\"[X]\",\"lstrip\":true},{\"content\":\"y\","
    "\"normalized\":false,\"special\":true}],\"normalizer\":{\"type\":\"BertNormalizer\"},"
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
    "\"[X]\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":1}}],\"special_tokens\":"
    "{\"[X]\":{\"id\":\"[X]\",\"ids\":[0],\"tokens\":[\"[X]\"]}}}";

static void small_wordpiece_file(struct btk_buffer *out_json)
{
    btk_small_wordpiece(&model, 2, 12);
    btk_small_wordpiece_json(&model, all_components, out_json);
}

Test(compile, every_truncation_is_refused)
{
    struct btk_buffer json;
    small_wordpiece_file(&json);
    for (size_t length = 0; length < json.length; length++) {
        struct btk_error error;
        // A copy of its own, so that a sanitizer sees a read beyond it.
        char *const part = malloc(length + 1);
        memcpy(part, json.data, length);
        const int status = compile(part, length, &error);
        cr_assert(status == -EINVAL || status == -EILSEQ, "%zu: %d", length, status);
        free(part);
    }
    btk_buffer_clear(&json);
}

Test(compile, every_byte_replaced_by_every_syntax_character_is_survived)
{
    static const char bytes[] = "{}[]\",:0-9.eE\\u n\x01\xff";
    struct btk_buffer json;
    small_wordpiece_file(&json);
    for (size_t at = 0; at < json.length; at++)
        for (size_t i = 0; i < sizeof bytes; i++) {
            struct btk_error error;
            const uint8_t kept = json.data[at];
            json.data[at] = (uint8_t)bytes[i];
            (void)compile((const char *)json.data, json.length, &error);
            json.data[at] = kept;
        }
    btk_buffer_clear(&json);
}

// Swaps random stretches: well-formed values in places where nobody expects them.
Test(compile, values_in_the_place_of_others_are_survived)
{
    static const char *const values[] = {"null",   "true",        "-1",           "4294967296",
                                         "1e400",  "\"\"",        "[]",           "{}",
                                         "[[[]]]", "\"\\u0000\"", "{\"type\":{}}"};
    struct btk_buffer json;
    uint64_t state = 11;
    small_wordpiece_file(&json);
    for (size_t at = 0; at < json.length; at++) {
        if (json.data[at] != ':' && json.data[at] != '[' && json.data[at] != ',') continue;
        size_t end = at + 1;
        while (end < json.length && !strchr(",:]}", json.data[end])) end++;
        for (int i = 0; i < 6; i++) {
            const char *const value = values[btk_small_random(&state) % 11];
            struct btk_buffer changed;
            struct btk_error error;
            btk_buffer_init(&changed);
            cr_assert_eq(btk_buffer_printf(&changed, "%.*s%s%.*s", (int)at + 1, json.data, value,
                                           (int)(json.length - end), json.data + end),
                         0);
            (void)compile((const char *)changed.data, changed.length, &error);
            btk_buffer_clear(&changed);
        }
    }
    btk_buffer_clear(&json);
}

Test(compile, nesting_beyond_all_measure_is_refused)
{
    enum { DEPTH = 1000000 };
    char *const text = malloc(DEPTH);
    memset(text, '[', DEPTH);
    struct btk_error error;
    cr_expect_eq(compile(text, DEPTH, &error), -EINVAL);
    free(text);
}
