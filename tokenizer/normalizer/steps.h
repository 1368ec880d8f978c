// SPDX-License-Identifier: Apache-2.0
// The normalizer's steps as they stand in an image (NORMALIZER_STEPS, STEP_DATA).
//
// A component of the file is one step or several: a Sequence is its members, BertNormalizer is its
// four parts, Nmt a filter and a map. So each step is one call of the reference's transform().
#pragma once

#include "common/error.h"
#include "tokenizer/image.h"

// STEP(NAME, function): THE list of steps. What stands in their numbers and data:
//
//     FILTER       numbers[0]: enum btk_normalizer_set, which characters are removed
//     MAP          numbers[0]: enum btk_normalizer_set, which become a space
//     CHINESE      spaces around Chinese characters, as BertNormalizer has it
//     LOWERCASE
//     FORM         flags: set of enum btk_normalizer_form
//     STRIP        flags: set of enum btk_normalizer_side
//     PREPEND      data: the text
//     REPLACE      numbers[0]: length of the pattern; data: pattern, content
//     REPLACE_ALL  the same, the pattern is a regular expression (tokenizer/regex.h); numbers[1]: bytes
//                  that a match has at the least
//     REPLACE_BEGIN  data: what stands before the text then, unless that is empty
//     REPLACE_RUN  numbers[0]: 0; numbers[1]: enum btk_normalizer_set, of which a run of numbers[2]
//                  characters or more is replaced; data: the content
//     BYTE_LEVEL   bytes as characters (tokenizer/byte_alphabet.h)
//     PRECOMPILED  numbers[0]: units of the double array; numbers[1]: bytes that one byte becomes
//                  at most, numbers[2]: the same where the text is in NFKD; data: uint32_t units,
//                  then texts, each ends with a NUL
//     SENTENCEPIECE  flags: set of enum btk_normalizer_spaces; numbers[0], [1] as PRECOMPILED;
//                  numbers[2]: user-defined symbols; data: units, uint32_t ends of the symbols, their
//                  texts, sorted, then those of the charsmap
//     REPLACE_SET  each character of a set; numbers[0]: bytes of the set (tokenizer/code_map.h), of which
//                  numbers[2] are its pages; numbers[1]: bytes that a character of it has at the
//                  least; data: the set, content
#define BTK_NORMALIZER_LIST(STEP)                                                                  \
    STEP(FILTER, filter)                                                                           \
    STEP(MAP, map)                                                                                 \
    STEP(CHINESE, chinese)                                                                         \
    STEP(LOWERCASE, lowercase)                                                                     \
    STEP(FORM, form)                                                                               \
    STEP(STRIP, strip)                                                                             \
    STEP(PREPEND, prepend)                                                                         \
    STEP(REPLACE, replace)                                                                         \
    STEP(REPLACE_ALL, replace_all)                                                                 \
    STEP(REPLACE_RUN, replace_run)                                                                 \
    STEP(REPLACE_BEGIN, replace_begin)                                                             \
    STEP(BYTE_LEVEL, byte_level)                                                                   \
    STEP(PRECOMPILED, precompiled)                                                                 \
    STEP(SENTENCEPIECE, sentencepiece)                                                             \
    STEP(REPLACE_SET, replace_set)

enum btk_normalizer_step {
#define STEP(NAME, function) BTK_NORMALIZER_STEP_##NAME,
    BTK_NORMALIZER_LIST(STEP)
#undef STEP
        BTK_NORMALIZER_STEP_COUNT
};

enum btk_normalizer_set {
    BTK_NORMALIZER_BERT_CONTROL,
    BTK_NORMALIZER_BERT_MN,
    BTK_NORMALIZER_WHITESPACE,
    BTK_NORMALIZER_MARK,
    BTK_NORMALIZER_NMT_CONTROL,
    BTK_NORMALIZER_NMT_SPACE,
    BTK_NORMALIZER_BLANK,       // U+0020
    BTK_NORMALIZER_REGEX_SPACE, // \s of regular expressions
    BTK_NORMALIZER_SET_COUNT
};

bool btk_normalizer_set_has(enum btk_normalizer_set set, uint32_t code_point);

enum btk_normalizer_form { BTK_NORMALIZER_COMPOSES = 1 << 0, BTK_NORMALIZER_COMPATIBLE = 1 << 1 };
enum btk_normalizer_side { BTK_NORMALIZER_LEFT = 1 << 0, BTK_NORMALIZER_RIGHT = 1 << 1 };

enum btk_normalizer_spaces {
    BTK_NORMALIZER_ADDS_SPACE = 1 << 0,
    BTK_NORMALIZER_REMOVES_SPACES = 1 << 1,
    BTK_NORMALIZER_ESCAPES_SPACES = 1 << 2,
    BTK_NORMALIZER_SPACE_IS_SUFFIX = 1 << 3,
    BTK_NORMALIZER_KEEPS_MARKS = 1 << 4, // U+2581 of the source stays at the end of the text
};

// Is all of it sound, for what runs the steps? -EPROTO.
BTK_MUST_USE int btk_normalizer_check(const struct btk_image *image, struct btk_error *error);

// The bytes that a text of source_bytes bytes has at most when it is normalized; SIZE_MAX: any.
size_t btk_normalizer_bound(const struct btk_image *image, size_t source_bytes);
