// SPDX-License-Identifier: Apache-2.0
// StarCoder's sequence (pattern_sources.h): each number is cut out, then the GPT-2 pattern cuts what
// is left, as if each piece were a text.
#include "kernels/pretok/words.h"

enum {
    NUMBER = SET_N | SET(NEW_NUMBER), // as the pre-tokenizer Digits has it
};

WORDS_PATTERN(starcoder, .contraction = CONTRACTION_EXACT, .before = SET(BLANK), .word = SET_L,
              .number = NUMBER, .digits = 1, .other = SET_ALL & ~(SET_L | NUMBER | SET_SPACE),
              .barrier = NUMBER)
