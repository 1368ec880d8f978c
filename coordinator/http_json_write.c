// SPDX-License-Identifier: Apache-2.0
// Blocks of results to JSON. A block is what a worker wrote: its head is copied once and checked,
// numbers in its columns are held against the lengths that were checked.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/utf8.h"
#include "coordinator/http_json.h"

// A block that was checked, and where reading stands in it.
struct reader {
    const uint8_t *data;
    struct btk_result_header header;
    uint64_t token;      // next
    uint64_t token_text; // where its text begins
    uint64_t text;       // decode
};

static int broken(struct btk_error *error)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "a block of results is damaged");
}

static uint32_t read_u32(const struct reader *reader, uint64_t column, uint64_t index)
{
    uint32_t number;
    memcpy(&number, reader->data + column + index * sizeof number, sizeof number);
    return number;
}

static int open_block(const struct btk_http_job *job, const struct btk_http_block *block,
                      struct reader *out_reader, struct btk_error *error)
{
    struct reader reader = {.data = block->data};
    if (block->bytes < sizeof reader.header) return broken(error);
    memcpy(&reader.header, block->data, sizeof reader.header);
    const struct btk_result_header *header = &reader.header;
    if (btk_result_header_check(header, block->bytes, error) != 0) return -EPROTO;
    // Columns that are not there have passed the check, whatever their length says.
    const bool has_columns = header->ids_offset != 0 && header->offsets_offset != 0
                             && header->special_mask_offset != 0 && header->token_ends_offset != 0
                             && header->token_text_offset != 0;
    const bool has_text = header->text_offset != 0;
    if (header->op != job->options.op || header->document_count != block->document_count
        || (header->op == BTK_OPERATION_ENCODE && header->token_count > 0 && !has_columns)
        || (header->op == BTK_OPERATION_DECODE && header->text_bytes > 0 && !has_text))
        return broken(error);
    *out_reader = reader;
    return 0;
}

// --- Tokens

// A place in a text that is known both in characters and in bytes. Offsets hardly ever go back, so
// finding the next one from the last costs a few steps.
struct place {
    struct btk_bytes text; // valid UTF-8: it came out of a JSON string
    uint64_t character;
    size_t byte;
};

static void move_to(struct place *place, uint64_t character)
{
    while (place->character < character && place->byte < place->text.length) {
        place->byte += btk_utf8_length(place->text.data[place->byte]);
        place->character++;
    }
    while (place->character > character && place->byte > 0) {
        do place->byte--;
        while (place->byte > 0 && (place->text.data[place->byte] & 0xc0) == 0x80);
        place->character--;
    }
}

static void write_place(struct btk_json_writer *writer, struct place *place, uint32_t begin,
                        uint32_t end)
{
    move_to(place, begin);
    const size_t from = place->byte;
    if (end > begin) move_to(place, end);
    btk_json_text(writer, (struct btk_bytes){place->text.data + from, place->byte - from});
}

// The texts of tokens are pieces of a vocabulary of bytes: what is not UTF-8 becomes U+FFFD.
static void write_lossy(struct btk_json_writer *writer, struct btk_bytes text)
{
    if (btk_utf8_valid_prefix(text.data, text.length) == text.length)
        btk_json_text(writer, text);
    else
        btk_json_string(writer, "\xef\xbf\xbd");
}

static int write_token(struct btk_json_writer *writer, struct reader *reader, struct place *place,
                       struct btk_error *error)
{
    const struct btk_result_header *header = &reader->header;
    const uint64_t at = reader->token++;
    const uint32_t text_end = read_u32(reader, header->token_ends_offset, at);
    if (text_end < reader->token_text || text_end > header->token_text_bytes) return broken(error);
    const struct btk_bytes text = {
        reader->data + header->token_text_offset + reader->token_text,
        text_end - reader->token_text,
    };
    reader->token_text = text_end;
    const bool is_special = reader->data[header->special_mask_offset + at] != 0;
    const uint32_t begin = read_u32(reader, header->offsets_offset, 2 * at);
    const uint32_t end = read_u32(reader, header->offsets_offset, 2 * at + 1);
    btk_json_begin_object(writer);
    btk_json_name(writer, "id");
    btk_json_unsigned(writer, read_u32(reader, header->ids_offset, at));
    btk_json_name(writer, "text");
    if (is_special)
        write_lossy(writer, text);
    else
        write_place(writer, place, begin, end);
    btk_json_name(writer, "special");
    btk_json_bool(writer, is_special);
    btk_json_name(writer, "start");
    if (is_special)
        btk_json_null(writer);
    else
        btk_json_unsigned(writer, begin);
    btk_json_name(writer, "stop");
    if (is_special)
        btk_json_null(writer);
    else
        btk_json_unsigned(writer, end);
    btk_json_end_object(writer);
    return 0;
}

