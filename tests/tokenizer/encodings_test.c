// SPDX-License-Identifier: Apache-2.0
// What btk_encode_batch() promises beyond what the golden encodings record: sizes, memory, places.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/postprocessor/windows.h"

static const char pattern[] = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}";
static const char bert[] =
    "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"foo\",1],\"sep\":[\"bar\",2]},";
// Two times the text, with a special token that the vocabulary does not have.
static const char odd[] =
    "\"post_processor\":{\"type\":\"TemplateProcessing\","
    "\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":3}},{\"SpecialToken\":{\"id\":\"x\","
    "\"type_id\":4}},{\"Sequence\":{\"id\":\"A\",\"type_id\":5}}],"
    "\"pair\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":0}}],"
    "\"special_tokens\":{\"x\":{\"id\":\"x\",\"ids\":[77],\"tokens\":[\"odd\"]}}},";

struct fixture {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_encodings *encodings;
    struct btk_encoding_options options;
    struct btk_error_info error;
};

static struct fixture open_json(char *json)
{
    struct fixture all = {.options = BTK_ENCODING_DEFAULTS, .tokenizer = btk_small_open(json)};
    cr_assert_eq(btk_scratch_new(all.tokenizer, &all.scratch, &all.error), 0);
    cr_assert_eq(btk_encodings_new(&all.encodings, &all.error), 0);
    return all;
}

static struct fixture open_bytes(void)
{
    return open_json(btk_small_bpe_json("", "null", pattern));
}

static void close_all(struct fixture *all)
{
    btk_encodings_free(&all->encodings);
    btk_scratch_free(&all->scratch);
    btk_tokenizer_close(&all->tokenizer);
}

static struct btk_encode_input input_of(const char *text, const char *pair)
{
    struct btk_encode_input input = {.text = {text, strlen(text), NULL, 0}};
    if (!pair) return input;
    input.has_pair = true;
    input.pair = (struct btk_encode_text){pair, strlen(pair), NULL, 0};
    return input;
}

static int encode(struct fixture *all, const char *text, const char *pair)
{
    const struct btk_encode_input input = input_of(text, pair);
    return btk_encode_batch(all->tokenizer, all->scratch, &input, 1, &all->options, all->encodings,
                            &all->error);
}

Test(encodings, windows_of_both_directions_cover_all_tokens)
{
    for (uint64_t length = 0; length <= 20; length++)
        for (uint64_t most = 1; most <= 8; most++)
            for (uint64_t stride = 0; stride < most; stride++)
                for (uint8_t direction = 0; direction < 2; direction++) {
                    const struct btk_truncation truncation = {.is_on = true,
                                                              .max_length = most,
                                                              .stride = stride,
                                                              .direction = direction};
                    struct btk_windows windows;
                    cr_assert_eq(btk_windows_make(&truncation, 0, &length, 1, &windows),
                                 BTK_TRUNCATION_OK);
                    uint64_t total = 0, covered = 0;
                    for (uint64_t i = 0; i < windows.count; i++) {
                        const struct btk_window window = btk_windows_get(&windows, i);
                        cr_assert(window.end <= length && window.end - window.begin <= most);
                        covered |= ((UINT64_C(1) << window.end) - 1) >> window.begin
                                                                            << window.begin;
                        total += window.end - window.begin;
                    }
                    cr_assert_eq(covered, (UINT64_C(1) << length) - 1);
                    cr_assert_eq(total, btk_windows_total(&windows));
                }
}

Test(encodings, more_special_tokens_than_max_length_cut_nothing)
{
    struct fixture all = open_json(btk_small_wordpiece_json("", bert));
    all.options.truncation = (struct btk_truncation){.is_on = true, .max_length = 1};
    cr_assert_eq(encode(&all, "foo bar foo", NULL), 0);
    cr_assert_eq(btk_encodings_get(all.encodings, 0, 0).token_count, 5);
    close_all(&all);
}

