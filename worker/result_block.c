// SPDX-License-Identifier: Apache-2.0
#include "worker/result_block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    COLUMN_ALIGNMENT = 8,
    WINDOW_BYTES = 256 * 1024, // copied between two signs of life
};

static uint64_t place(uint64_t *at, uint64_t bytes)
{
    const uint64_t offset = *at;
    *at = btk_align_up(offset + bytes, COLUMN_ALIGNMENT);
    return offset;
}

static uint64_t place_if(uint64_t *at, uint64_t bytes, bool is_wanted)
{
    return is_wanted ? place(at, bytes) : 0;
}

// Offsets and size of a block from its counts.
static void lay_out(struct btk_result_header *header)
{
    const uint64_t tokens = header->token_count;
    const uint32_t fields = header->fields;
    uint64_t at = sizeof *header;
    header->documents_offset =
        place(&at, header->document_count * (uint64_t)sizeof(struct btk_result_document));
    if (header->op == BTK_OPERATION_ENCODE) {
        const bool has_tokens = (fields & BTK_FIELD_TOKENS) != 0;
        header->ids_offset = place(&at, 4 * tokens);
        header->offsets_offset = place_if(&at, 8 * tokens, (fields & BTK_FIELD_OFFSETS) != 0);
        header->type_ids_offset = place_if(&at, 4 * tokens, (fields & BTK_FIELD_TYPE_IDS) != 0);
        header->word_ids_offset = place_if(&at, 4 * tokens, (fields & BTK_FIELD_WORD_IDS) != 0);
        header->sequence_ids_offset =
            place_if(&at, 4 * tokens, (fields & BTK_FIELD_SEQUENCE_IDS) != 0);
        header->token_ends_offset = place_if(&at, 4 * tokens, has_tokens);
        header->special_mask_offset =
            place_if(&at, tokens, (fields & BTK_FIELD_SPECIAL_TOKENS_MASK) != 0);
        header->attention_mask_offset =
            place_if(&at, tokens, (fields & BTK_FIELD_ATTENTION_MASK) != 0);
        header->token_text_offset = place_if(&at, header->token_text_bytes, has_tokens);
        header->encodings_offset =
            place_if(&at, 8 * header->encoding_count, (fields & BTK_FIELD_OVERFLOWING) != 0);
    }
    header->text_offset = place_if(&at, header->text_bytes,
                                   header->op == BTK_OPERATION_DECODE || header->text_bytes > 0);
    header->block_bytes = at;
}

static uint64_t item_bytes(const struct btk_result_header *header)
{
    if (header->op == BTK_OPERATION_DECODE) return 1;
    uint64_t bytes = 4;
    if ((header->fields & BTK_FIELD_OFFSETS) != 0) bytes += 8;
    if ((header->fields & BTK_FIELD_TYPE_IDS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_WORD_IDS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_SEQUENCE_IDS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_TOKENS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_SPECIAL_TOKENS_MASK) != 0) bytes += 1;
    if ((header->fields & BTK_FIELD_ATTENTION_MASK) != 0) bytes += 1;
    return bytes;
}

static void set_count(struct btk_result_header *header, uint64_t count)
{
    if (header->op == BTK_OPERATION_DECODE)
        header->text_bytes = count;
    else
        header->token_count = count;
}

static uint64_t get_count(const struct btk_result_header *header)
{
    return header->op == BTK_OPERATION_DECODE ? header->text_bytes : header->token_count;
}

uint64_t btk_result_block_bound(const struct btk_result_header *header, uint64_t count)
{
    struct btk_result_header bound = {
        .op = header->op,
        .fields = header->fields | BTK_FIELD_IDS,
        .document_count = header->document_count,
    };
    set_count(&bound, count);
    lay_out(&bound);
    return bound.block_bytes;
}

int btk_result_block_open(struct btk_result_block *block, const struct btk_result_header *header,
                          const struct btk_result_room *room, struct btk_result_buffers *buffers)
{
    struct btk_result_header open = {
        .op = header->op,
        .fields = header->fields | BTK_FIELD_IDS,
        .document_count = header->document_count,
    };
    lay_out(&open);
    if (open.block_bytes > room->bytes || open.block_bytes > room->limit_bytes) return -ENOBUFS;
    *block = (struct btk_result_block){.header = open, .room = *room, .buffers = buffers};
    // Padding between the columns may cost a token or two.
    block->capacity = (room->bytes - open.block_bytes) / item_bytes(&open);
    for (;; block->capacity--) {
        set_count(&open, block->capacity);
        lay_out(&open);
        if (open.block_bytes <= room->bytes || block->capacity == 0) break;
    }
    block->open = open;
    buffers->token_text.length = 0;
    buffers->messages.length = 0;
    buffers->encodings.length = 0;
    return 0;
}

