// SPDX-License-Identifier: Apache-2.0

// What the reference tokenizer (Hugging Face tokenizers 0.23.3) thinks of each Unicode code point.
//
// Every library the reference is built from carries its own version of Unicode, so one general
// property table would be wrong somewhere: each class below comes from the library that the
// reference asks. common/unicode_tables.c states the versions; tools/dev/unicode makes it.
//
// Everything here is pure, allocates nothing and may be called from any number of threads. Code
// points above U+10FFFF and surrogates are in no class and map to themselves.
#ifndef BTK_COMMON_UNICODE_H
#define BTK_COMMON_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/unicode_tables.h"

enum btk_unicode_class {
    // Oniguruma (Unicode 16): the GPT-2 pattern and every Split pattern.
    BTK_CLASS_LETTER = 1 << 0, // \p{L}
    BTK_CLASS_NUMBER = 1 << 1, // \p{N}
    BTK_CLASS_SPACE = 1 << 2,  // \s

    // Rust char::is_whitespace: BertPreTokenizer, WhitespaceSplit, what clean_text turns into ' '.
    BTK_CLASS_WHITESPACE = 1 << 3,

    // What BertNormalizer's clean_text removes: U+0000, U+FFFD and Cc, Cf, Co of Unicode 8, but
    // never \t \n \r. It removes first and maps white space afterwards, so \v, \f and U+0085,
    // which are in both classes, vanish.
    BTK_CLASS_BERT_CONTROL = 1 << 4,
    // Each of these is a piece of its own: ASCII punctuation or P* of Unicode 8.
    BTK_CLASS_BERT_PUNCTUATION = 1 << 5,
    // Mn of Unicode 8: what BertNormalizer's strip_accents drops after NFD.
    BTK_CLASS_BERT_MN = 1 << 6,
    // BertNormalizer puts a space before and after each of these.
    BTK_CLASS_CHINESE = 1 << 7,

    // Rust regex: \w decides single_word, \s what lstrip and rstrip of added tokens eat.
    BTK_CLASS_REGEX_WORD = 1 << 8,
    BTK_CLASS_REGEX_SPACE = 1 << 9,

    // btk_unicode_to_lowercase() changes it.
    BTK_CLASS_HAS_LOWERCASE = 1 << 10,
    // btk_unicode_decompose() changes it (Hangul syllables too).
    BTK_CLASS_DECOMPOSES = 1 << 11,
    // btk_unicode_combining_class() is not 0.
    BTK_CLASS_COMBINES = 1 << 12,
};

// The set of enum btk_unicode_class of one code point.
static inline uint16_t btk_unicode_classes(uint32_t code_point)
{
    if (code_point >= BTK_UNICODE_LIMIT) return 0;
    const uint32_t page = btk_unicode_class_pages[code_point >> BTK_UNICODE_PAGE_BITS];
    return btk_unicode_class_values[page][code_point & ((1u << BTK_UNICODE_PAGE_BITS) - 1)];
}

// Rust char::to_lowercase: full mapping of one code point, no context (no final sigma).
// Returns how many were written, 1 to BTK_UNICODE_LOWERCASE_MAX (2 today: only U+0130).
#define BTK_UNICODE_LOWERCASE_MAX 3
size_t btk_unicode_to_lowercase(uint32_t code_point, uint32_t out[BTK_UNICODE_LOWERCASE_MAX]);

// Full canonical decomposition with Unicode 9 data, as the crate unicode-normalization-alignments
// 0.1.12 has it: what came later stays as it is. Already in canonical order within itself.
// Returns how many were written, 1 to BTK_UNICODE_DECOMPOSED_MAX.
#define BTK_UNICODE_DECOMPOSED_MAX 4
size_t btk_unicode_decompose(uint32_t code_point, uint32_t out[BTK_UNICODE_DECOMPOSED_MAX]);

// Canonical combining class with Unicode 9 data; 0 for starters and whatever came later.
uint8_t btk_unicode_combining_class(uint32_t code_point);

// One character of a normalized text and what the reference's alignment says about it: the
// characters that are not inserted take the source characters in order, one each; an inserted one
// belongs to the source character of the one before it. Reordering moves `inserted` along with the
// character, as the reference does.
struct btk_unicode_char {
    uint32_t code_point;
    uint32_t position; // before reordering: what keeps equal classes in order
    uint8_t combining_class;
    bool inserted;
};

// The number of characters that is always enough for btk_unicode_nfd(): half again the bytes.
size_t btk_unicode_nfd_bound(size_t utf8_bytes);

// NFD of valid UTF-8 (at most UINT32_MAX / 2 bytes) into `out`, which has room for
// btk_unicode_nfd_bound(length) characters. Returns how many were written. O(n log n) for any
// input.
size_t btk_unicode_nfd(const uint8_t *utf8, size_t length, struct btk_unicode_char *out);

// The second half of NFD, for callers that decompose themselves: sorts each run of characters with
// a combining class by that class, stably. `position` must grow along the array. O(n log n).
void btk_unicode_order(struct btk_unicode_char *chars, size_t count);

#endif
