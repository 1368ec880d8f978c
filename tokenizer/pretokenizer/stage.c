// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/pretokenizer/stage.h"

#include <errno.h>
#include <stdlib.h>

#include "tokenizer/engine.h"

bool btk_piece_list_grow(struct btk_piece_list *list)
{
    const size_t capacity = 2 * list->capacity;
    struct btk_piece *const pieces = realloc(list->pieces, capacity * sizeof *pieces);
    if (!pieces) {
        list->is_out_of_memory = true;
        return false;
    }
    list->pieces = pieces;
    list->capacity = capacity;
    list->spill_count++;
    return true;
}

static int grow_maps(struct btk_stage_text *text, size_t capacity)
{
    free(text->begins);
    free(text->ends);
    text->maps_capacity = 0;
    text->begins = malloc(capacity * sizeof *text->begins);
    text->ends = malloc(capacity * sizeof *text->ends);
    if (!text->begins || !text->ends) return -ENOMEM;
    text->maps_capacity = capacity;
    return 0;
}

void btk_stage_text_clear(struct btk_stage_text *text)
{
    free(text->text);
    free(text->begins);
    free(text->ends);
    *text = (struct btk_stage_text){.spill_count = text->spill_count};
}

int btk_stage_text_reset(struct btk_stage_text *text, size_t bytes, bool has_maps)
{
    if (bytes > UINT32_MAX) return -E2BIG; // pieces are 32 bits
    text->length = 0;
    if (bytes > text->capacity) {
        const size_t capacity = btk_max_size(bytes, BTK_STAGE_FIRST_TEXT_BYTES);
        free(text->text);
        text->capacity = 0;
        text->text = malloc(capacity + BTK_READ_SLACK_BYTES);
        if (!text->text) return -ENOMEM;
        text->capacity = capacity;
        text->spill_count++;
    }
    return has_maps && text->maps_capacity < text->capacity ? grow_maps(text, text->capacity) : 0;
}

// As the reference's NormalizedString::split() folds them: Contiguous joins neighbours of one kind;
// the other two join a match that does not stand beside a match to the piece before it or behind it.
void btk_splitter_join(struct btk_splitter *splitter, size_t begin, size_t end, bool is_match)
{
    const bool was_match = splitter->was_match;
    bool joins = splitter->has_pending;
    switch (splitter->behavior) {
    case BTK_SPLIT_CONTIGUOUS: joins &= is_match == was_match; break;
    case BTK_SPLIT_MERGED_WITH_PREVIOUS: joins &= is_match && !was_match; break;
    default: joins &= was_match && !is_match; break;
    }
    if (!joins) {
        if (splitter->has_pending)
            btk_piece_list_push(splitter->out, splitter->pending_begin, splitter->pending_end);
        splitter->pending_begin = begin;
    }
    splitter->pending_end = end;
    splitter->has_pending = true;
    splitter->was_match = is_match;
}
