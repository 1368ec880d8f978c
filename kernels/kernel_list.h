// SPDX-License-Identifier: Apache-2.0
// THE list of kernels: KERNEL(result, name, (parameters)). One line here, one body in scalar/, and
// one in each instruction set that has a better one.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Which of 64 bytes are of a class: bit i is byte i. A letter, digit or space here is an ASCII one;
// bytes above 0x7f are only in `high`. space: \t \n \v \f \r and ' '. What is in none of these is
// ASCII punctuation, or behind the end.
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

// The characters that begin in a block of 64 bytes: bit i of a class is the i-th of them, whatever
// bytes it takes. So what is true of ASCII is true of all text.
struct btk_char_masks {
    uint64_t leads; // bit i: a character begins with byte i of the block
    uint64_t count; // of them; 0 only where a last block has nothing but the end of a character
    uint64_t classes[8];
};

// The kinds that char_masks tells apart: enum btk_unicode_kind, but ASCII has kinds of its own for
// all that is no number, white space or control.
enum btk_char_kind {
    BTK_CHAR_QUOTE = 23, // '\''
    BTK_CHAR_SLASH,      // '/'
    BTK_CHAR_MARK,       // all other punctuation and symbols of ASCII
    BTK_CHAR_UPPER,      // A-Z
    BTK_CHAR_LOWER,      // a-z
    BTK_CHAR_KIND_COUNT,
};
enum { BTK_CHAR_KIND_ROOM = 32 };

// utf8_copy: copies `length` bytes and returns the offset of the first invalid sequence, or
//     `length`. What stands in `out` beyond that offset is unspecified.
// utf8_valid_prefix: the same without the copy.
// ascii_prefix: the length of the run of bytes below 0x80 at the start.
// ascii_lower: copies, A-Z become a-z; other bytes stay.
// utf8_count: bytes that are not continuation bytes (0x80-0xbf): the number of code points.
// word_masks, bert_masks: one entry for each 64 bytes, (length + 63) / 64 of them; bits beyond the
//     length are 0.
// char_masks: for `blocks` blocks of a valid text, the last of which may be a part; `length` is what
//     there is of the text. A character whose kind is k is in class c when classes_of_kind[k] has
//     bit c.
// mark_offsets: where the marked characters of blocks begin, `begin` for the first byte of the first;
//     returns how many. `out_offsets` has room for 64 a block; what stands behind the last is
//     unspecified.
#define BTK_KERNEL_LIST(KERNEL)                                                                    \
    KERNEL(size_t, utf8_copy, (uint8_t * out, const uint8_t *text, size_t length))                 \
    KERNEL(size_t, utf8_valid_prefix, (const uint8_t *text, size_t length))                        \
    KERNEL(size_t, ascii_prefix, (const uint8_t *text, size_t length))                             \
    KERNEL(void, ascii_lower, (uint8_t * out, const uint8_t *text, size_t length))                 \
    KERNEL(size_t, utf8_count, (const uint8_t *text, size_t length))                               \
    KERNEL(void, word_masks,                                                                       \
           (const uint8_t *text, size_t length, struct btk_word_masks *out_masks))                 \
    KERNEL(void, bert_masks,                                                                       \
           (const uint8_t *text, size_t length, struct btk_bert_masks *out_masks))                 \
    KERNEL(void, char_masks,                                                                       \
           (const uint8_t *text, size_t length, size_t blocks,                                     \
            const uint8_t classes_of_kind[BTK_CHAR_KIND_ROOM], struct btk_char_masks *out_masks))  \
    KERNEL(size_t, mark_offsets,                                                                   \
           (const struct btk_char_masks *masks, const uint64_t *marks, size_t blocks,              \
            uint32_t begin, uint32_t *out_offsets))
