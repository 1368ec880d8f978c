// SPDX-License-Identifier: Apache-2.0
// Added tokens that the normalizer changes. Expected: what the reference (tokenizers 0.23.3) gave
// for the same files.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/engine.h"

#define ADDED(content, more) "{\"content\": \"" content "\"" more "}"
#define SPECIAL              ", \"special\": true"
#define RAW                  ", \"normalized\": false"

static void expect_decoded(const struct btk_tokenizer *tokenizer, bool skip_special_tokens,
                           const char *wanted)
{
    const uint32_t ids[] = {4, 7, 5};
    char text[64];
    size_t bytes = 0;
    struct btk_error_info error;
    cr_assert_leq(btk_decode_bound(tokenizer, 3), sizeof text);
    cr_assert_eq(
        btk_decode(tokenizer, ids, 3, skip_special_tokens, text, sizeof text, &bytes, &error), 0);
    cr_expect_eq(bytes, strlen(wanted));
    cr_expect_eq(memcmp(text, wanted, strlen(wanted)), 0, "not \"%s\" but \"%.*s\"", wanted,
                 (int)bytes, text);
}

Test(added_tokens, one_that_is_normalized_shows_its_normalized_form)
{
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_wordpiece_json(ADDED("\\u4e2d\\u56fd", ""), ""));
    const char normal[] = " \xe4\xb8\xad  \xe5\x9b\xbd ";
    const uint32_t source[] = {0, 0};
    size_t bytes;
    const char *const shown = btk_token_text_in(tokenizer, NULL, 7, source, &bytes);
    cr_assert_eq(bytes, sizeof normal - 1);
    cr_expect_eq(memcmp(shown, normal, bytes), 0);
    cr_expect_eq(memcmp(btk_token_text(tokenizer, 7, &bytes), "\xe4\xb8\xad\xe5\x9b\xbd", 6), 0);
    cr_expect_eq(bytes, 6);
    expect_decoded(tokenizer, false, "a  \xe4\xb8\xad  \xe5\x9b\xbd  b");
    btk_tokenizer_close(&tokenizer);
}

Test(added_tokens, a_special_one_that_is_normalized_to_something_else_is_not_left_out)
{
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_wordpiece_json(ADDED("FOO", SPECIAL), ""));
    expect_decoded(tokenizer, true, "a foo b");
    btk_tokenizer_close(&tokenizer);
}

Test(added_tokens, one_that_is_normalized_to_a_special_one_is_left_out)
{
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_wordpiece_json(ADDED("FOO", "") "," ADDED("foo", SPECIAL), ""));
    expect_decoded(tokenizer, true, "a b");
    expect_decoded(tokenizer, false, "a foo b");
    btk_tokenizer_close(&tokenizer);
}

Test(added_tokens, an_id_beyond_the_vocabulary_has_no_text)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_wordpiece_json("", ""));
    const uint32_t source[] = {0, 0};
    size_t bytes = 0;
    cr_expect_null(btk_token_text_in(tokenizer, NULL, 7, source, &bytes));
    cr_expect_null(btk_token_text_in(tokenizer, NULL, UINT32_MAX, source, &bytes));
    btk_tokenizer_close(&tokenizer);
}

// Matches as "begin-end=id".
static void expect_found(const struct btk_tokenizer *tokenizer, bool skips_special,
                         const char *text, const char *wanted)
{
    struct btk_added_finder finder;
    struct btk_added_match match;
    char found[256] = "";
    size_t length = 0;
    const struct btk_bytes bytes = {(const uint8_t *)text, strlen(text)};
    btk_added_finder_init(&finder, &tokenizer->image.raw_trie, &tokenizer->raw_filter, bytes);
    finder.skips_special = skips_special;
    while (btk_added_finder_next(&finder, &match))
        length += (size_t)snprintf(found + length, sizeof found - length, "%zu-%zu=%u ",
                                   match.begin, match.end, match.id);
    cr_expect_str_eq(found, wanted);
}

// A text that was special once is so for good; a special token hides what stands inside of it, also
// when it is not wanted.
Test(added_tokens, special_ones_are_passed_over_where_they_are_not_wanted)
{
    struct btk_tokenizer *tokenizer = btk_small_open(
        btk_small_wordpiece_json(ADDED("<s>", RAW SPECIAL) "," ADDED("<s>x", RAW) "," ADDED(
                                     "s", RAW) "," ADDED("Z", RAW SPECIAL) "," ADDED("Z", RAW),
                                 ""));
    expect_found(tokenizer, false, "<s>x<s> s Z", "0-4=8 4-7=7 8-9=9 10-11=10 ");
    expect_found(tokenizer, true, "<s>x<s> s Z", "0-4=8 8-9=9 ");
    btk_tokenizer_close(&tokenizer);
}

