// SPDX-License-Identifier: Apache-2.0
#include "ipc/result_reader.h"

#include <errno.h>
#include <string.h>

static struct btk_result_document read_document(const struct btk_result_reader *reader,
                                                uint32_t index)
{
    struct btk_result_document document;
    const uint8_t *table = reader->block + reader->header->documents_offset;
    memcpy(&document, table + (size_t)index * sizeof document, sizeof document);
    return document;
}

int btk_result_reader_find(const struct btk_result_reader *reader, uint32_t index,
                           struct btk_result_place *out_place)
{
    const struct btk_result_header *header = reader->header;
    struct btk_result_place place = {.document = read_document(reader, index)};
    if (index > 0) place.before = read_document(reader, index - 1);
    const struct btk_result_document *document = &place.document;
    const struct btk_result_document *before = &place.before;
    if (document->token_end > header->token_count || before->token_end > document->token_end
        || document->text_end > header->text_bytes || before->text_end > document->text_end
        || document->encoding_end > header->encoding_count
        || before->encoding_end > document->encoding_end)
        return -EPROTO;
    *out_place = place;
    return 0;
}

size_t btk_result_reader_encoding_count(const struct btk_result_reader *reader,
                                        const struct btk_result_place *place)
{
    if (reader->header->encodings_offset == 0) return 1;
    return place->document.encoding_end - place->before.encoding_end;
}

static const void *column(const struct btk_result_reader *reader, uint64_t offset, uint64_t item)
{
    return offset == 0 ? NULL : reader->block + offset + item;
}

static void view_tokens(const struct btk_result_reader *reader, uint64_t begin, uint64_t end,
                        struct btk_encoding_view *view)
{
    const struct btk_result_header *header = reader->header;
    *view = (struct btk_encoding_view){
        .token_count = (size_t)(end - begin),
        .ids = column(reader, header->ids_offset, 4 * begin),
        .offsets = column(reader, header->offsets_offset, 8 * begin),
        .type_ids = column(reader, header->type_ids_offset, 4 * begin),
        .word_ids = column(reader, header->word_ids_offset, 4 * begin),
        .sequence_ids = column(reader, header->sequence_ids_offset, 4 * begin),
        .special_tokens_mask = column(reader, header->special_mask_offset, begin),
        .attention_mask = column(reader, header->attention_mask_offset, begin),
    };
    if (header->token_ends_offset == 0 || header->token_text_offset == 0) return;
    view->token_ends = column(reader, header->token_ends_offset, 4 * begin);
    view->token_text = column(reader, header->token_text_offset, 0);
    view->token_text_end = (uint32_t)header->token_text_bytes;
    if (begin > 0)
        memcpy(&view->token_text_begin, view->token_ends - 1, sizeof view->token_text_begin);
}

static uint64_t read_encoding_end(const struct btk_result_reader *reader, uint64_t index)
{
    uint64_t end;
    memcpy(&end, reader->block + reader->header->encodings_offset + index * sizeof end, sizeof end);
    return end;
}

int btk_result_reader_encoding(const struct btk_result_reader *reader,
                               const struct btk_result_place *place, size_t index,
                               struct btk_encoding_view *out_view)
{
    uint64_t begin = place->before.token_end;
    uint64_t end = place->document.token_end;
    if (index >= btk_result_reader_encoding_count(reader, place)) return -EINVAL;
    if (reader->header->encodings_offset != 0) {
        const uint64_t first = place->before.encoding_end;
        if (index > 0) begin = read_encoding_end(reader, first + index - 1);
        end = read_encoding_end(reader, first + index);
    }
    if (begin < place->before.token_end || begin > end || end > place->document.token_end)
        return -EPROTO;
    view_tokens(reader, begin, end, out_view);
    return 0;
}

struct btk_bytes btk_result_reader_text(const struct btk_result_reader *reader,
                                        const struct btk_result_place *place)
{
    const uint64_t begin = place->before.text_end;
    return (struct btk_bytes){column(reader, reader->header->text_offset, begin),
                              (size_t)(place->document.text_end - begin)};
}