Test(encodings, amplifiers_are_refused_before_they_work)
{
    char text[4001] = {0};
    memset(text, 'a', sizeof text - 1);
    struct fixture all = open_bytes();
    all.options.fields = BTK_FIELD_IDS | BTK_FIELD_OVERFLOWING;
    all.options.padding.is_on = all.options.padding.has_length = true;
    all.options.padding.length = 1000000000;
    cr_assert_eq(encode(&all, "x", NULL), -E2BIG);
    cr_assert(strstr(all.error.message, "1000000000"), "%s", all.error.message);
    all.options.padding.multiple_of = UINT64_MAX;
    cr_assert_eq(encode(&all, "x", NULL), -E2BIG);
    all.options.padding.is_on = false;
    all.options.truncation =
        (struct btk_truncation){.is_on = true, .max_length = 2000, .stride = 999};
    cr_assert_eq(encode(&all, text, text), -E2BIG);
    cr_assert_eq(btk_encodings_document_count(all.encodings), 0);
    // What does not overflow is not counted.
    all.options.fields = BTK_FIELD_IDS;
    cr_assert_eq(encode(&all, text, text), 0);
    all.options.truncation.is_on = false;
    all.options.cost_max = 1;
    cr_assert_eq(encode(&all, text, text), 0, "what the texts have themselves is free");
    close_all(&all);
}

Test(encodings, memory_is_reused_after_the_first_call)
{
    struct fixture all = open_bytes();
    all.options.fields = BTK_FIELDS_ALL;
    all.options.truncation = (struct btk_truncation){.is_on = true, .max_length = 4, .stride = 1};
    all.options.padding.is_on = true;
    uint64_t growth = 0;
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(encode(&all, "one two three four five", "six seven"), 0);
        if (i) cr_assert_eq(btk_encodings_growth_count(all.encodings), growth);
        growth = btk_encodings_growth_count(all.encodings);
    }
    const uint64_t bytes = btk_encodings_bytes(all.encodings);
    cr_assert_gt(bytes, 1000);
    all.options.padding.has_length = true;
    all.options.padding.length = 100000;
    cr_assert_eq(encode(&all, "one", NULL), 0);
    cr_assert_gt(btk_encodings_bytes(all.encodings), bytes + 100000 * sizeof(uint32_t));
    close_all(&all);
}

// Every byte is a token: more than what is reserved at first, in each column, behind another text.
Test(encodings, columns_that_grow_in_the_middle_of_a_text_keep_what_they_have)
{
    enum { BYTES = 5000 };
    static char text[BYTES + 1];
    struct fixture all = open_bytes();
    for (int i = 0; i < BYTES; i++) text[i] = (char)('!' + i % 90);
    all.options.fields = BTK_FIELD_OFFSETS | BTK_FIELD_WORD_IDS | BTK_FIELD_TOKENS;
    cr_assert_eq(encode(&all, "ab", text), 0);
    const struct btk_encoding_view view = btk_encodings_get(all.encodings, 0, 0);
    cr_assert_gt(view.token_count, BYTES / 2 + 64);
    cr_expect_eq(view.ids[0], 256, "ab");
    for (size_t i = 1; i < view.token_count; i++) {
        const uint32_t begin = view.offsets[2 * i];
        const uint32_t end = view.token_ends[i], before = view.token_ends[i - 1];
        cr_assert_eq(begin, i == 1 ? 0 : view.offsets[2 * i - 1]);
        cr_assert_eq(view.offsets[2 * i + 1] - begin, end - before);
        cr_assert_eq(memcmp(view.token_text + before, text + begin, end - before), 0);
        cr_assert(end - before > 1 || view.ids[i] == (uint8_t)text[begin]);
    }
    cr_expect_eq(view.offsets[2 * view.token_count - 1], BYTES);
    const uint64_t growth = btk_encodings_growth_count(all.encodings);
    cr_assert_eq(encode(&all, "ab", text), 0);
    cr_expect_eq(btk_encodings_growth_count(all.encodings), growth, "the room is there now");
    close_all(&all);
}

static void count_sign(void *context)
{
    ++*(unsigned *)context;
}

static unsigned count_signs(struct fixture *all, const char *text)
{
    unsigned signs = 0;
    btk_scratch_set_progress(all->scratch, count_sign, &signs);
    cr_assert_eq(encode(all, text, NULL), 0);
    return signs;
}

Test(encodings, long_work_shows_that_it_goes_on)
{
    enum { TOKENS = 1 << 20, TOKENS_A_SIGN = 1 << 16, WORDS = 1000 };
    static char text[TOKENS + 1];
    static const uint64_t ends[WORDS];
    const struct btk_encode_input words = {.text = {"", 0, ends, WORDS}};
    struct fixture all = open_bytes();
    unsigned signs = 0;
    all.options.fields = BTK_FIELDS_ALL;
    memset(text, 'a', TOKENS);
    const unsigned before = count_signs(&all, "a");
    all.options.padding.is_on = all.options.padding.has_length = true;
    all.options.padding.length = TOKENS;
    cr_assert_geq(count_signs(&all, "a"), before + 2 * (TOKENS / TOKENS_A_SIGN),
                  "padding, and which text a token is of");
    all.options.padding.is_on = false;
    cr_assert_geq(count_signs(&all, text), before + TOKENS / TOKENS_A_SIGN, "tokens of a text");
    btk_scratch_set_progress(all.scratch, count_sign, &signs);
    cr_assert_eq(btk_encode_batch(all.tokenizer, all.scratch, &words, 1, &all.options,
                                  all.encodings, &all.error),
                 0);
    cr_assert_geq(signs, WORDS, "words in which there is nothing");
    close_all(&all);
}

