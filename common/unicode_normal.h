// SPDX-License-Identifier: Apache-2.0
// What the normal forms and the grapheme clusters of the reference need to know of a code point.
//
// Normal forms: the crate unicode-normalization-alignments 0.1.12 (Unicode 9): what came later stays
// as it is. Grapheme clusters: unicode-segmentation 1.13.3 (Unicode 17), as it divides.
// common/unicode_normal_tables.c is made by tools/dev/unicode.
//
// Everything here is pure and allocates nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/unicode_tables.h"

extern const uint8_t btk_unicode_normal_pages[BTK_UNICODE_LIMIT >> BTK_UNICODE_PAGE_BITS];
extern const uint16_t btk_unicode_normal_values[][1 << BTK_UNICODE_PAGE_BITS];

enum btk_unicode_normal_bit {
    BTK_NORMAL_NFC_CHECK = 1 << 0,  // NFC may change it, or join it to what stands before
    BTK_NORMAL_NFKC_CHECK = 1 << 1, // the same for NFKC
    BTK_NORMAL_COMPATIBLE = 1 << 2, // btk_unicode_decompose_compatible() changes it
    BTK_NORMAL_MARK = 1 << 3,       // M* of Unicode 9: what StripAccents removes
    BTK_NORMAL_CLUSTER = 15 << 4,   // enum btk_grapheme_class, at BTK_NORMAL_CLUSTER_SHIFT
    BTK_NORMAL_LINKER = 1 << 8,     // Indic conjuncts: joins consonants
    BTK_NORMAL_EXTENDER = 1 << 9,   // and may stand between them
};

#define BTK_NORMAL_CLUSTER_SHIFT 4

// The set of enum btk_unicode_normal_bit of one code point.
static inline uint16_t btk_unicode_normal_bits(uint32_t code_point)
{
    if (code_point >= BTK_UNICODE_LIMIT) return 0;
    const uint32_t page = btk_unicode_normal_pages[code_point >> BTK_UNICODE_PAGE_BITS];
    return btk_unicode_normal_values[page][code_point & ((1u << BTK_UNICODE_PAGE_BITS) - 1)];
}

// Full compatibility decomposition, in canonical order within itself. Returns how many were written,
// 1 to BTK_UNICODE_COMPATIBLE_MAX (18: U+FDFA).
#define BTK_UNICODE_COMPATIBLE_MAX 18
size_t btk_unicode_decompose_compatible(uint32_t code_point,
                                        uint32_t out[BTK_UNICODE_COMPATIBLE_MAX]);

// The code point that canonical composition makes of two; 0: none.
uint32_t btk_unicode_compose(uint32_t first, uint32_t second);

// Classes of UAX 29, table 2, with the consonants of rule GB9c.
enum btk_grapheme_class {
    BTK_GRAPHEME_OTHER,
    BTK_GRAPHEME_CR,
    BTK_GRAPHEME_LF,
    BTK_GRAPHEME_CONTROL,
    BTK_GRAPHEME_EXTEND,
    BTK_GRAPHEME_ZWJ,
    BTK_GRAPHEME_REGIONAL,
    BTK_GRAPHEME_PREPEND,
    BTK_GRAPHEME_SPACING,
    BTK_GRAPHEME_L,
    BTK_GRAPHEME_V,
    BTK_GRAPHEME_T,
    BTK_GRAPHEME_LV,
    BTK_GRAPHEME_LVT,
    BTK_GRAPHEME_PICTOGRAPH,
    BTK_GRAPHEME_CONSONANT,
};

// Where an extended grapheme cluster of valid UTF-8 that begins at `begin` (< length) ends. Time is
// that of its length.
size_t btk_grapheme_end(const uint8_t *text, size_t length, size_t begin);