static void expect_refused(char *json, int status, const char *part)
{
    struct btk_tokenizer *tokenizer;
    struct btk_error_info error;
    cr_expect_eq(btk_tokenizer_open_json(json, strlen(json), &tokenizer, &error), status);
    cr_expect_not_null(strstr(error.message, part), "%s", error.message);
    free(json);
}

Test(added_tokens, one_is_not_given_an_id_that_the_model_has)
{
    expect_refused(
        strdup("{\"added_tokens\": [{\"content\": \"new\"}],"
               "\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"},"
               "\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\","
               "\"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100,"
               "\"vocab\": {\"[UNK]\": 0, \"x\": 2}}}"),
        -EINVAL, "would get the id 2");
}

// "FOO" becomes "foo", U+4E2D gets spaces around it, which the byte-level alphabet does not have, and
// "AB" becomes a token of the model.
static struct btk_tokenizer *open_byte_level(void)
{
    return btk_small_open(
        btk_small_bpe_json(ADDED("FOO", "") "," ADDED("\\u4e2d", "") "," ADDED("AB", ""),
                           "{\"type\": \"BertNormalizer\"}",
                           "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}"));
}

static void expect_ids(const struct btk_tokenizer *tokenizer, const char *text,
                       const uint32_t *wanted, size_t count)
{
    uint32_t ids[16];
    struct btk_scratch *scratch;
    struct btk_error_info error;
    struct btk_encoding encoding = {.capacity = 16, .ids = ids};
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    cr_assert_eq(btk_scratch_new(tokenizer, &scratch, &error), 0);
    cr_assert_eq(btk_encode(tokenizer, scratch, text, strlen(text), &options, &encoding, &error),
                 0);
    cr_expect_eq(encoding.count, count, "%zu tokens of \"%s\"", encoding.count, text);
    for (size_t i = 0; i < count && i < encoding.count; i++)
        cr_expect_eq(ids[i], wanted[i], "token %zu of \"%s\" is %u", i, text, ids[i]);
    btk_scratch_free(&scratch);
}

Test(added_tokens, a_byte_level_model_finds_and_decodes_what_the_normalizer_made_of_them)
{
    struct btk_tokenizer *tokenizer = open_byte_level();
    expect_ids(tokenizer, "FOO foo", (const uint32_t[]){258, 32, 258}, 3);
    expect_ids(tokenizer, "a\xe4\xb8\xad\x62", (const uint32_t[]){97, 259, 98}, 3);
    expect_ids(tokenizer, "AB ab", (const uint32_t[]){260, 32, 260}, 3);
    const uint32_t ids[] = {258, 97, 259, 256, 260};
    const char wanted[] = "fooa \xe4\xb8\xad abab";
    char text[256];
    size_t bytes = 0;
    struct btk_error_info error;
    cr_assert_leq(btk_decode_bound(tokenizer, 5), sizeof text);
    cr_assert_eq(btk_decode(tokenizer, ids, 5, false, text, sizeof text, &bytes, &error), 0);
    cr_expect_eq(bytes, sizeof wanted - 1);
    cr_expect_eq(memcmp(text, wanted, sizeof wanted - 1), 0);
    btk_tokenizer_close(&tokenizer);
}

Test(added_tokens, one_that_the_normalizer_leaves_nothing_of_is_refused)
{
    expect_refused(btk_small_bpe_json(ADDED("\\u200b", ""), "{\"type\": \"BertNormalizer\"}",
                                      "{\"type\": \"ByteLevel\"}"),
                   -EINVAL, "leaves nothing of");
}

Test(added_tokens, merges_of_tokens_that_are_only_added_are_refused)
{
    char *const json = btk_small_bpe_json(ADDED("ababab", ""), "null", "{\"type\": \"ByteLevel\"}");
    char *const merge = strstr(json, "\"ab ab\"");
    memcpy(merge, "\"abab ab\"]}}", 13);
    expect_refused(json, -EINVAL, "gives a token that is not in the vocabulary");
}
