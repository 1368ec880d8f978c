// SPDX-License-Identifier: Apache-2.0
// The checks of structures that come from shared memory: each rule once, at its bounds.
#include "ipc/batch.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "common/error.h"

enum { SLAB_BYTES = 4096 };

static struct btk_submission sound_submission(void)
{
    return (struct btk_submission){.kind = BTK_SUBMISSION_SUBMIT,
                                   .op = BTK_OPERATION_ENCODE,
                                   .table_offset = 0,
                                   .document_count = 2,
                                   .text_offset = 16,
                                   .text_bytes = SLAB_BYTES - 16};
}

#define EXPECT_SUBMISSION(expected, ...)                                                           \
    do {                                                                                           \
        struct btk_submission submission = sound_submission();                                     \
        struct btk_error error = {.message = ""};                                                  \
        __VA_ARGS__;                                                                               \
        cr_expect_eq(btk_submission_check(&submission, SLAB_BYTES, &error), expected, "%s: %s",    \
                     #__VA_ARGS__, error.message);                                                 \
    } while (0)

Test(batch, a_submission_is_checked_at_every_bound)
{
    EXPECT_SUBMISSION(0, submission.op = BTK_OPERATION_DECODE);
    EXPECT_SUBMISSION(-EPROTO, submission.op = 0);
    EXPECT_SUBMISSION(-EPROTO, submission.op = 200);
    EXPECT_SUBMISSION(-EPROTO, submission.document_count = 0);
    EXPECT_SUBMISSION(-EPROTO, submission.document_count = BTK_BATCH_DOCUMENTS_MAX + 1);
    EXPECT_SUBMISSION(0, submission.document_count = SLAB_BYTES / 8);
    EXPECT_SUBMISSION(-EPROTO, submission.document_count = SLAB_BYTES / 8 + 1);
    EXPECT_SUBMISSION(0, submission.flags = BTK_BATCH_HAS_SHAPES);
    EXPECT_SUBMISSION(-EPROTO, submission.flags = BTK_BATCH_FLAGS_KNOWN + 1);
    EXPECT_SUBMISSION(-EPROTO, submission.table_offset = 4);
    EXPECT_SUBMISSION(0, submission.table_offset = SLAB_BYTES - 16);
    EXPECT_SUBMISSION(-EPROTO, submission.table_offset = SLAB_BYTES - 8);
    EXPECT_SUBMISSION(-EPROTO, submission.table_offset = UINT64_MAX - 7);
    EXPECT_SUBMISSION(-EPROTO, submission.text_offset = 17);
    EXPECT_SUBMISSION(-EPROTO, submission.text_offset = 24);
    EXPECT_SUBMISSION(-EPROTO, submission.text_bytes = SLAB_BYTES);
    EXPECT_SUBMISSION(-EPROTO, submission.text_bytes = UINT64_MAX);
    EXPECT_SUBMISSION(-EPROTO, submission.text_offset = UINT64_MAX - 7);
    EXPECT_SUBMISSION(0, submission.text_offset = SLAB_BYTES; submission.text_bytes = 0);
}

static struct btk_assignment sound_assignment(void)
{
    return (struct btk_assignment){.op = BTK_OPERATION_ENCODE,
                                   .first_document = 1,
                                   .document_count = 2,
                                   .table_offset = 8,
                                   .text_offset = 32,
                                   .shard_begin = 8,
                                   .shard_bytes = 100,
                                   .result_offset = 64,
                                   .result_limit_bytes = 1024};
}

#define EXPECT_ASSIGNMENT(expected, ...)                                                           \
    do {                                                                                           \
        struct btk_assignment assignment = sound_assignment();                                     \
        struct btk_error error = {.message = ""};                                                  \
        __VA_ARGS__;                                                                               \
        cr_expect_eq(btk_assignment_check(&assignment, SLAB_BYTES, 2048, &error), expected,        \
                     "%s: %s", #__VA_ARGS__, error.message);                                       \
    } while (0)

Test(batch, an_assignment_is_checked_at_every_bound)
{
    EXPECT_ASSIGNMENT(0, );
    EXPECT_ASSIGNMENT(-EPROTO, assignment.op = 3);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.document_count = 0);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.document_count = UINT32_MAX);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.first_document = UINT32_MAX);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.table_offset = 12);
    EXPECT_ASSIGNMENT(0, assignment.table_offset = SLAB_BYTES - 24);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.table_offset = SLAB_BYTES - 16);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.text_offset = 33);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.text_offset = SLAB_BYTES + 8);
    EXPECT_ASSIGNMENT(0, assignment.shard_begin = SLAB_BYTES - 132);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.shard_begin = SLAB_BYTES - 131);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.shard_begin = UINT64_MAX);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.shard_bytes = UINT64_MAX - 8);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.result_offset = 32);
    EXPECT_ASSIGNMENT(0, assignment.result_offset = 1024);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.result_offset = 1088);
    EXPECT_ASSIGNMENT(-EPROTO, assignment.result_limit_bytes = UINT64_MAX);
    EXPECT_ASSIGNMENT(0, assignment.flags = BTK_ASSIGNMENT_OWN_MEMFD;
                      assignment.result_limit_bytes = UINT64_MAX);
}

