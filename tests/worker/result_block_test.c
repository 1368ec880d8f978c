// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "worker/result_block.h"

enum { ROOM_BYTES = 1 << 16, TOKENS = 100 };

static _Alignas(64) uint8_t room_memory[ROOM_BYTES];
static _Alignas(64) uint8_t other_memory[ROOM_BYTES];
static struct btk_result_buffers buffers;

static void open_block(struct btk_result_block *block, uint32_t op, uint32_t fields, uint64_t bytes)
{
    const struct btk_result_header header = {.op = op, .fields = fields, .document_count = 2};
    const struct btk_result_room room = {room_memory, bytes, bytes};
    memset(room_memory, 0xee, sizeof room_memory);
    cr_assert_eq(btk_result_block_open(block, &header, &room, &buffers), 0);
}

// A document whose numbers tell where they belong.
static void add_document(struct btk_result_block *block, uint32_t first, uint32_t count)
{
    struct btk_encoding tail;
    btk_result_block_tail(block, &tail);
    uint32_t *ends = btk_result_block_token_ends(block);
    cr_assert_geq(tail.capacity, count);
    for (uint32_t i = 0; i < count; i++) {
        tail.ids[i] = first + i;
        if (tail.offsets != NULL) tail.offsets[2 * i] = tail.offsets[2 * i + 1] = first + i;
        if (tail.type_ids != NULL) tail.type_ids[i] = 1000 + first + i;
        if (tail.word_ids != NULL) tail.word_ids[i] = 2000 + first + i;
        if (tail.special_tokens_mask != NULL) tail.special_tokens_mask[i] = (uint8_t)(first + i);
        if (ends == NULL) continue;
        cr_assert_eq(btk_buffer_append(&buffers.token_text, "ab", 2), 0);
        ends[i] = (uint32_t)buffers.token_text.length;
    }
    btk_result_block_end(block, count);
}

static struct btk_result_header write_block(struct btk_result_block *block, uint8_t *destination)
{
    struct btk_result_header header;
    struct btk_error error = {0};
    btk_result_block_write(block, destination);
    btk_result_block_write_header(block, destination);
    memcpy(&header, destination, sizeof header);
    cr_assert_eq(btk_result_header_check(&header, btk_result_block_bytes(block), &error), 0, "%s",
                 error.message);
    return header;
}

static uint32_t number_at(const uint8_t *block, uint64_t offset, uint32_t index)
{
    uint32_t number;
    memcpy(&number, block + offset + 4 * (uint64_t)index, sizeof number);
    return number;
}

static void check_columns(const uint8_t *block, const struct btk_result_header *header)
{
    for (uint32_t i = 0; i < TOKENS; i++) {
        cr_assert_eq(number_at(block, header->ids_offset, i), i);
        if (header->offsets_offset != 0)
            cr_assert_eq(number_at(block, header->offsets_offset, 2 * i + 1), i);
        if (header->type_ids_offset != 0)
            cr_assert_eq(number_at(block, header->type_ids_offset, i), 1000 + i);
        if (header->word_ids_offset != 0)
            cr_assert_eq(number_at(block, header->word_ids_offset, i), 2000 + i);
        if (header->special_mask_offset != 0)
            cr_assert_eq(block[header->special_mask_offset + i], i);
        if (header->token_ends_offset != 0)
            cr_assert_eq(number_at(block, header->token_ends_offset, i), 2 * (i + 1));
    }
}

Test(result_block, every_set_of_fields_passes_the_reader_s_check_and_keeps_its_columns)
{
    for (uint32_t fields = 0; fields <= BTK_FIELDS_ALL; fields++) {
        struct btk_result_block block;
        open_block(&block, BTK_OPERATION_ENCODE, fields, ROOM_BYTES);
        add_document(&block, 0, 60);
        add_document(&block, 60, TOKENS - 60);
        uint8_t *destination = fields % 2 == 0 ? room_memory : other_memory;
        const struct btk_result_header header = write_block(&block, destination);
        cr_assert_eq(header.token_count, TOKENS);
        cr_assert_eq(header.fields, fields | BTK_FIELD_IDS);
        cr_assert_eq((header.token_text_offset != 0), ((fields & BTK_FIELD_TOKENS) != 0));
        check_columns(destination, &header);
    }
}