static void *column(const struct btk_result_block *block, uint64_t offset, uint64_t item)
{
    if (offset == 0) return NULL;
    return block->room.base + offset + (get_count(&block->header) + block->added_tokens) * item;
}

void btk_result_block_tail(const struct btk_result_block *block, struct btk_encoding *out_tail)
{
    const struct btk_result_header *open = &block->open;
    *out_tail = (struct btk_encoding){
        .capacity = block->capacity - block->header.token_count,
        .ids = column(block, open->ids_offset, 4),
        .offsets = column(block, open->offsets_offset, 8),
        .type_ids = column(block, open->type_ids_offset, 4),
        .word_ids = column(block, open->word_ids_offset, 4),
        .special_tokens_mask = column(block, open->special_mask_offset, 1),
    };
}

uint32_t *btk_result_block_token_ends(const struct btk_result_block *block)
{
    return column(block, block->open.token_ends_offset, 4);
}

uint8_t *btk_result_block_text(const struct btk_result_block *block, uint64_t *out_room_bytes)
{
    *out_room_bytes = block->capacity - block->header.text_bytes;
    return column(block, block->open.text_offset, 1);
}

static void write_document(struct btk_result_block *block, uint32_t status, uint64_t detail)
{
    assert(block->documents_done < block->header.document_count);
    const struct btk_result_document document = {
        .token_end = block->header.token_count,
        .text_end = block->header.text_bytes,
        .status = status,
        .encoding_end = (uint32_t)block->header.encoding_count,
        .detail = detail,
    };
    uint8_t *table = block->room.base + block->open.documents_offset;
    memcpy(table + block->documents_done * sizeof document, &document, sizeof document);
    block->documents_done++;
}

// Takes the counts of `next`, unless the block would outgrow its limit.
static void grow_to(struct btk_result_block *block, struct btk_result_header *next)
{
    lay_out(next);
    block->is_full |= next->block_bytes > block->room.limit_bytes;
    if (!block->is_full) block->header = *next;
}

void btk_result_block_end(struct btk_result_block *block, uint64_t count)
{
    struct btk_result_header next = block->header;
    count += block->added_tokens;
    assert(count <= block->capacity - get_count(&next));
    set_count(&next, get_count(&next) + count);
    next.encoding_count += block->added_encodings;
    block->added_tokens = 0;
    block->added_encodings = 0;
    next.token_text_bytes = block->buffers->token_text.length;
    grow_to(block, &next);
    if (!block->is_full) write_document(block, BTK_STATUS_OK, 0);
}

void btk_result_block_fail(struct btk_result_block *block, uint32_t status, uint64_t detail,
                           const char *message)
{
    struct btk_result_buffers *const buffers = block->buffers;
    struct btk_result_header next = block->header;
    block->added_tokens = 0;
    block->added_encodings = 0;
    buffers->token_text.length = next.token_text_bytes;
    buffers->encodings.length = next.encoding_count * sizeof(uint64_t);
    if (message != NULL && next.op == BTK_OPERATION_ENCODE
        && btk_buffer_append(&buffers->messages, message, strlen(message)) == 0)
        next.text_bytes = buffers->messages.length;
    grow_to(block, &next);
    block->document_errors++;
    if (!block->is_full) write_document(block, status, detail);
}

// --- Long copies

static void show_progress(const struct btk_result_block *block)
{
    if (block->room.page != NULL) btk_worker_page_add(&block->room.page->progress, 1);
}

// To where it stands, or down from there.
static void move_bytes(const struct btk_result_block *block, uint8_t *to, const void *from,
                       uint64_t bytes)
{
    for (uint64_t done = 0, window; done < bytes; done += window) {
        window = btk_min_size(bytes - done, WINDOW_BYTES);
        memmove(to + done, (const uint8_t *)from + done, window);
        if (done + window < bytes) show_progress(block);
    }
}

static int append_bytes(const struct btk_result_block *block, struct btk_buffer *out,
                        const char *from, uint64_t bytes)
{
    int rc = 0;
    for (uint64_t done = 0, window; done < bytes && rc == 0; done += window) {
        window = btk_min_size(bytes - done, WINDOW_BYTES);
        rc = btk_buffer_append(out, from + done, window);
        if (done + window < bytes) show_progress(block);
    }
    return rc;
}

// --- Encodings from elsewhere

static void copy_column(const struct btk_result_block *block, uint64_t offset, uint64_t item,
                        const void *from, size_t count)
{
    uint8_t *const to = column(block, offset, item);
    if (to != NULL) move_bytes(block, to, from, count * item);
}