static struct btk_result_header sound_header(void)
{
    return (struct btk_result_header){.magic = BTK_RESULT_MAGIC,
                                      .version = BTK_RESULT_VERSION,
                                      .document_count = 1,
                                      .token_count = 4,
                                      .block_bytes = 512,
                                      .documents_offset = 256,
                                      .ids_offset = 288,
                                      .offsets_offset = 304};
}

#define EXPECT_HEADER(expected, ...)                                                               \
    do {                                                                                           \
        struct btk_result_header header = sound_header();                                          \
        struct btk_error error = {.message = ""};                                                  \
        __VA_ARGS__;                                                                               \
        cr_expect_eq(btk_result_header_check(&header, 512, &error), expected, "%s: %s",            \
                     #__VA_ARGS__, error.message);                                                 \
    } while (0)

Test(batch, the_head_of_a_result_is_checked_at_every_bound)
{
    EXPECT_HEADER(0, );
    EXPECT_HEADER(-EPROTO, header.magic++);
    EXPECT_HEADER(-EPROTO, header.version++);
    EXPECT_HEADER(-EPROTO, header.block_bytes = 513);
    EXPECT_HEADER(-EPROTO, header.block_bytes = 300);
    EXPECT_HEADER(-EPROTO, header.documents_offset = 0);
    EXPECT_HEADER(-EPROTO, header.documents_offset = 255);
    EXPECT_HEADER(-EPROTO, header.documents_offset = 248);
    EXPECT_HEADER(-EPROTO, header.documents_offset = 260);
    EXPECT_HEADER(0, header.documents_offset = 480);
    EXPECT_HEADER(-EPROTO, header.documents_offset = 488);
    EXPECT_HEADER(-EPROTO, header.document_count = UINT32_MAX);
    EXPECT_HEADER(-EPROTO, header.ids_offset = 290);
    EXPECT_HEADER(0, header.ids_offset = 496);
    EXPECT_HEADER(-EPROTO, header.ids_offset = 500);
    EXPECT_HEADER(-EPROTO, header.ids_offset = UINT64_MAX - 3);
    EXPECT_HEADER(-EPROTO, header.token_count = UINT64_MAX);
    EXPECT_HEADER(-EPROTO, header.token_count = UINT64_MAX / 4 + 2);
    EXPECT_HEADER(0, header.offsets_offset = 480);
    EXPECT_HEADER(-EPROTO, header.offsets_offset = 484);
    EXPECT_HEADER(-EPROTO, header.type_ids_offset = 500);
    EXPECT_HEADER(-EPROTO, header.word_ids_offset = 4);
    EXPECT_HEADER(0, header.special_mask_offset = 508);
    EXPECT_HEADER(-EPROTO, header.special_mask_offset = 509);
    EXPECT_HEADER(-EPROTO, header.token_ends_offset = 500);
    EXPECT_HEADER(-EPROTO, header.token_text_offset = 500; header.token_text_bytes = 13);
    EXPECT_HEADER(-EPROTO, header.text_offset = 256; header.text_bytes = UINT64_MAX);
}

Test(batch, a_block_answers_only_what_it_has_the_columns_of)
{
    const uint32_t two = BTK_FIELD_IDS | BTK_FIELD_OFFSETS;
    struct btk_result_header header = {.op = BTK_OPERATION_ENCODE, .fields = two};
    cr_assert(btk_result_header_answers(&header, BTK_OPERATION_ENCODE, two));
    cr_assert(btk_result_header_answers(&header, BTK_OPERATION_ENCODE, BTK_FIELD_OFFSETS));
    cr_assert_not(btk_result_header_answers(&header, BTK_OPERATION_ENCODE, BTK_FIELDS_ALL));
    cr_assert_not(btk_result_header_answers(&header, BTK_OPERATION_DECODE, two));
    header.fields = BTK_FIELD_OFFSETS;
    cr_assert_not(btk_result_header_answers(&header, BTK_OPERATION_ENCODE, BTK_FIELD_OFFSETS),
                  "ids are always there");
    header = (struct btk_result_header){.op = BTK_OPERATION_DECODE};
    cr_assert(btk_result_header_answers(&header, BTK_OPERATION_DECODE, BTK_FIELD_IDS));
}

Test(batch, a_range_is_inside_only_without_overflow)
{
    cr_expect(btk_range_is_inside(0, 0, 0));
    cr_expect(btk_range_is_inside(5, 5, 10));
    cr_expect_not(btk_range_is_inside(5, 6, 10));
    cr_expect_not(btk_range_is_inside(11, 0, 10));
    cr_expect_not(btk_range_is_inside(UINT64_MAX, 1, UINT64_MAX));
    cr_expect_not(btk_range_is_inside(1, UINT64_MAX, UINT64_MAX));
}
