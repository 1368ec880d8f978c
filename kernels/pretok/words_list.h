// SPDX-License-Identifier: Apache-2.0
// The members of the family of words.h: MEMBER(name, words, numbers, alone, rules). All but these three
// sets is white space or `other`; what is alone may be `other` or a number, too, behind such. pattern_list.h says what each is.
#pragma once

#include "kernels/pretok/words.h"

// As the pre-tokenizer Digits has it.
enum { WORDS_DIGITS = SET_N | SET(NEW_NUMBER) };

#define WORDS_OTHER(words, numbers) .other = SET_ALL & ~((words) | (numbers) | SET_SPACE)

// cl100k's kind: letters without regard to case, with any one character before them that is no
// letter, number or newline.
#define WORDS_CL100K                                                                               \
    WORDS_OTHER(SET_L, SET_N), .before = SET_ALL & ~(SET_L | SET_N | SET(NEWLINE)), .newlines = true
#define WORDS_CL100K_WHOLE WORDS_CL100K, .contraction = CONTRACTION_ANY_CASE, .other_newline = true

// o200k's kind: a word begins where its case goes up, marks belong to it, and so does a contraction.
#define WORDS_O200K WORDS_CL100K, .is_cased = true, .other_slash = true

#define WORDS_LIST(MEMBER)                                                                         \
    MEMBER(gpt2, SET_L, SET_N, 0, WORDS_OTHER(SET_L, SET_N), .contraction = CONTRACTION_EXACT,     \
           .before = SET(BLANK), .blank_before_number = true)                                      \
    MEMBER(cl100k, SET_L, SET_N, 0, WORDS_CL100K_WHOLE, .digits = 3)                               \
    MEMBER(cl100k_base, SET_L, SET_N, 0, WORDS_CL100K_WHOLE, .digits = 3, .all_at_the_end = true)  \
    MEMBER(cl100k_long_numbers, SET_L, SET_N, 0, WORDS_CL100K_WHOLE)                               \
    MEMBER(cl100k_base_long_numbers, SET_L, SET_N, 0, WORDS_CL100K_WHOLE, .all_at_the_end = true)  \
    MEMBER(minicpm5, SET_L, SET_N, 0, WORDS_CL100K_WHOLE, .digits = 3, .barrier = SET_N)           \
    MEMBER(qwen2, SET_L, SET_N, 0, WORDS_CL100K_WHOLE, .digits = 1)                                \
    MEMBER(qwen2_without_contractions, SET_L, SET_N, 0, WORDS_CL100K, .digits = 1,                 \
           .other_newline = true)                                                                  \
    MEMBER(seed_coder, SET_L, SET_N, 0, WORDS_CL100K, .contraction = CONTRACTION_ANY_CASE,         \
           .digits = 1)                                                                            \
    MEMBER(qwen35, SET_L | SET_M, SET_N, 0, WORDS_OTHER(SET_L | SET_M, SET_N),                     \
           .before = SET_ALL & ~(SET_L | SET_N | SET(NEWLINE)),                                    \
           .contraction = CONTRACTION_ANY_CASE, .digits = 1, .other_newline = true,                \
           .newlines = true)                                                                       \
    MEMBER(o200k, SET_L | SET_M, SET_N, 0, WORDS_O200K, .contraction = CONTRACTION_OF_WORD_ONLY,   \
           .digits = 3)                                                                            \
    MEMBER(tekken, SET_L | SET_M, SET_N, 0, WORDS_O200K, .digits = 1)                              \
    MEMBER(kimi, (SET_L | SET_M) & ~SET_HAN, SET_N, SET_HAN, WORDS_CL100K, .is_cased = true,       \
           .contraction = CONTRACTION_OF_WORD_ONLY, .digits = 3, .other_newline = true)            \
    MEMBER(starcoder, SET_L, WORDS_DIGITS, 0, WORDS_OTHER(SET_L, WORDS_DIGITS),                    \
           .contraction = CONTRACTION_EXACT, .before = SET(BLANK), .digits = 1,                    \
           .barrier = WORDS_DIGITS)
