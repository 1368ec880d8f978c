// SPDX-License-Identifier: Apache-2.0
// CLIP's sequence from piece to piece, for check_words.
#pragma once

#include <string.h>

#include "kernels/pretok/words.h"

static const struct words_rules clip_rules = {
    .contraction = CONTRACTION_EXACT,
    .word = SET_L,
    .number = SET_N,
    .digits = 1,
    .other = SET_ALL & ~(SET_L | SET_N | SET_SPACE),
};

// The length of "startoftext" or "endoftext" between "<|" and "|>"; 0: not there.
static size_t clip_special_length(const struct btk_pretok *pretok, size_t position)
{
    static const char *const names[] = {"<|startoftext|>", "<|endoftext|>"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        const size_t length = strlen(names[i]);
        if (pretok->length - position >= length
            && memcmp(pretok->text + position, names[i], length) == 0)
            return length - 4;
    }
    return 0;
}

static size_t clip_add_piece(struct btk_pretok *pretok, struct btk_piece *out_piece, size_t end)
{
    *out_piece = (struct btk_piece){(uint32_t)pretok->position, (uint32_t)end};
    pretok->position = end;
    return 1;
}

static size_t clip_walk(struct btk_pretok *pretok, struct btk_piece *out_pieces, size_t capacity)
{
    size_t count = 0;
    while (count + 3 <= capacity) {
        pretok->position = walk_run_end(pretok, pretok->position, SET_SPACE);
        const size_t begin = pretok->position;
        if (begin == pretok->length) break;
        const size_t special = pretok->text[begin] == '<' ? clip_special_length(pretok, begin) : 0;
        if (!special) {
            const size_t end = words_piece_end(pretok, begin, &clip_rules);
            count += clip_add_piece(pretok, &out_pieces[count], end);
            continue;
        }
        count += clip_add_piece(pretok, &out_pieces[count], begin + 2);
        count += clip_add_piece(pretok, &out_pieces[count], begin + 2 + special);
        count += clip_add_piece(pretok, &out_pieces[count], begin + 4 + special);
    }
    return count;
}
