// SPDX-License-Identifier: Apache-2.0
// Kimi's pattern (pattern_list.h): o200k's, but runs of Han characters come first. Some of these are
// also numbers, marks or symbols, and part of what began before them: a piece at a time.
#include "kernels/pretok/words.h"

WORDS_WALK(btk_pretok_kimi_next, .contraction = CONTRACTION_OF_WORD_ONLY, .alone = SET_HAN,
           .before = SET_ALL & ~(SET_L | SET_N | SET(NEWLINE)), .word = (SET_L | SET_M) & ~SET_HAN,
           .number = SET_N, .other = SET_ALL & ~(SET_L | SET_N | SET_SPACE), .digits = 3,
           .is_cased = true, .newlines = true, .other_newline = true)
