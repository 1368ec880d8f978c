// SPDX-License-Identifier: Apache-2.0
// The kind of each code point: what the patterns that split texts can tell apart, so that each class
// in such a pattern is a set of kinds, one bit each.
//
// Oniguruma (tokenizer.json) and Rust's fancy-regex (.tiktoken) were asked for every code point and
// agree. tools/dev/unicode makes the tables.
#pragma once

#include <stdint.h>

// "Han" is \p{Han}; "common" of them is U+4E00 to U+9FA5. "Kana" is U+3040 to U+30FF, with all that
// stands there.
enum btk_unicode_kind {
    BTK_KIND_OTHER,       // controls but spaces, Cf, Co, unassigned, surrogates
    BTK_KIND_UPPER,       // Lu, Lt
    BTK_KIND_LOWER,       // Ll
    BTK_KIND_LETTER,      // Lm, Lo
    BTK_KIND_MARK,        // M
    BTK_KIND_NUMBER,      // N
    BTK_KIND_PUNCTUATION, // P
    BTK_KIND_SYMBOL,      // S
    BTK_KIND_SPACE,       // \s but those that follow
    BTK_KIND_NEWLINE,     // \r \n
    BTK_KIND_BLANK,       // ' '
    BTK_KIND_HAN_LETTER,
    BTK_KIND_HAN_MARK,
    BTK_KIND_HAN_NUMBER,
    BTK_KIND_HAN_PUNCTUATION,
    BTK_KIND_HAN_SYMBOL,
    BTK_KIND_HAN_COMMON, // letters all
    BTK_KIND_KANA_LETTER,
    BTK_KIND_KANA_MARK,
    BTK_KIND_KANA_PUNCTUATION,
    BTK_KIND_KANA_SYMBOL,
    BTK_KIND_KANA_OTHER,
    BTK_KIND_NEW_NUMBER, // OTHER for both engines, a number for the pre-tokenizer Digits: Unicode 17
    BTK_KIND_COUNT,
};

#define BTK_UNICODE_KIND_PAGE_BITS  8
#define BTK_UNICODE_KIND_PAGE_COUNT (0x110000 >> BTK_UNICODE_KIND_PAGE_BITS)

extern const uint8_t btk_unicode_kind_pages[BTK_UNICODE_KIND_PAGE_COUNT];
extern const uint8_t btk_unicode_kind_values[][1 << BTK_UNICODE_KIND_PAGE_BITS];

// `code_point` is at most U+10FFFF.
static inline enum btk_unicode_kind btk_unicode_kind(uint32_t code_point)
{
    const uint32_t page = btk_unicode_kind_pages[code_point >> BTK_UNICODE_KIND_PAGE_BITS];
    const uint32_t inside = code_point & ((1u << BTK_UNICODE_KIND_PAGE_BITS) - 1);
    return (enum btk_unicode_kind)btk_unicode_kind_values[page][inside];
}
