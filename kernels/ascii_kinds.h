// SPDX-License-Identifier: Apache-2.0
// What char_masks takes each ASCII character for, and each character of a page of 64.
#pragma once

#include <stdint.h>

#include "common/unicode_kinds.h"
#include "common/utf8.h"
#include "kernels/kernel_list.h"

_Static_assert((int)BTK_CHAR_QUOTE == (int)BTK_KIND_COUNT,
               "the kinds of ASCII follow those of all");
_Static_assert((int)BTK_CHAR_KIND_COUNT <= (int)BTK_CHAR_KIND_ROOM,
               "a table has room for all kinds");

// enum btk_unicode_kind and enum btk_char_kind.
static const uint8_t ascii_kinds[128] __attribute__((aligned(64))) = {
    // clang-format off
     0,  0,  0,  0,  0,  0,  0,  0,  0,  8,  9,  8,  8,  9,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    10, 25, 25, 25, 25, 25, 25, 23, 25, 25, 25, 25, 25, 25, 25, 24,
     5,  5,  5,  5,  5,  5,  5,  5,  5,  5, 25, 25, 25, 25, 25, 25,
    25, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26,
    26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 25, 25, 25, 25, 25,
    25, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27,
    27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 25, 25, 25, 25,  0,
    // clang-format on
};

// The kinds of the 64 characters that differ from the one at `text`, which is not ASCII, in their
// last byte alone: its low 6 bits say which.
static inline const uint8_t *kinds_of_page(const uint8_t *text)
{
    size_t length;
    const uint32_t code = btk_utf8_decode(text, &length);
    const uint32_t page = btk_unicode_kind_pages[code >> BTK_UNICODE_KIND_PAGE_BITS];
    return &btk_unicode_kind_values[page][code & 0xc0];
}
