// SPDX-License-Identifier: Apache-2.0
// Documents with heads and options of batches: what is written is read, and nothing else is.
#include "ipc/document.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "ipc/batch_options.h"

static const uint64_t word_ends[] = {2, 2, 5};
static _Alignas(8) uint8_t memory[4096];

static struct btk_encode_input written_input(const struct btk_encode_input *input)
{
    struct btk_encode_input read = {0};
    struct btk_error error = {.message = ""};
    const uint64_t bytes = btk_document_bytes(input);
    cr_assert_leq(bytes, sizeof memory);
    btk_document_write(input, memory);
    cr_assert_eq(btk_document_read((struct btk_bytes){memory, bytes}, &read, &error), 0, "%s",
                 error.message);
    return read;
}

static void expect_same(const struct btk_encode_text *a, const struct btk_encode_text *b)
{
    cr_assert_eq(a->bytes, b->bytes);
    cr_assert_eq(memcmp(a->data, b->data, a->bytes), 0);
    cr_assert_eq(a->word_ends == NULL, b->word_ends == NULL);
    cr_assert_eq(a->word_count, b->word_count);
    for (size_t i = 0; i < a->word_count; i++) cr_assert_eq(a->word_ends[i], b->word_ends[i]);
}

Test(document, texts_words_and_pairs_are_read_as_they_were_written)
{
    const struct btk_encode_text texts[] = {{"hello", 5, NULL, 0},
                                            {"", 0, NULL, 0},
                                            {"ab\0de", 5, word_ends, 3},
                                            {"", 0, word_ends, 0}};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++) {
        struct btk_encode_input read = written_input(&(struct btk_encode_input){.text = texts[i]});
        cr_assert_not(read.has_pair);
        expect_same(&read.text, &texts[i]);
        for (size_t k = 0; k < BTK_ARRAY_COUNT(texts); k++) {
            read = written_input(&(struct btk_encode_input){texts[i], true, texts[k]});
            cr_assert(read.has_pair);
            expect_same(&read.text, &texts[i]);
            expect_same(&read.pair, &texts[k]);
        }
    }
}

static int read_with(const struct btk_document_head *head, uint64_t bytes)
{
    struct btk_encode_input input;
    struct btk_error error = {.message = ""};
    memcpy(memory, head, sizeof *head);
    const int rc = btk_document_read((struct btk_bytes){memory, bytes}, &input, &error);
    cr_assert_eq(rc != 0, error.message[0] != 0);
    return rc;
}

Test(document, a_head_is_checked_at_every_bound)
{
    const struct btk_document_head sound = {.text_bytes = 5,
                                            .pair_bytes = 3,
                                            .word_count = 2,
                                            .pair_word_count = 1,
                                            .flags = BTK_DOCUMENT_KNOWN};
    struct btk_document_head head = sound;
    const uint64_t bytes = 32 + 24 + 8;
    cr_assert_eq(read_with(&head, bytes), 0);
    cr_assert_eq(read_with(&head, bytes - 1), -EPROTO);
    cr_assert_eq(read_with(&head, bytes + 1), -EPROTO);
    cr_assert_eq(read_with(&head, 31), -EPROTO);
    cr_assert_eq(read_with(&head, 0), -EPROTO);
    head.flags = BTK_DOCUMENT_KNOWN + 1;
    cr_assert_eq(read_with(&head, bytes), -EPROTO);
    head.flags = BTK_DOCUMENT_IS_SPLIT;
    cr_assert_eq(read_with(&head, bytes), -EPROTO, "a pair that is not there");
    head.flags = BTK_DOCUMENT_HAS_PAIR | BTK_DOCUMENT_PAIR_IS_SPLIT;
    cr_assert_eq(read_with(&head, bytes), -EPROTO, "words that are not there");
    head = sound;
    head.text_bytes = UINT64_MAX - 2;
    head.pair_bytes = 11;
    cr_assert_eq(read_with(&head, bytes), -EPROTO, "the sum wraps");
    head = sound;
    head.word_count = UINT32_MAX;
    cr_assert_eq(read_with(&head, bytes), -EPROTO);
}

Test(document, sizes_saturate)
{
    const struct btk_encode_text huge = {"", SIZE_MAX, word_ends, SIZE_MAX};
    const struct btk_encode_input input = {huge, true, huge};
    cr_assert_leq(btk_document_bytes(&input), UINT64_MAX / 2);
    cr_assert_geq(btk_document_bytes(&input), UINT64_MAX / 8);
}

// --- Options

