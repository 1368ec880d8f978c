// SPDX-License-Identifier: Apache-2.0
#include "worker/result_block.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { COLUMN_ALIGNMENT = 8 };

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
    if (header->op == BTK_OPERATION_DECODE) {
        header->text_offset = place(&at, header->text_bytes);
    } else {
        const bool has_tokens = (fields & BTK_FIELD_TOKENS) != 0;
        header->ids_offset = place(&at, 4 * tokens);
        header->offsets_offset = place_if(&at, 8 * tokens, (fields & BTK_FIELD_OFFSETS) != 0);
        header->type_ids_offset = place_if(&at, 4 * tokens, (fields & BTK_FIELD_TYPE_IDS) != 0);
        header->word_ids_offset = place_if(&at, 4 * tokens, (fields & BTK_FIELD_WORD_IDS) != 0);
        header->token_ends_offset = place_if(&at, 4 * tokens, has_tokens);
        header->special_mask_offset =
            place_if(&at, tokens, (fields & BTK_FIELD_SPECIAL_TOKENS_MASK) != 0);
        header->token_text_offset = place_if(&at, header->token_text_bytes, has_tokens);
    }
    header->block_bytes = at;
}

static uint64_t item_bytes(const struct btk_result_header *header)
{
    if (header->op == BTK_OPERATION_DECODE) return 1;
    uint64_t bytes = 4;
    if ((header->fields & BTK_FIELD_OFFSETS) != 0) bytes += 8;
    if ((header->fields & BTK_FIELD_TYPE_IDS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_WORD_IDS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_TOKENS) != 0) bytes += 4;
    if ((header->fields & BTK_FIELD_SPECIAL_TOKENS_MASK) != 0) bytes += 1;
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
        .fields = header->fields & BTK_RESULT_FIELDS_STORED,
        .document_count = header->document_count,
    };
    set_count(&bound, count);
    lay_out(&bound);
    return bound.block_bytes;
}

int btk_result_block_open(struct btk_result_block *block, const struct btk_result_header *header,
                          const struct btk_result_room *room, struct btk_buffer *token_text)
{
    struct btk_result_header open = {
        .op = header->op,
        .fields = header->fields & BTK_RESULT_FIELDS_STORED,
        .document_count = header->document_count,
    };
    lay_out(&open);
    if (open.block_bytes > room->bytes || open.block_bytes > room->limit_bytes) return -ENOBUFS;
    *block = (struct btk_result_block){.header = open, .room = *room, .token_text = token_text};
    // Padding between the columns may cost a token or two.
    block->capacity = (room->bytes - open.block_bytes) / item_bytes(&open);
    for (;; block->capacity--) {
        set_count(&open, block->capacity);
        lay_out(&open);
        if (open.block_bytes <= room->bytes || block->capacity == 0) break;
    }
    block->open = open;
    token_text->length = 0;
    return 0;
}

static void *column(const struct btk_result_block *block, uint64_t offset, uint64_t item)
{
    if (offset == 0) return NULL;
    return block->room.base + offset + get_count(&block->header) * item;
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
        .detail = detail,
    };
    uint8_t *table = block->room.base + block->open.documents_offset;
    memcpy(table + block->documents_done * sizeof document, &document, sizeof document);
    block->documents_done++;
}

void btk_result_block_end(struct btk_result_block *block, uint64_t count)
{
    struct btk_result_header next = block->header;
    assert(count <= block->capacity - get_count(&next));
    set_count(&next, get_count(&next) + count);
    next.token_text_bytes = block->token_text->length;
    lay_out(&next);
    block->is_full = next.block_bytes > block->room.limit_bytes;
    if (block->is_full) return;
    block->header = next;
    write_document(block, BTK_STATUS_OK, 0);
}

void btk_result_block_fail(struct btk_result_block *block, uint32_t status, uint64_t detail)
{
    block->token_text->length = block->header.token_text_bytes;
    block->document_errors++;
    write_document(block, status, detail);
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
    memmove(destination + to, source, bytes);
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
    move_column(block, destination, from->text_offset, to->text_offset, to->text_bytes);
    move_column(block, destination, from->ids_offset, to->ids_offset, 4 * tokens);
    move_column(block, destination, from->offsets_offset, to->offsets_offset, 8 * tokens);
    move_column(block, destination, from->type_ids_offset, to->type_ids_offset, 4 * tokens);
    move_column(block, destination, from->word_ids_offset, to->word_ids_offset, 4 * tokens);
    move_column(block, destination, from->token_ends_offset, to->token_ends_offset, 4 * tokens);
    move_column(block, destination, from->special_mask_offset, to->special_mask_offset, tokens);
    if (to->token_text_bytes > 0)
        memcpy(destination + to->token_text_offset, block->token_text->data, to->token_text_bytes);
}

void btk_result_block_write_header(const struct btk_result_block *block, uint8_t *destination)
{
    struct btk_result_header header = block->header;
    header.magic = BTK_RESULT_MAGIC;
    header.version = BTK_RESULT_VERSION;
    memcpy(destination, &header, sizeof header);
}
