// SPDX-License-Identifier: Apache-2.0
#include "kernels/pretok/pretok.h"

void btk_pretok_init(struct btk_pretok *pretok, const struct btk_kernels *kernels,
                     struct btk_bytes text)
{
    pretok->kernels = kernels;
    pretok->text = text.data;
    pretok->length = text.length;
    pretok->position = 0;
    pretok->word_end = 0;
    pretok->is_walking = false;
    pretok->bert = (struct btk_pretok_bert){0};
    pretok->window_begin = 0;
    pretok->window_end = 0;
    pretok->offset_index = 0;
    pretok->offset_count = 0;
    pretok->carry = (struct btk_words_carry){0};
}
