// SPDX-License-Identifier: Apache-2.0
#include "kernels/pretok/word_starts.h"
#include "kernels/pretok/words_list.h"

#define MEMBER(name, words, numbers, alones, ...)                                                  \
    size_t btk_pretok_##name##_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,       \
                                    size_t capacity)                                               \
    {                                                                                              \
        static const struct words_rules rules = {                                                  \
            .word = (words), .number = (numbers), .alone = (alones), __VA_ARGS__};                 \
        static const uint8_t classes[BTK_CHAR_KIND_ROOM] = WORDS_CLASSES(words, numbers, alones);  \
        return words_next(pretok, out_pieces, capacity, &rules, classes, words_block_starts);      \
    }
WORDS_LIST(MEMBER)