Test(result_block, ids_alone_stay_where_they_were_written)
{
    struct btk_result_block block;
    open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELD_IDS, ROOM_BYTES);
    struct btk_encoding tail;
    btk_result_block_tail(&block, &tail);
    add_document(&block, 0, 3);
    btk_result_block_fail(&block, BTK_STATUS_INVALID_UTF8, 17, NULL);
    const struct btk_result_header header = write_block(&block, room_memory);
    cr_assert_eq((const uint8_t *)tail.ids, room_memory + header.ids_offset);
}

Test(result_block, a_failed_document_has_no_tokens_and_says_where)
{
    struct btk_result_block block;
    struct btk_result_document documents[2];
    open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELD_TOKENS, ROOM_BYTES);
    cr_assert_eq(btk_buffer_append(&buffers.token_text, "left over", 9), 0);
    btk_result_block_fail(&block, BTK_STATUS_INVALID_UTF8, 17, NULL);
    add_document(&block, 0, 5);
    const struct btk_result_header header = write_block(&block, room_memory);
    memcpy(documents, room_memory + header.documents_offset, sizeof documents);
    cr_assert_eq(documents[0].token_end, 0);
    cr_assert_eq(documents[0].status, BTK_STATUS_INVALID_UTF8);
    cr_assert_eq(documents[0].detail, 17);
    cr_assert_eq(documents[1].token_end, 5);
    cr_assert_eq(header.token_text_bytes, 10);
    cr_assert_eq(block.document_errors, 1);
}

Test(result_block, never_writes_behind_its_room_and_uses_all_of_it)
{
    for (uint64_t bytes = 320; bytes < 700; bytes += 4) {
        struct btk_result_block block;
        open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELD_IDS | BTK_FIELD_SPECIAL_TOKENS_MASK,
                   bytes);
        const uint32_t capacity = (uint32_t)block.capacity;
        add_document(&block, 0, capacity);
        cr_assert(!block.is_full);
        add_document(&block, 0, 0);
        cr_assert_leq(write_block(&block, room_memory).block_bytes, bytes);
        for (uint64_t i = bytes; i < bytes + 64; i++) cr_assert_eq(room_memory[i], 0xee);
        const struct btk_result_header header = block.header;
        cr_assert_gt(btk_result_block_bound(&header, capacity + 2), bytes & ~UINT64_C(7));
    }
}

Test(result_block, is_full_when_the_text_of_tokens_outgrows_the_limit)
{
    struct btk_result_block block;
    open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELD_TOKENS, 1024);
    add_document(&block, 0, 2);
    cr_assert(!block.is_full);
    const struct btk_result_header before = block.header;
    char text[1024] = {0};
    cr_assert_eq(btk_buffer_append(&buffers.token_text, text, sizeof text), 0);
    btk_result_block_end(&block, 1);
    cr_assert(block.is_full);
    cr_assert_eq(memcmp(&before, &block.header, sizeof before), 0);
}

// Encodings of one token less each time, whose numbers tell where they belong.
static void add_encodings(struct btk_result_block *block, uint32_t first, uint32_t count)
{
    static const uint32_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t masks[] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const uint32_t ends[] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (uint32_t i = 0; i < count; i++) {
        const struct btk_encoding_view view = {
            .token_count = count - i,
            .ids = numbers + first,
            .offsets = numbers,
            .type_ids = numbers,
            .word_ids = numbers,
            .sequence_ids = numbers + first,
            .special_tokens_mask = masks,
            .attention_mask = masks + 1,
            .token_ends = ends,
            .token_text = "abcdefgh",
            .token_text_end = count - i,
        };
        cr_assert_eq(btk_result_block_add_encoding(block, &view), 0);
    }
}

Test(result_block, a_document_has_as_many_encodings_as_were_added)
{
    struct btk_result_block block;
    struct btk_result_document documents[2];
    uint64_t ends[4];
    open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELDS_ALL, ROOM_BYTES);
    add_encodings(&block, 1, 3);
    btk_result_block_end(&block, 0);
    add_encodings(&block, 5, 1);
    btk_result_block_end(&block, 0);
    const struct btk_result_header header = write_block(&block, other_memory);
    memcpy(documents, other_memory + header.documents_offset, sizeof documents);
    memcpy(ends, other_memory + header.encodings_offset, sizeof ends);
    cr_assert_eq(header.encoding_count, 4);
    cr_assert_eq(documents[0].encoding_end, 3);
    cr_assert_eq(documents[1].encoding_end, 4);
    cr_assert(ends[0] == 3 && ends[1] == 5 && ends[2] == 6 && ends[3] == 7);
    cr_assert_eq(number_at(other_memory, header.ids_offset, 3), 1);
    cr_assert_eq(number_at(other_memory, header.sequence_ids_offset, 6), 5);
    cr_assert_eq(other_memory[header.attention_mask_offset + 4], 2);
    cr_assert_eq(number_at(other_memory, header.token_ends_offset, 3), 4);
    cr_assert_arr_eq(other_memory + header.token_text_offset, "abcabaa", 7);
}