Test(encodings, words_have_offsets_of_their_own_and_end_between_characters)
{
    const uint64_t ends[] = {2, 2, 5}, split[] = {1, 2};
    struct btk_encode_input input = {.text = {"\xc3\xa9"
                                              "abc",
                                              5, ends, 3}};
    struct fixture all = open_bytes();
    all.options.fields = BTK_FIELDS_ALL;
    cr_assert_eq(btk_encode_batch(all.tokenizer, all.scratch, &input, 1, &all.options,
                                  all.encodings, &all.error),
                 0);
    const struct btk_encoding_view view = btk_encodings_get(all.encodings, 0, 0);
    cr_assert_eq(view.token_count, 4);
    cr_assert_eq(view.word_ids[0], 0);
    cr_assert_eq(view.word_ids[2], 2);
    cr_assert_eq(view.offsets[4], 0);
    cr_assert_eq(view.offsets[5], 2);
    input.text = (struct btk_encode_text){"\xc3\xa9", 2, split, 2};
    cr_assert_eq(btk_encode_batch(all.tokenizer, all.scratch, &input, 1, &all.options,
                                  all.encodings, &all.error),
                 -EILSEQ);
    cr_assert_eq(all.error.offset, 0);
    const uint64_t backwards[] = {2, 1};
    input.text.word_ends = backwards;
    cr_assert_eq(btk_encode_batch(all.tokenizer, all.scratch, &input, 1, &all.options,
                                  all.encodings, &all.error),
                 -EINVAL);
    close_all(&all);
}

Test(encodings, places_lead_from_tokens_to_words_and_back)
{
    struct fixture all = open_json(btk_small_wordpiece_json("", bert));
    all.options.fields = BTK_FIELDS_ALL;
    cr_assert_eq(encode(&all, "foobar a", "b foo"), 0);
    const struct btk_encoding_view view = btk_encodings_get(all.encodings, 0, 0);
    size_t sequence = 9, token = 9, tokens[2];
    uint32_t word = 9, range[2];
    cr_assert_eq(view.token_count, 8); // [CLS] foo ##bar a [SEP] b foo [SEP]
    cr_assert_not(btk_encoding_token_to_sequence(&view, 0, &sequence));
    cr_assert(btk_encoding_token_to_sequence(&view, 5, &sequence) && sequence == 1);
    cr_assert_not(btk_encoding_token_to_sequence(&view, 8, &sequence));
    cr_assert(btk_encoding_token_to_chars(&view, 2, &sequence, range) && sequence == 0
              && range[0] == 3 && range[1] == 6);
    cr_assert(btk_encoding_token_to_word(&view, 3, &sequence, &word) && word == 1);
    cr_assert_not(btk_encoding_token_to_word(&view, 4, &sequence, &word));
    cr_assert(btk_encoding_char_to_token(&view, 4, 0, &token) && token == 2);
    cr_assert(btk_encoding_char_to_token(&view, 2, 1, &token) && token == 6);
    cr_assert_not(btk_encoding_char_to_token(&view, 6, 0, &token));
    cr_assert(btk_encoding_char_to_word(&view, 7, 0, &word) && word == 1);
    cr_assert(btk_encoding_word_to_tokens(&view, 0, 0, tokens) && tokens[0] == 1 && tokens[1] == 3);
    cr_assert(btk_encoding_word_to_chars(&view, 1, 1, range) && range[0] == 2 && range[1] == 5);
    cr_assert_not(btk_encoding_word_to_tokens(&view, 2, 0, tokens));
    close_all(&all);
}