static int add_token_text(struct btk_result_block *block, const struct btk_encoding_view *encoding)
{
    struct btk_buffer *const out = &block->buffers->token_text;
    uint32_t *const ends = btk_result_block_token_ends(block);
    const uint32_t begin = encoding->token_text_begin;
    const uint64_t base = out->length;
    const uint64_t bytes = encoding->token_text_end - begin;
    if (base + bytes > UINT32_MAX) return -E2BIG;
    for (size_t i = 0; i < encoding->token_count; i++) {
        if ((i + 1) % WINDOW_BYTES == 0) show_progress(block);
        ends[i] = (uint32_t)base + (encoding->token_ends[i] - begin);
    }
    return append_bytes(block, out, encoding->token_text + begin, bytes);
}

int btk_result_block_add_encoding(struct btk_result_block *block,
                                  const struct btk_encoding_view *encoding)
{
    const struct btk_result_header *const open = &block->open;
    const size_t count = encoding->token_count;
    const uint64_t begin = block->header.token_count + block->added_tokens;
    block->is_full |= count > block->capacity - begin;
    if (block->is_full) return 0;
    copy_column(block, open->ids_offset, 4, encoding->ids, count);
    copy_column(block, open->offsets_offset, 8, encoding->offsets, count);
    copy_column(block, open->type_ids_offset, 4, encoding->type_ids, count);
    copy_column(block, open->word_ids_offset, 4, encoding->word_ids, count);
    copy_column(block, open->sequence_ids_offset, 4, encoding->sequence_ids, count);
    copy_column(block, open->special_mask_offset, 1, encoding->special_tokens_mask, count);
    copy_column(block, open->attention_mask_offset, 1, encoding->attention_mask, count);
    if ((open->fields & BTK_FIELD_TOKENS) != 0) {
        const int rc = add_token_text(block, encoding);
        if (rc != 0) return rc;
    }
    block->added_tokens += count;
    if ((open->fields & BTK_FIELD_OVERFLOWING) == 0) return 0;
    const uint64_t end = begin + count;
    block->added_encodings++;
    return btk_buffer_append(&block->buffers->encodings, &end, sizeof end);
}

uint64_t btk_result_block_bytes(const struct btk_result_block *block)
{
    return block->header.block_bytes;
}

static void move_column(const struct btk_result_block *block, uint8_t *destination, uint64_t from,
                        uint64_t to, uint64_t bytes)
{
    const uint8_t *source = block->room.base + from;
    if (from == 0 || bytes == 0 || source == destination + to) return;
    move_bytes(block, destination + to, source, bytes);
}

static void write_buffer(const struct btk_result_block *block, uint8_t *destination,
                         uint64_t offset, const struct btk_buffer *buffer)
{
    if (offset > 0) move_bytes(block, destination + offset, buffer->data, buffer->length);
}

static void write_buffers(const struct btk_result_block *block, uint8_t *destination)
{
    const struct btk_result_header *const to = &block->header;
    write_buffer(block, destination, to->token_text_offset, &block->buffers->token_text);
    write_buffer(block, destination, to->encodings_offset, &block->buffers->encodings);
    if (to->op == BTK_OPERATION_ENCODE)
        write_buffer(block, destination, to->text_offset, &block->buffers->messages);
}

void btk_result_block_write(struct btk_result_block *block, uint8_t *destination)
{
    const struct btk_result_header *from = &block->open;
    const struct btk_result_header *to = &block->header;
    const uint64_t tokens = to->token_count;
    assert(!block->is_full && block->documents_done == to->document_count);
    // In the order of the layout: each column moves down, onto what has moved already.
    move_column(block, destination, from->documents_offset, to->documents_offset,
                to->document_count * sizeof(struct btk_result_document));
    move_column(block, destination, from->ids_offset, to->ids_offset, 4 * tokens);
    move_column(block, destination, from->offsets_offset, to->offsets_offset, 8 * tokens);
    move_column(block, destination, from->type_ids_offset, to->type_ids_offset, 4 * tokens);
    move_column(block, destination, from->word_ids_offset, to->word_ids_offset, 4 * tokens);
    move_column(block, destination, from->sequence_ids_offset, to->sequence_ids_offset, 4 * tokens);
    move_column(block, destination, from->token_ends_offset, to->token_ends_offset, 4 * tokens);
    move_column(block, destination, from->special_mask_offset, to->special_mask_offset, tokens);
    move_column(block, destination, from->attention_mask_offset, to->attention_mask_offset, tokens);
    if (to->op == BTK_OPERATION_DECODE)
        move_column(block, destination, from->text_offset, to->text_offset, to->text_bytes);
    write_buffers(block, destination);
}

void btk_result_block_write_header(const struct btk_result_block *block, uint8_t *destination)
{
    struct btk_result_header header = block->header;
    header.magic = BTK_RESULT_MAGIC;
    header.version = BTK_RESULT_VERSION;
    memcpy(destination, &header, sizeof header);
}
