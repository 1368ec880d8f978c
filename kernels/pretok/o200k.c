// SPDX-License-Identifier: Apache-2.0
// The patterns of o200k's kind (pattern_list.h): a word begins where its case goes up, marks belong
// to it, and so does a contraction.
#include "kernels/pretok/words.h"

enum {
    BEFORE = SET_ALL & ~(SET_L | SET_N | SET(NEWLINE)),
    OTHER = SET_ALL & ~(SET_L | SET_N | SET_SPACE),
};

#define RULES .before = BEFORE, .number = SET_N, .other = OTHER, .is_cased = true, .newlines = true

WORDS_PATTERN(o200k, RULES, .contraction = CONTRACTION_OF_WORD_ONLY, .word = SET_L | SET_M,
              .digits = 3, .other_slash = true)
WORDS_PATTERN(tekken, RULES, .contraction = CONTRACTION_NONE, .word = SET_L | SET_M, .digits = 1,
              .other_slash = true)
WORDS_PATTERN(kimi, RULES, .contraction = CONTRACTION_OF_WORD_ONLY, .alone = SET_HAN,
              .word = (SET_L | SET_M) & ~SET_HAN, .digits = 3, .other_newline = true)
