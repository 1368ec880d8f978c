// SPDX-License-Identifier: Apache-2.0
#include "ipc/batch.h"

#include <errno.h>

#include "common/error.h"

static int refuse(struct btk_error *error, const char *what)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "%s", what);
}

int btk_submission_check(const struct btk_submission *submission, uint64_t slab_bytes,
                         struct btk_error *error)
{
    if (submission->op != BTK_OPERATION_ENCODE && submission->op != BTK_OPERATION_DECODE)
        return refuse(error, "submission: neither encode nor decode");
    if ((submission->flags & ~(uint32_t)BTK_BATCH_FLAGS_KNOWN) != 0)
        return refuse(error, "submission: unknown flags");
    if (submission->document_count == 0 || submission->document_count > BTK_BATCH_DOCUMENTS_MAX)
        return refuse(error, "submission: no documents, or too many");
    if (submission->table_offset % BTK_TABLE_ALIGNMENT != 0
        || submission->text_offset % BTK_TEXT_ALIGNMENT != 0)
        return refuse(error, "submission: misaligned table or text");
    const uint64_t table_bytes = submission->document_count * (uint64_t)sizeof(uint64_t);
    if (!btk_range_is_inside(submission->table_offset, table_bytes, slab_bytes))
        return refuse(error, "submission: its table leaves the slab");
    if (!btk_range_is_inside(submission->text_offset, submission->text_bytes, slab_bytes))
        return refuse(error, "submission: its text leaves the slab");
    return 0;
}

int btk_assignment_check(const struct btk_assignment *assignment, uint64_t slab_bytes,
                         uint64_t results_bytes, struct btk_error *error)
{
    if (assignment->op != BTK_OPERATION_ENCODE && assignment->op != BTK_OPERATION_DECODE)
        return refuse(error, "assignment: neither encode nor decode");
    if (assignment->document_count == 0 || assignment->document_count > BTK_BATCH_DOCUMENTS_MAX
        || assignment->first_document > BTK_BATCH_DOCUMENTS_MAX)
        return refuse(error, "assignment: no documents, or too many");
    if (assignment->table_offset % BTK_TABLE_ALIGNMENT != 0
        || assignment->text_offset % BTK_TEXT_ALIGNMENT != 0
        || assignment->result_offset % BTK_RESULT_ALIGNMENT != 0)
        return refuse(error, "assignment: misaligned table, text or result");
    const uint64_t table_bytes =
        ((uint64_t)assignment->first_document + assignment->document_count) * sizeof(uint64_t);
    if (!btk_range_is_inside(assignment->table_offset, table_bytes, slab_bytes))
        return refuse(error, "assignment: its table leaves the slab");
    if (assignment->text_offset > slab_bytes
        || !btk_range_is_inside(assignment->shard_begin, assignment->shard_bytes,
                                slab_bytes - assignment->text_offset))
        return refuse(error, "assignment: its text leaves the slab");
    if ((assignment->flags & BTK_ASSIGNMENT_OWN_MEMFD) != 0) return 0;
    if (!btk_range_is_inside(assignment->result_offset, assignment->result_limit_bytes,
                             results_bytes))
        return refuse(error, "assignment: its result leaves the results memory");
    return 0;
}

static bool column_fits(uint64_t offset, uint64_t count, uint64_t item_bytes, uint64_t alignment,
                        uint64_t block_bytes)
{
    if (offset == 0) return true;
    if (offset < sizeof(struct btk_result_header) || offset % alignment != 0) return false;
    return count <= block_bytes / item_bytes
           && btk_range_is_inside(offset, count * item_bytes, block_bytes);
}

// A column that is not there has passed, whatever its length says.
static bool has_columns(const struct btk_result_header *header)
{
    const struct {
        uint32_t field;
        uint64_t offset;
    } columns[] = {
        {BTK_FIELD_IDS, header->ids_offset},
        {BTK_FIELD_TYPE_IDS, header->type_ids_offset},
        {BTK_FIELD_TOKENS, header->token_ends_offset},
        {BTK_FIELD_TOKENS, header->token_text_offset},
        {BTK_FIELD_OFFSETS, header->offsets_offset},
        {BTK_FIELD_WORD_IDS, header->word_ids_offset},
        {BTK_FIELD_SEQUENCE_IDS, header->sequence_ids_offset},
        {BTK_FIELD_SPECIAL_TOKENS_MASK, header->special_mask_offset},
        {BTK_FIELD_ATTENTION_MASK, header->attention_mask_offset},
        {BTK_FIELD_OVERFLOWING, header->encodings_offset},
    };
    if (header->text_bytes > 0 && header->text_offset == 0) return false;
    if (header->op != BTK_OPERATION_ENCODE) return true;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(columns); i++)
        if ((header->fields & columns[i].field) != 0 && columns[i].offset == 0) return false;
    return true;
}

int btk_result_header_check(const struct btk_result_header *header, uint64_t block_bytes,
                            struct btk_error *error)
{
    if (header->magic != BTK_RESULT_MAGIC || header->version != BTK_RESULT_VERSION)
        return refuse(error, "result block: wrong magic or version");
    if (header->block_bytes > block_bytes || block_bytes < sizeof *header)
        return refuse(error, "result block: larger than its extent");
    const uint64_t limit = header->block_bytes;
    const uint64_t tokens = header->token_count;
    const bool fits =
        header->documents_offset != 0
        && column_fits(header->documents_offset, header->document_count,
                       sizeof(struct btk_result_document), 8, limit)
        && column_fits(header->ids_offset, tokens, 4, 4, limit)
        && column_fits(header->offsets_offset, tokens, 8, 4, limit)
        && column_fits(header->type_ids_offset, tokens, 4, 4, limit)
        && column_fits(header->word_ids_offset, tokens, 4, 4, limit)
        && column_fits(header->special_mask_offset, tokens, 1, 1, limit)
        && column_fits(header->sequence_ids_offset, tokens, 4, 4, limit)
        && column_fits(header->attention_mask_offset, tokens, 1, 1, limit)
        && column_fits(header->encodings_offset, header->encoding_count, 8, 8, limit)
        && column_fits(header->token_ends_offset, tokens, 4, 4, limit)
        && column_fits(header->token_text_offset, header->token_text_bytes, 1, 1, limit)
        && column_fits(header->text_offset, header->text_bytes, 1, 1, limit);
    if (!fits) return refuse(error, "result block: a column leaves the block");
    if (!has_columns(header)) return refuse(error, "result block: a column is missing");
    return 0;
}

bool btk_result_header_answers(const struct btk_result_header *header, uint32_t op, uint32_t fields)
{
    if (header->op != op) return false;
    return op != BTK_OPERATION_ENCODE || (~header->fields & (fields | BTK_FIELD_IDS)) == 0;
}
