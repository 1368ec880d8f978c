// SPDX-License-Identifier: Apache-2.0
// The patterns of cl100k's kind (pattern_list.h): letters without regard to case, with any one
// character before them that is no letter, number or newline.
#include "kernels/pretok/words.h"

enum {
    BEFORE = SET_ALL & ~(SET_L | SET_N | SET(NEWLINE)),
    OTHER = SET_ALL & ~(SET_L | SET_N | SET_SPACE),
};

#define RULES  .before = BEFORE, .word = SET_L, .number = SET_N, .other = OTHER, .newlines = true
#define CL100K RULES, .contraction = CONTRACTION_ANY_CASE, .digits = 3, .other_newline = true

WORDS_PATTERN(cl100k, CL100K)
WORDS_PATTERN(cl100k_base, CL100K, .all_at_the_end = true)
WORDS_PATTERN(cl100k_long_numbers, RULES, .contraction = CONTRACTION_ANY_CASE, .digits = 0,
              .other_newline = true)
WORDS_PATTERN(cl100k_base_long_numbers, RULES, .contraction = CONTRACTION_ANY_CASE, .digits = 0,
              .other_newline = true, .all_at_the_end = true)
// Numbers are cut out before.
WORDS_PATTERN(minicpm5, CL100K, .barrier = SET_N)
WORDS_PATTERN(qwen2, RULES, .contraction = CONTRACTION_ANY_CASE, .digits = 1, .other_newline = true)
WORDS_PATTERN(qwen2_without_contractions, RULES, .contraction = CONTRACTION_NONE, .digits = 1,
              .other_newline = true)
WORDS_PATTERN(seed_coder, RULES, .contraction = CONTRACTION_ANY_CASE, .digits = 1)
WORDS_PATTERN(qwen35, .contraction = CONTRACTION_ANY_CASE, .before = BEFORE, .word = SET_L | SET_M,
              .number = SET_N, .digits = 1, .other = OTHER & ~SET_M, .other_newline = true,
              .newlines = true)
