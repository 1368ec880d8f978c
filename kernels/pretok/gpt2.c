// SPDX-License-Identifier: Apache-2.0
// What GPT-2's pattern (words_list.h) does behind a space that is not in the text.
#include "kernels/pretok/walk.h"

bool btk_pretok_gpt2_first_after_space(struct btk_pretok *pretok, struct btk_piece *out_piece)
{
    static const uint32_t sets[] = {SET_L, SET_N, SET_SPACE};
    size_t length;
    const enum btk_unicode_kind kind = walk_kind_at(pretok, 0, &length);
    uint32_t set = SET_ALL & ~(SET_L | SET_N | SET_SPACE);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(sets); i++)
        if (set_has(sets[i], kind)) set = sets[i];
    size_t end = walk_run_end(pretok, length, set);
    if (set == SET_SPACE && end < pretok->length) end = walk_back(pretok, end);
    *out_piece = (struct btk_piece){0, (uint32_t)end};
    return end > 0;
}
