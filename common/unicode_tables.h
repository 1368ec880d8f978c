// SPDX-License-Identifier: Apache-2.0

// The generated tables behind common/unicode.h, two levels each: the first gives the page that a
// code point stands in, equal pages are stored once. Include common/unicode.h instead.
#ifndef BTK_COMMON_UNICODE_TABLES_H
#define BTK_COMMON_UNICODE_TABLES_H

#include <stdint.h>

#define BTK_UNICODE_LIMIT     0x110000u
#define BTK_UNICODE_PAGE_BITS 7

// Sets of enum btk_unicode_class.
extern const uint8_t btk_unicode_class_pages[BTK_UNICODE_LIMIT >> BTK_UNICODE_PAGE_BITS];
extern const uint16_t btk_unicode_class_values[][1 << BTK_UNICODE_PAGE_BITS];

// What to add to the low 16 bits for the lower case: no mapping leaves its plane. U+0130, the only
// one with two code points, is not in it.
extern const uint8_t btk_unicode_lowercase_pages[BTK_UNICODE_LIMIT >> BTK_UNICODE_PAGE_BITS];
extern const uint16_t btk_unicode_lowercase_values[][1 << BTK_UNICODE_PAGE_BITS];

#endif