Test(result_block, what_was_added_to_a_document_that_fails_is_forgotten_and_its_message_kept)
{
    struct btk_result_block block;
    struct btk_result_document documents[2];
    open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELDS_ALL, ROOM_BYTES);
    add_encodings(&block, 1, 3);
    btk_result_block_fail(&block, BTK_STATUS_MALFORMED, 0, "no pair");
    add_encodings(&block, 5, 1);
    btk_result_block_end(&block, 0);
    const struct btk_result_header header = write_block(&block, room_memory);
    memcpy(documents, room_memory + header.documents_offset, sizeof documents);
    cr_assert_eq(header.encoding_count, 1);
    cr_assert_eq(header.token_count, 1);
    cr_assert_eq(documents[0].text_end, 7);
    cr_assert_eq(documents[1].text_end, 7);
    cr_assert_arr_eq(room_memory + header.text_offset, "no pair", 7);
    cr_assert_eq(number_at(room_memory, header.ids_offset, 0), 5);
}

Test(result_block, encodings_that_do_not_fit_make_the_block_full)
{
    struct btk_result_block block;
    open_block(&block, BTK_OPERATION_ENCODE, BTK_FIELD_IDS, 336);
    add_encodings(&block, 0, 3);
    cr_assert(block.is_full);
}

Test(result_block, long_copies_show_that_they_go_on)
{
    enum { COUNT = 1 << 20, WINDOWS = COUNT * sizeof(uint32_t) / (256 * 1024) };
    static struct btk_worker_page page;
    static uint32_t ids[COUNT];
    const size_t bytes = sizeof ids + 4096;
    uint8_t *const room = malloc(bytes), *const copy = malloc(bytes);
    const struct btk_result_header wanted = {
        .op = BTK_OPERATION_ENCODE, .fields = BTK_FIELD_IDS, .document_count = 1};
    const struct btk_encoding_view view = {.token_count = COUNT, .ids = ids};
    struct btk_result_block block;
    for (uint32_t i = 0; i < COUNT; i++) ids[i] = i;
    cr_assert_eq(btk_result_block_open(&block, &wanted,
                                       &(struct btk_result_room){room, bytes, bytes, &page},
                                       &buffers),
                 0);
    cr_assert_eq(btk_result_block_add_encoding(&block, &view), 0);
    cr_assert_geq(btk_worker_page_get(&page.progress), WINDOWS - 1);
    btk_result_block_end(&block, 0);
    const struct btk_result_header header = write_block(&block, copy);
    cr_assert_geq(btk_worker_page_get(&page.progress), 2 * (WINDOWS - 1));
    cr_assert_eq(memcmp(copy + header.ids_offset, ids, sizeof ids), 0);
    free(copy);
    free(room);
}

Test(result_block, open_refuses_a_room_without_space_for_the_documents)
{
    struct btk_result_block block;
    const struct btk_result_header header = {.op = BTK_OPERATION_ENCODE, .document_count = 2};
    const struct btk_result_room room = {room_memory, 319, 319};
    cr_assert_eq(btk_result_block_open(&block, &header, &room, &buffers), -ENOBUFS);
}

Test(result_block, decoded_text_stands_behind_the_documents)
{
    struct btk_result_block block;
    uint64_t room_bytes = 0;
    open_block(&block, BTK_OPERATION_DECODE, 0, 400);
    memcpy(btk_result_block_text(&block, &room_bytes), "abc", 3);
    cr_assert_eq(room_bytes, 400 - 256 - 64);
    btk_result_block_end(&block, 3);
    memcpy(btk_result_block_text(&block, &room_bytes), "de", 2);
    cr_assert_eq(room_bytes, 400 - 256 - 64 - 3);
    btk_result_block_end(&block, 2);
    const struct btk_result_header header = write_block(&block, room_memory);
    cr_assert_eq(header.text_bytes, 5);
    cr_assert_eq(memcmp(room_memory + header.text_offset, "abcde", 5), 0);
}
