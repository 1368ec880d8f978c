// SPDX-License-Identifier: Apache-2.0
// Texts and added tokens that somebody made to hurt. What is expected is what the reference gave,
// or, where it panics, what added_tokens.h says.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/tokenizer/small_tokenizers.h"

#define RSTRIP       "{\"content\": \"A\", \"rstrip\": true, \"normalized\": false}"
#define SPACE(flags) "{\"content\": \" \", \"normalized\": false" flags "}"

static const char byte_level[] = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}";
static const char byte_level_prefixed[] = "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}";
static const char bert[] = "{\"type\": \"BertNormalizer\"}";

// All columns, in one object that the test clears.
struct result {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_encoding encoding;
    struct btk_error_info error;
    int status;
};

static struct result encode(struct btk_tokenizer *tokenizer, const char *text, size_t bytes,
                            const struct btk_encode_options *options)
{
    struct result result = {.tokenizer = tokenizer};
    cr_assert_eq(btk_scratch_new(tokenizer, &result.scratch, &result.error), 0);
    const size_t capacity = btk_encode_bound(tokenizer, bytes, options);
    uint32_t *const columns = malloc(6 * capacity * sizeof *columns);
    cr_assert_not_null(columns);
    result.encoding = (struct btk_encoding){.capacity = capacity,
                                            .ids = columns,
                                            .offsets = columns + capacity,
                                            .word_ids = columns + 3 * capacity,
                                            .sources = columns + 4 * capacity};
    result.status = btk_encode(tokenizer, result.scratch, text, bytes, options, &result.encoding,
                               &result.error);
    return result;
}

static struct result encode_text(struct btk_tokenizer *tokenizer, const char *text)
{
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    return encode(tokenizer, text, strlen(text), &options);
}

static void clear(struct result *result)
{
    free(result->encoding.ids);
    btk_scratch_free(&result->scratch);
    btk_tokenizer_close(&result->tokenizer);
}

static void expect_token(const struct result *result, size_t index, const char *wanted)
{
    size_t bytes;
    const char *const token =
        btk_token_text_in(result->tokenizer, result->scratch, result->encoding.ids[index],
                          &result->encoding.sources[2 * index], &bytes);
    cr_expect_eq(bytes, strlen(wanted));
    cr_expect_eq(memcmp(token, wanted, strlen(wanted)), 0, "token %zu is not \"%s\"", index,
                 wanted);
}

Test(hostile_text, a_token_whose_text_another_took_as_its_spaces_is_left_out)
{
    const char text[] = "A    b";
    struct result result =
        encode_text(btk_small_open(btk_small_bpe_json(RSTRIP "," SPACE(", \"lstrip\": true"),
                                                      "null", byte_level)),
                    text);
    cr_assert_eq(result.status, 0);
    cr_assert_eq(result.encoding.count, 2);
    expect_token(&result, 0, "A    ");
    expect_token(&result, 1, "b");
    clear(&result);
}

// What the first takes is all that the others could have: the reference drops them.
Test(hostile_text, a_token_whose_spaces_are_all_taken_is_dropped)
{
    const char text[] = "    ";
    struct result result =
        encode_text(btk_small_open(btk_small_bpe_json(SPACE(", \"lstrip\": true, \"rstrip\": true"),
                                                      "null", byte_level)),
                    text);
    cr_assert_eq(result.status, 0);
    cr_assert_eq(result.encoding.count, 1);
    expect_token(&result, 0, text);
    clear(&result);
}

Test(hostile_text, spaces_that_many_tokens_take_are_walked_once)
{
    enum { SPACES = 400000 };
    char *const text = malloc(SPACES + 4);
    cr_assert_not_null(text);
    memset(text, ' ', SPACES);
    memcpy(text + SPACES, "\xc3\xa9x", 4);
    struct result result = encode_text(
        btk_small_open(btk_small_bpe_json(SPACE(", \"rstrip\": true"), "null", byte_level)), text);
    cr_expect_eq(result.status, 0);
    cr_expect_eq(result.encoding.count, SPACES + 3);
    cr_expect_eq(result.encoding.offsets[2 * 7], 7);
    cr_expect_eq(result.encoding.offsets[2 * 7 + 1], SPACES);
    clear(&result);
    free(text);
}

Test(hostile_text, the_bound_is_enough_for_bytes_that_the_normalizer_makes)
{
    const char text[] = "\xed\x95\x9c\xea\xb8\x80\xe4\xb8\xad\xed\x95\x9c\xed\x95\x9c\xed\x95\x9c";
    struct result result =
        encode_text(btk_small_open(btk_small_bpe_json("", bert, byte_level)), text);
    cr_expect_eq(result.status, 0, "%s", result.error.message);
    clear(&result);
}

// A window must not end where a piece of the byte-level pre-tokenizer does not.
Test(hostile_text, byte_level_pieces_of_normalized_text_are_not_cut_at_windows)
{
    enum { LETTERS = 16382 };
    char text[LETTERS + 8];
    memset(text, 'x', LETTERS);
    strcpy(text + LETTERS, "   AB");
    struct result result =
        encode_text(btk_small_open(btk_small_bpe_json("", bert, byte_level_prefixed)), text);
    cr_assert_eq(result.status, 0);
    cr_expect_eq(result.encoding.ids[0], ' ');
    cr_assert_eq(result.encoding.count, LETTERS + 5);
    cr_expect_eq(result.encoding.word_ids[result.encoding.count - 1], 2);
    clear(&result);
}

Test(hostile_text, a_token_shows_its_spaces_behind_replaced_text)
{
    const char text[] = "\xff\xff\xff <m>";
    const struct btk_encode_options options = {.invalid_utf8 = BTK_INVALID_UTF8_REPLACE};
    struct result result =
        encode(btk_small_open(btk_small_wordpiece_json(
                   "{\"content\": \"<m>\", \"lstrip\": true, \"normalized\": false}", "")),
               text, strlen(text), &options);
    cr_assert_eq(result.status, 0);
    cr_assert_eq(result.encoding.count, 1);
    expect_token(&result, 0, " <m>");
    clear(&result);
}

Test(hostile_text, valid_text_is_not_moved_by_replacing)
{
    const struct btk_encode_options options = {.invalid_utf8 = BTK_INVALID_UTF8_REPLACE};
    struct result result = encode(btk_small_open(btk_small_wordpiece_json("", "")),
                                  "a foobar \xe4\xb8\xad", 12, &options);
    const uint32_t wanted[] = {4, 1, 3, 6};
    cr_assert_eq(result.encoding.count, 4);
    cr_expect_eq(memcmp(result.encoding.ids, wanted, sizeof wanted), 0);
    clear(&result);
}
