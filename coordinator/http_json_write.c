// SPDX-License-Identifier: Apache-2.0
// Blocks of results to JSON. A block is what a worker wrote: its head is copied once and checked,
// numbers in its columns are held against the lengths that were checked.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding_json.h"
#include "common/json_writer.h"
#include "common/status.h"
#include "coordinator/http_inputs.h"
#include "coordinator/http_json.h"
#include "coordinator/http_tokens.h"
#include "ipc/result_reader.h"

// More is not put together in memory.
#define ANSWER_BYTES_MAX ((size_t)1 << 30)

// An answer in the making.
struct answer {
    const struct btk_http_bridge *bridge;
    const struct btk_http_job *job;
    struct btk_json_writer writer;
    struct btk_buffer input; // a copy of one that has a head
    struct btk_buffer views; // struct btk_encoding_view of one document
    struct btk_error *error;
};

static int broken(struct btk_error *error)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a block of results is damaged");
}

// --- Documents

static int write_tokens(struct answer *answer, const struct btk_result_reader *reader,
                        const struct btk_result_place *place, uint32_t index)
{
    const bool has_bytes = (answer->job->options.flags & BTK_OPTIONS_OFFSETS_BYTE) != 0;
    struct btk_encoding_view view;
    struct btk_encode_input input;
    int rc = btk_http_inputs_get(answer->bridge, answer->job, index, &answer->input, &input);
    if (rc == 0) rc = btk_result_reader_encoding(reader, place, 0, &view);
    if (rc == 0) btk_http_tokens_write(&answer->writer, &input, has_bytes, &view);
    return rc;
}

static int write_fields(struct answer *answer, const struct btk_result_reader *reader,
                        const struct btk_result_place *place)
{
    const size_t count = btk_result_reader_encoding_count(reader, place);
    answer->views.length = 0;
    for (size_t i = 0; i < count; i++) {
        struct btk_encoding_view view;
        int rc = btk_result_reader_encoding(reader, place, i, &view);
        if (rc == 0) rc = btk_buffer_append(&answer->views, &view, sizeof view);
        if (rc != 0) return rc;
    }
    if (count == 0) return -EPROTO;
    btk_json_begin_object(&answer->writer);
    btk_encoding_json_write_members(&answer->writer, answer->job->fields,
                                    (const void *)answer->views.data, count);
    btk_json_end_object(&answer->writer);
    return 0;
}

// What a status says to the one who sent the text.
static const char *reason_of(uint32_t status)
{
    switch (status) {
    case BTK_STATUS_INVALID_UTF8: return "is not UTF-8";
    case BTK_STATUS_TOO_LARGE: return "has a result that could outgrow its bound";
    case BTK_STATUS_CANCELED: return "was canceled";
    case BTK_STATUS_DEADLINE: return "was not done before its deadline";
    case BTK_STATUS_POISON: return "ended several workers one after the other";
    case BTK_STATUS_MALFORMED: return "is not what it should be";
    case BTK_STATUS_OUT_OF_MEMORY: return "needs more memory than there is";
    case BTK_STATUS_SHUTTING_DOWN: return "came when the cluster was about to end";
    case BTK_STATUS_SPECIAL_TEXT: return "has the text of a special token";
    default: return "could not be done";
    }
}

// -EINVAL: the input is wrong; -EMSGSIZE: it is too large; -EIO: the cluster could not.
static int code_of(uint32_t status)
{
    switch (status) {
    case BTK_STATUS_INVALID_UTF8:
    case BTK_STATUS_SPECIAL_TEXT:
    case BTK_STATUS_MALFORMED: return EINVAL;
    case BTK_STATUS_TOO_LARGE: return EMSGSIZE;
    default: return EIO;
    }
}

// Of inputs that are encoded together all fail, and the first that is asked need not be the one.
static void name_input(const struct btk_http_job *job, uint32_t number, char name[32])
{
    if (job->document_count > 1 && btk_batch_options_is_grouped(&job->options))
        strcpy(name, "one of the inputs");
    else
        snprintf(name, 32, "input %" PRIu32, number);
}