static struct btk_batch_options sound_options(void)
{
    struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE, .fields = BTK_FIELDS_ALL};
    const struct btk_truncation truncation = {.is_on = true,
                                              .strategy = BTK_TRUNCATE_ONLY_SECOND,
                                              .direction = BTK_DIRECTION_LEFT,
                                              .max_length = UINT64_MAX,
                                              .stride = 3};
    const struct btk_padding padding = {.is_on = true,
                                        .has_length = true,
                                        .direction = BTK_DIRECTION_LEFT,
                                        .length = 5,
                                        .multiple_of = 8,
                                        .id = 9,
                                        .type_id = 10,
                                        .token = "[P\0]",
                                        .token_bytes = 4};
    btk_batch_options_set_special_text(&options, BTK_SPECIAL_TEXT_ERROR);
    btk_batch_options_set_truncation(&options, BTK_OPTION_IS_GIVEN, &truncation);
    btk_batch_options_set_padding(&options, BTK_OPTION_IS_GIVEN, &padding);
    return options;
}

Test(batch_options, what_was_set_is_read_again)
{
    const struct btk_batch_options options = sound_options();
    struct btk_batch_options read;
    cr_assert_eq(btk_batch_options_read(btk_batch_options_bytes(&options), &read, NULL), 0);
    cr_assert(btk_batch_options_equal(&options, &read));
    const struct btk_truncation truncation = btk_batch_options_truncation(&read);
    const struct btk_padding padding = btk_batch_options_padding(&read);
    cr_assert_eq(btk_batch_options_special_text(&read), BTK_SPECIAL_TEXT_ERROR);
    cr_assert(truncation.is_on && truncation.strategy == BTK_TRUNCATE_ONLY_SECOND
              && truncation.direction == BTK_DIRECTION_LEFT && truncation.max_length == UINT64_MAX
              && truncation.stride == 3);
    cr_assert(padding.is_on && padding.has_length && padding.direction == BTK_DIRECTION_LEFT
              && padding.length == 5 && padding.multiple_of == 8 && padding.id == 9
              && padding.type_id == 10 && padding.token_bytes == 4);
    cr_assert_eq(memcmp(padding.token, "[P\0]", 4), 0);
    cr_assert_not(btk_batch_options_is_grouped(&read));
}

Test(batch_options, padding_to_the_longest_and_as_configured_need_groups)
{
    struct btk_batch_options options = {.op = BTK_OPERATION_ENCODE};
    cr_assert_not(btk_batch_options_is_grouped(&options));
    btk_batch_options_set_padding(&options, BTK_OPTION_IS_CONFIGURED, NULL);
    cr_assert(btk_batch_options_is_grouped(&options));
    options.flags = 0;
    btk_batch_options_set_padding(&options, BTK_OPTION_IS_GIVEN, &(struct btk_padding){.id = 1});
    cr_assert(btk_batch_options_is_grouped(&options));
}

#define EXPECT_REFUSED(...)                                                                        \
    do {                                                                                           \
        struct btk_batch_options options = sound_options();                                        \
        struct btk_batch_options read;                                                             \
        struct btk_error error = {.message = ""};                                                  \
        __VA_ARGS__;                                                                               \
        cr_expect_eq(btk_batch_options_read(btk_batch_options_bytes(&options), &read, &error),     \
                     -EPROTO, #__VA_ARGS__);                                                       \
        cr_expect_neq(error.message[0], 0, #__VA_ARGS__);                                          \
    } while (0)

Test(batch_options, what_is_unknown_is_refused)
{
    EXPECT_REFUSED(options.op = 0);
    EXPECT_REFUSED(options.op = 3);
    EXPECT_REFUSED(options.fields = BTK_FIELDS_ALL + 1);
    EXPECT_REFUSED(options.flags |= BTK_OPTIONS_KNOWN + 1);
    EXPECT_REFUSED(options.flags |= BTK_OPTIONS_PADDING_SOURCE);
    EXPECT_REFUSED(options.flags |= BTK_OPTIONS_TRUNCATION_SOURCE);
    EXPECT_REFUSED(options.flags |= BTK_OPTIONS_TRUNCATION_STRATEGY);
    EXPECT_REFUSED(options.pad_token[1] = '\xff');
}

Test(batch_options, lengths_that_are_not_theirs_are_refused)
{
    const struct btk_batch_options options = sound_options();
    const struct btk_bytes bytes = btk_batch_options_bytes(&options);
    struct btk_batch_options read;
    for (size_t length = 0; length <= sizeof options; length++) {
        const int expected = length == bytes.length ? 0 : -EPROTO;
        const struct btk_bytes part = {bytes.data, length};
        cr_assert_eq(btk_batch_options_read(part, &read, NULL), expected, "%zu bytes", length);
    }
}