Test(encodings, padding_on_the_left_moves_the_sequences)
{
    struct fixture all = open_json(btk_small_wordpiece_json("", bert));
    all.options.fields = BTK_FIELDS_ALL;
    all.options.padding.is_on = all.options.padding.has_length = true;
    all.options.padding.direction = BTK_DIRECTION_LEFT;
    all.options.padding.length = 6;
    cr_assert_eq(encode(&all, "foo", NULL), 0);
    const struct btk_encoding_view view = btk_encodings_get(all.encodings, 0, 0);
    size_t bytes, token;
    cr_assert_eq(view.token_count, 6);
    cr_assert(btk_encoding_char_to_token(&view, 0, 0, &token) && token == 4);
    cr_assert_eq(view.attention_mask[2], 0);
    const char *const text = btk_encoding_token(&view, 0, &bytes);
    cr_assert(bytes == 5 && memcmp(text, "[PAD]", 5) == 0);
    close_all(&all);
}

Test(encodings, a_batch_is_padded_to_its_longest_and_names_the_document_that_fails)
{
    struct btk_encode_input inputs[] = {input_of("a", NULL), input_of("a a a", NULL),
                                        input_of("a a", "b")};
    struct fixture all = open_bytes();
    all.options.padding.is_on = true;
    cr_assert_eq(btk_encode_batch(all.tokenizer, all.scratch, inputs, 3, &all.options,
                                  all.encodings, &all.error),
                 0);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(btk_encodings_get(all.encodings, i, 0).token_count, 5);
    all.options.truncation = (struct btk_truncation){
        .is_on = true, .max_length = 1, .strategy = BTK_TRUNCATE_ONLY_SECOND};
    cr_assert_eq(btk_encode_batch(all.tokenizer, all.scratch, inputs + 1, 2, &all.options,
                                  all.encodings, &all.error),
                 -EINVAL);
    cr_assert(strstr(all.error.message, "document 0"), "%s", all.error.message);
    cr_assert_eq(btk_encodings_get(all.encodings, 0, 0).token_count, 0);
    close_all(&all);
}

// The fast call has no template for such a post-processor, and gives the same.
Test(encodings, the_simple_call_takes_any_post_processor)
{
    struct fixture all = open_json(btk_small_wordpiece_json("", odd));
    uint32_t ids[100], types[100], sources[200];
    struct btk_encoding columns = {
        .capacity = 100, .ids = ids, .type_ids = types, .sources = sources};
    cr_assert_geq(100, btk_encode_bound(all.tokenizer, 7, &all.options.encode));
    cr_assert_eq(btk_encode(all.tokenizer, all.scratch, "foo bar", 7, &all.options.encode, &columns,
                            &all.error),
                 0);
    const uint32_t expected[] = {1, 2, 77, 1, 2}, expected_types[] = {3, 3, 4, 5, 5};
    cr_assert_eq(columns.count, 5);
    cr_assert_arr_eq(ids, expected, sizeof expected);
    cr_assert_arr_eq(types, expected_types, sizeof expected_types);
    size_t bytes;
    const char *const text = btk_token_text_in(all.tokenizer, all.scratch, 77, &sources[4], &bytes);
    cr_assert(bytes == 3 && memcmp(text, "odd", 3) == 0);
    columns.capacity = 4;
    cr_assert_eq(btk_encode(all.tokenizer, all.scratch, "foo bar", 7, &all.options.encode, &columns,
                            &all.error),
                 -ENOBUFS);
    cr_assert_eq(encode(&all, "foo", "bar"), 0, "a template may leave the first text out");
    close_all(&all);
}

Test(encodings, what_stands_in_the_file_is_kept_and_checked)
{
    struct btk_truncation truncation;
    struct btk_padding padding;
    struct fixture all = open_json(btk_small_wordpiece_json(
        "", "\"truncation\":{\"direction\":\"Left\",\"max_length\":7,\"strategy\":\"OnlyFirst\","
            "\"stride\":9},\"padding\":{\"strategy\":{\"Fixed\":5},\"direction\":\"Left\","
            "\"pad_to_multiple_of\":null,\"pad_id\":3,\"pad_type_id\":2,\"pad_token\":\"<>\"},"));
    btk_tokenizer_configured(all.tokenizer, &truncation, &padding);
    cr_assert(truncation.is_on && truncation.direction == BTK_DIRECTION_LEFT
              && truncation.max_length == 7 && truncation.stride == 9
              && truncation.strategy == BTK_TRUNCATE_ONLY_FIRST);
    cr_assert(padding.is_on && padding.has_length && padding.length == 5 && padding.id == 3
              && padding.type_id == 2 && padding.token_bytes == 2);
    cr_assert_eq(btk_truncation_check(all.tokenizer, &truncation, &all.error), -EINVAL);
    close_all(&all);
    all = open_bytes();
    btk_tokenizer_configured(all.tokenizer, &truncation, &padding);
    cr_assert(!truncation.is_on && !padding.is_on);
    close_all(&all);
}