// --- Documents

static struct btk_bytes document_text(const struct btk_http_bridge *bridge,
                                      const struct btk_http_job *job, uint32_t index)
{
    const uint64_t *ends = (const void *)(bridge->slab_address + job->table_offset);
    const uint64_t begin = index == 0 ? 0 : ends[index - 1];
    return (struct btk_bytes){bridge->slab_address + job->text_offset + begin, ends[index] - begin};
}

static int write_tokens(struct btk_json_writer *writer, struct reader *reader, uint64_t token_end,
                        struct btk_bytes text, struct btk_error *error)
{
    struct place place = {.text = text};
    if (token_end < reader->token || token_end > reader->header.token_count) return broken(error);
    btk_json_begin_array(writer);
    int rc = 0;
    while (reader->token < token_end && rc == 0) rc = write_token(writer, reader, &place, error);
    btk_json_end_array(writer);
    return rc;
}

static int write_text(struct btk_json_writer *writer, struct reader *reader, uint64_t text_end,
                      struct btk_error *error)
{
    if (text_end < reader->text || text_end > reader->header.text_bytes) return broken(error);
    write_lossy(writer, (struct btk_bytes){reader->data + reader->header.text_offset + reader->text,
                                           text_end - reader->text});
    reader->text = text_end;
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

static int refuse_document(const struct btk_result_document *document, uint32_t number,
                           struct btk_error *error)
{
    const char *const reason = reason_of(document->status);
    if (document->status == BTK_STATUS_INVALID_UTF8 || document->status == BTK_STATUS_SPECIAL_TEXT)
        return btk_error_set(error, EIO, document->detail, "input %u %s at byte %" PRIu64, number,
                             reason, document->detail);
    return btk_error_set(error, EIO, BTK_NO_OFFSET, "input %u %s (status %u)", number, reason,
                         document->status);
}

static int write_block(struct btk_json_writer *writer, const struct btk_http_bridge *bridge,
                       const struct btk_http_job *job, const struct btk_http_block *block,
                       struct btk_error *error)
{
    struct reader reader = {0};
    if (block->data == NULL)
        return btk_error_set(error, EIO, BTK_NO_OFFSET, "input %u and others: %s (status %u)",
                             block->first_document, reason_of(block->status), block->status);
    int rc = open_block(job, block, &reader, error);
    for (uint32_t i = 0; i < block->document_count && rc == 0; i++) {
        struct btk_result_document document;
        memcpy(&document, reader.data + reader.header.documents_offset + i * sizeof document,
               sizeof document);
        if (document.status != BTK_STATUS_OK)
            rc = refuse_document(&document, block->first_document + i, error);
        else if (job->options.op == BTK_OPERATION_DECODE)
            rc = write_text(writer, &reader, document.text_end, error);
        else
            rc = write_tokens(writer, &reader, document.token_end,
                              document_text(bridge, job, block->first_document + i), error);
    }
    return rc;
}

static int compare_blocks(const void *left, const void *right)
{
    const uint32_t a = ((const struct btk_http_block *)left)->first_document;
    const uint32_t b = ((const struct btk_http_block *)right)->first_document;
    return (a > b) - (a < b);
}

int btk_http_json_write(const struct btk_http_bridge *bridge, const struct btk_http_job *job,
                        struct btk_buffer *out_json, struct btk_error *error)
{
    struct btk_json_writer writer;
    uint32_t next_document = 0;
    int rc = 0;
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_array(&writer);
    qsort(job->blocks, job->block_count, sizeof *job->blocks, compare_blocks);
    for (uint32_t i = 0; i < job->block_count && rc == 0; i++) {
        const struct btk_http_block *block = job->blocks + i;
        if (block->first_document != next_document
            || block->document_count > job->document_count - next_document)
            return broken(error);
        next_document += block->document_count;
        rc = write_block(&writer, bridge, job, block, error);
    }
    btk_json_end_array(&writer);
    if (rc == 0 && next_document != job->document_count) rc = broken(error);
    return rc != 0 ? rc : writer.status;
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
