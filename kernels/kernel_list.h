// SPDX-License-Identifier: Apache-2.0
// THE list of kernels: KERNEL(result, name, (parameters)). One line here, one body in scalar/, and
// one in each instruction set that has a better one.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Which of 64 bytes are of a class: bit i is byte i. A letter, digit or space here is an ASCII one;
// bytes above 0x7f are only in `high`. space: \t \n \v \f \r and ' '.
struct btk_class_masks {
    uint64_t letter; // A-Z a-z
    uint64_t digit;
    uint64_t space;
    uint64_t blank; // ' ' alone
    uint64_t quote; // '\''
    uint64_t high;  // 0x80-0xff
};

// The same for patterns of words: what is in none of these is ASCII punctuation, or behind the end.
struct btk_word_masks {
    uint64_t letter;
    uint64_t upper; // A-Z
    uint64_t digit;
    uint64_t space;
    uint64_t control; // 0x00-0x1f and 0x7f but those in `space`
    uint64_t high;
};

// The same for BERT: punctuation is every ASCII character that is neither letter, digit, space nor
// control; control is 0x00-0x1f and 0x7f without \t \n \r.
struct btk_bert_masks {
    uint64_t space; // \t \n \r and ' '
    uint64_t punctuation;
    uint64_t control;
    uint64_t high;
};

// utf8_copy: copies `length` bytes and returns the offset of the first invalid sequence, or
//     `length`. What stands in `out` beyond that offset is unspecified.
// utf8_valid_prefix: the same without the copy.
// ascii_prefix: the length of the run of bytes below 0x80 at the start.
// ascii_lower: copies, A-Z become a-z; other bytes stay.
// utf8_count: bytes that are not continuation bytes (0x80-0xbf): the number of code points.
// class_masks, word_masks, bert_masks: one entry for each 64 bytes, (length + 63) / 64 of them; bits beyond the
//     length are 0.
#define BTK_KERNEL_LIST(KERNEL)                                                                    \
    KERNEL(size_t, utf8_copy, (uint8_t * out, const uint8_t *text, size_t length))                 \
    KERNEL(size_t, utf8_valid_prefix, (const uint8_t *text, size_t length))                        \
    KERNEL(size_t, ascii_prefix, (const uint8_t *text, size_t length))                             \
    KERNEL(void, ascii_lower, (uint8_t * out, const uint8_t *text, size_t length))                 \
    KERNEL(size_t, utf8_count, (const uint8_t *text, size_t length))                               \
    KERNEL(void, class_masks,                                                                      \
           (const uint8_t *text, size_t length, struct btk_class_masks *out_masks))                \
    KERNEL(void, word_masks,                                                                       \
           (const uint8_t *text, size_t length, struct btk_word_masks *out_masks))                 \
    KERNEL(void, bert_masks, (const uint8_t *text, size_t length, struct btk_bert_masks *out_masks))
