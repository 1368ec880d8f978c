// SPDX-License-Identifier: Apache-2.0
// Memory of encodings, and views of it.
#include "tokenizer/encodings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int btk_column_reserve(struct btk_encodings *encodings, struct btk_column *column, size_t bytes)
{
    if (bytes <= column->bytes) return 0;
    const size_t wanted = btk_max_size(bytes, column->bytes + column->bytes / 2 + 256);
    void *const data = realloc(column->data, wanted);
    if (!data) return -ENOMEM;
    *column = (struct btk_column){data, wanted};
    encodings->growth_count++;
    return 0;
}

int btk_encodings_new(struct btk_encodings **out_encodings, struct btk_error_info *out_error)
{
    struct btk_encodings *const encodings = calloc(1, sizeof *encodings);
    if (!encodings) {
        struct btk_error error;
        btk_error_set(&error, ENOMEM, BTK_NO_OFFSET, "not enough memory for encodings");
        return btk_error_export(&error, out_error);
    }
    *out_encodings = encodings;
    return 0;
}

enum { COLUMNS = 19 };

static void list_columns(const struct btk_encodings *all, struct btk_column out_columns[COLUMNS])
{
    const struct btk_column columns[] = {
        all->text,           all->raw.ids,     all->raw.offsets,
        all->raw.word_ids,   all->raw.sources, all->raw.spaces,
        all->documents,      all->entries,     all->ids,
        all->type_ids,       all->offsets,     all->word_ids,
        all->sequence_ids,   all->sources,     all->token_ends,
        all->attention_mask, all->token_text,  all->special_tokens_mask,
        all->ranges,
    };
    _Static_assert(BTK_ARRAY_COUNT(columns) == COLUMNS, "all of them");
    memcpy(out_columns, columns, sizeof columns);
}

void btk_encodings_free(struct btk_encodings **encodings)
{
    struct btk_encodings *const all = *encodings;
    struct btk_column columns[COLUMNS];
    if (!all) return;
    list_columns(all, columns);
    for (size_t i = 0; i < COLUMNS; i++) free(columns[i].data);
    free(all);
    *encodings = NULL;
}

uint64_t btk_encodings_bytes(const struct btk_encodings *encodings)
{
    struct btk_column columns[COLUMNS];
    uint64_t bytes = sizeof *encodings;
    list_columns(encodings, columns);
    for (size_t i = 0; i < COLUMNS; i++) bytes += columns[i].bytes;
    return bytes;
}

uint64_t btk_encodings_growth_count(const struct btk_encodings *encodings)
{
    return encodings->growth_count;
}

size_t btk_encodings_document_count(const struct btk_encodings *encodings)
{
    return encodings->document_count;
}

static const struct btk_document_plan *document_of(const struct btk_encodings *encodings,
                                                   size_t document)
{
    return (const struct btk_document_plan *)encodings->documents.data + document;
}

size_t btk_encodings_count(const struct btk_encodings *encodings, size_t document)
{
    return document < encodings->document_count ? document_of(encodings, document)->entry_count : 0;
}

struct btk_encoding_view btk_encodings_get(const struct btk_encodings *encodings, size_t document,
                                           size_t index)
{
    if (index >= btk_encodings_count(encodings, document)) return (struct btk_encoding_view){0};
    const struct btk_encoding_entry *const entry =
        (const struct btk_encoding_entry *)encodings->entries.data
        + document_of(encodings, document)->first_entry + index;
    const uint32_t fields = encodings->fields;
    const size_t first = entry->first;
#define COLUMN(field, name, width)                                                                 \
    (fields & (field) ? (const uint32_t *)encodings->name.data + (width)*first : NULL)
#define MASK(field, name) (fields & (field) ? (const uint8_t *)encodings->name.data + first : NULL)
    struct btk_encoding_view view = {
        .token_count = entry->count,
        .ids = COLUMN(BTK_FIELD_IDS, ids, 1),
        .type_ids = COLUMN(BTK_FIELD_TYPE_IDS, type_ids, 1),
        .offsets = COLUMN(BTK_FIELD_OFFSETS, offsets, 2),
        .word_ids = COLUMN(BTK_FIELD_WORD_IDS, word_ids, 1),
        .sequence_ids = COLUMN(BTK_FIELD_SEQUENCE_IDS, sequence_ids, 1),
        .special_tokens_mask = MASK(BTK_FIELD_SPECIAL_TOKENS_MASK, special_tokens_mask),
        .attention_mask = MASK(BTK_FIELD_ATTENTION_MASK, attention_mask),
        .token_ends = COLUMN(BTK_FIELD_TOKENS, token_ends, 1),
        .ranges = (const struct btk_sequence_range *)encodings->ranges.data + entry->first_range,
        .range_count = entry->range_count,
    };
#undef COLUMN
#undef MASK
    if (fields & BTK_FIELD_TOKENS) {
        const char *const texts = encodings->token_text.data;
        view.token_text = texts ? texts + entry->text_begin : "";
        view.token_text_end = entry->count ? view.token_ends[entry->count - 1] : 0;
    }
    return view;
}