static int refuse_document(const struct answer *answer, const struct btk_result_place *place,
                           struct btk_bytes message, uint32_t number)
{
    const uint32_t status = place->document.status;
    const uint64_t offset = place->document.detail;
    char name[32];
    name_input(answer->job, number, name);
    if (btk_status_has_offset(status))
        return btk_error_set(answer->error, code_of(status), offset, "%s %s at byte %" PRIu64, name,
                             reason_of(status), offset);
    if (message.length > 0)
        return btk_error_set(answer->error, code_of(status), BTK_NO_OFFSET, "%s: %.*s", name,
                             (int)btk_min_size(message.length, 400), (const char *)message.data);
    return btk_error_set(answer->error, code_of(status), BTK_NO_OFFSET, "%s %s (status %u)", name,
                         reason_of(status), status);
}

static int write_document(struct answer *answer, const struct btk_result_reader *reader,
                          uint32_t at, uint32_t number)
{
    struct btk_result_place place;
    int rc = btk_result_reader_find(reader, at, &place);
    if (rc != 0) return broken(answer->error);
    const struct btk_bytes text = btk_result_reader_text(reader, &place);
    if (place.document.status != BTK_STATUS_OK)
        return refuse_document(answer, &place, text, number);
    if (answer->job->options.op == BTK_OPERATION_DECODE)
        btk_http_text_write(&answer->writer, text);
    else if (answer->job->has_fields)
        rc = write_fields(answer, reader, &place);
    else
        rc = write_tokens(answer, reader, &place, number);
    if (rc != 0) return rc == -ENOMEM ? rc : broken(answer->error);
    if (answer->writer.buffer->length > ANSWER_BYTES_MAX)
        return btk_error_set(answer->error, EMSGSIZE, BTK_NO_OFFSET,
                             "the answer has more than %zu bytes", ANSWER_BYTES_MAX);
    return answer->writer.status;
}

static int write_block(struct answer *answer, const struct btk_http_block *block)
{
    struct btk_result_header header;
    if (block->data == NULL)
        return btk_error_set(answer->error, code_of(block->status), BTK_NO_OFFSET,
                             "input %u and others: %s (status %u)", block->first_document,
                             reason_of(block->status), block->status);
    if (block->bytes < sizeof header) return broken(answer->error);
    memcpy(&header, block->data, sizeof header);
    if (btk_result_header_check(&header, block->bytes, answer->error) != 0) return -EPROTO;
    const struct btk_batch_options *options = &answer->job->options;
    if (header.document_count != block->document_count
        || !btk_result_header_answers(&header, options->op, options->fields))
        return broken(answer->error);
    const struct btk_result_reader reader = {block->data, &header};
    int rc = 0;
    for (uint32_t i = 0; i < block->document_count && rc == 0; i++)
        rc = write_document(answer, &reader, i, block->first_document + i);
    return rc;
}

static int compare_blocks(const void *left, const void *right)
{
    const uint32_t a = ((const struct btk_http_block *)left)->first_document;
    const uint32_t b = ((const struct btk_http_block *)right)->first_document;
    return (a > b) - (a < b);
}

static int write_blocks(struct answer *answer)
{
    const struct btk_http_job *job = answer->job;
    uint32_t next_document = 0;
    qsort(job->blocks, job->block_count, sizeof *job->blocks, compare_blocks);
    for (uint32_t i = 0; i < job->block_count; i++) {
        const struct btk_http_block *block = job->blocks + i;
        if (block->first_document != next_document
            || block->document_count > job->document_count - next_document)
            return broken(answer->error);
        next_document += block->document_count;
        const int rc = write_block(answer, block);
        if (rc != 0) return rc;
    }
    return next_document == job->document_count ? 0 : broken(answer->error);
}

int btk_http_json_write(const struct btk_http_bridge *bridge, const struct btk_http_job *job,
                        struct btk_buffer *out_json, struct btk_error *error)
{
    struct answer answer = {.bridge = bridge, .job = job, .error = error};
    btk_json_writer_init(&answer.writer, out_json);
    btk_json_begin_array(&answer.writer);
    const int rc = write_blocks(&answer);
    btk_json_end_array(&answer.writer);
    btk_buffer_clear(&answer.input);
    btk_buffer_clear(&answer.views);
    return rc != 0 ? rc : answer.writer.status;
}

int btk_http_json_write_error(struct btk_buffer *out_json, const char *type, const char *message)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "error");
    btk_json_string(&writer, message);
    btk_json_name(&writer, "error_type");
    btk_json_string(&writer, type);
    btk_json_end_object(&writer);
    return writer.status;
}
