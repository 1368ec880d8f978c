// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>
#include <stdbool.h>

#include "common/base.h"
#include "kernels/x86/utf8_lookup.h"
#include "kernels/x86/x86.h"

struct block {
    __m512i bytes;
};

// The vector as it is now: without this, the compiler may use memory that somebody else writes to
// in place of a register, and what was checked would not be what was copied.
static inline __m512i pinned(__m512i vector)
{
    __asm__("" : "+v"(vector));
    return vector;
}

static inline __m512i splat(int byte)
{
    return _mm512_set1_epi8((char)byte);
}

// The lowest `count` bits, count at most 64.
static inline uint64_t first_bits(size_t count)
{
    return _bzhi_u64(UINT64_MAX, (uint32_t)count);
}

static inline struct block block_load(const uint8_t *text)
{
    return (struct block){pinned(_mm512_loadu_si512(text))};
}

// Bytes that the mask leaves out are not touched: no fault, and zeros in the register.
static inline struct block block_load_part(const uint8_t *text, size_t count)
{
    return (struct block){pinned(_mm512_maskz_loadu_epi8(first_bits(count), text))};
}

static inline void block_store(uint8_t *out, struct block block)
{
    _mm512_storeu_si512(out, block.bytes);
}

static inline void block_store_part(uint8_t *out, struct block block, size_t count)
{
    _mm512_mask_storeu_epi8(out, first_bits(count), block.bytes);
}

static inline uint64_t block_top_bits(struct block block)
{
    return _mm512_movepi8_mask(block.bytes);
}

static inline bool block_is_ascii(struct block block)
{
    return block_top_bits(block) == 0;
}

static inline __m512i lookup(const uint8_t table[16], __m512i nibbles)
{
    const __m128i quarter = _mm_load_si128((const __m128i *)(const void *)table);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(quarter), nibbles);
}

static inline __m512i low_nibbles(__m512i vector)
{
    return _mm512_and_si512(vector, splat(0x0f));
}

static inline __m512i high_nibbles(__m512i vector)
{
    return low_nibbles(_mm512_srli_epi16(vector, 4));
}

static inline bool block_breaks_utf8(struct block block, struct block before)
{
    const __m512i bytes = block.bytes;
    // The lanes of 16 bytes one back, so that what each lane needs stands at one side of it.
    const __m512i across = _mm512_permutex2var_epi64(
        before.bytes, _mm512_setr_epi64(6, 7, 8, 9, 10, 11, 12, 13), bytes);
    const __m512i back1 = _mm512_alignr_epi8(bytes, across, 15);
    const __m512i back2 = _mm512_alignr_epi8(bytes, across, 14);
    const __m512i back3 = _mm512_alignr_epi8(bytes, across, 13);
    const __m512i by_first = _mm512_and_si512(lookup(utf8_first_high, high_nibbles(back1)),
                                              lookup(utf8_first_low, low_nibbles(back1)));
    const __m512i errors =
        _mm512_and_si512(by_first, lookup(utf8_second_high, high_nibbles(bytes)));
    const __m512i third_of_three = _mm512_subs_epu8(back2, splat(0xe0 - 0x80));
    const __m512i third_of_four = _mm512_subs_epu8(back3, splat(0xf0 - 0x80));
    const __m512i must_continue =
        _mm512_and_si512(_mm512_or_si512(third_of_three, third_of_four), splat(0x80));
    const __m512i broken = _mm512_xor_si512(must_continue, errors);
    return _mm512_test_epi8_mask(broken, broken) != 0;
}

#include "kernels/utf8_walk.h"

static size_t utf8_copy(uint8_t *out, const uint8_t *text, size_t length)
{
    return utf8_walk(out, text, length);
}

static size_t utf8_valid_prefix(const uint8_t *text, size_t length)
{
    return utf8_walk(NULL, text, length);
}

static size_t ascii_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) {
        const uint64_t high = block_top_bits(block_load(text + at));
        if (high) return at + (size_t)__builtin_ctzll(high);
    }
    if (at == length) return length;
    const uint64_t high = block_top_bits(block_load_part(text + at, length - at));
    return high ? at + (size_t)__builtin_ctzll(high) : length;
}

static inline uint64_t in_range(__m512i vector, int first, int count)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(vector, splat(first)), splat(count));
}

static inline uint64_t equals(__m512i vector, int byte)
{
    return _mm512_cmpeq_epi8_mask(vector, splat(byte));
}

static inline struct block block_lower(struct block block)
{
    const __m512i bytes = block.bytes;
    const uint64_t is_upper = in_range(bytes, 'A', 26);
    return (struct block){_mm512_mask_add_epi8(bytes, is_upper, bytes, splat('a' - 'A'))};
}

static void ascii_lower(uint8_t *out, const uint8_t *text, size_t length)
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) block_store(out + at, block_lower(block_load(text + at)));
    if (at == length) return;
    const struct block last = block_load_part(text + at, length - at);
    block_store_part(out + at, block_lower(last), length - at);
}

static size_t utf8_count(const uint8_t *text, size_t length)
{
    // Continuations are the lowest signed numbers.
    const __m512i last_continuation = splat(-65);
    size_t total = 0;
    size_t at = 0;
    for (; length - at >= 64; at += 64)
        total += (size_t)__builtin_popcountll(
            _mm512_cmpgt_epi8_mask(block_load(text + at).bytes, last_continuation));
    if (at == length) return total;
    const uint64_t present = first_bits(length - at);
    const __m512i last = block_load_part(text + at, length - at).bytes;
    return total
           + (size_t)__builtin_popcountll(
               _mm512_mask_cmpgt_epi8_mask(present, last, last_continuation));
}

static inline uint64_t letters(__m512i vector)
{
    return in_range(_mm512_or_si512(vector, splat(0x20)), 'a', 26);
}

static inline struct btk_class_masks classes_of(struct block block)
{
    const __m512i bytes = block.bytes;
    const uint64_t blank = equals(bytes, ' ');
    return (struct btk_class_masks){
        .letter = letters(bytes),
        .digit = in_range(bytes, '0', 10),
        .space = in_range(bytes, '\t', 5) | blank,
        .blank = blank,
        .quote = equals(bytes, '\''),
        .high = block_top_bits(block),
    };
}

static void class_masks(const uint8_t *text, size_t length, struct btk_class_masks *out_masks)
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) out_masks[at / 64] = classes_of(block_load(text + at));
    if (at == length) return;
    out_masks[at / 64] = classes_of(block_load_part(text + at, length - at));
}

static inline struct btk_word_masks word_classes_of(struct block block)
{
    const __m512i bytes = block.bytes;
    const uint64_t line_space = in_range(bytes, '\t', 5);
    const uint64_t low = in_range(bytes, 0, 32) | equals(bytes, 0x7f);
    return (struct btk_word_masks){
        .letter = letters(bytes),
        .upper = in_range(bytes, 'A', 26),
        .digit = in_range(bytes, '0', 10),
        .space = line_space | equals(bytes, ' '),
        .control = low & ~line_space,
        .high = block_top_bits(block),
    };
}

static void word_masks(const uint8_t *text, size_t length, struct btk_word_masks *out_masks)
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) out_masks[at / 64] = word_classes_of(block_load(text + at));
    if (at == length) return;
    struct btk_word_masks last = word_classes_of(block_load_part(text + at, length - at));
    last.control = last.control & first_bits(length - at);
    out_masks[at / 64] = last;
}

static inline struct btk_bert_masks bert_classes_of(struct block block)
{
    const __m512i bytes = block.bytes;
    const uint64_t high = block_top_bits(block);
    const uint64_t printable = in_range(bytes, '!', 0x7f - '!');
    const uint64_t space = in_range(bytes, '\t', 2) | equals(bytes, '\r') | equals(bytes, ' ');
    return (struct btk_bert_masks){
        .space = space,
        .punctuation = printable & ~(letters(bytes) | in_range(bytes, '0', 10)),
        .control = ~(high | printable | space),
        .high = high,
    };
}

static void bert_masks(const uint8_t *text, size_t length, struct btk_bert_masks *out_masks)
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) out_masks[at / 64] = bert_classes_of(block_load(text + at));
    if (at == length) return;
    struct btk_bert_masks last = bert_classes_of(block_load_part(text + at, length - at));
    last.control &= first_bits(length - at);
    out_masks[at / 64] = last;
}

const struct btk_kernels btk_kernels_avx512 = {
    .name = "avx512",
    .utf8_copy = utf8_copy,
    .utf8_valid_prefix = utf8_valid_prefix,
    .ascii_prefix = ascii_prefix,
    .ascii_lower = ascii_lower,
    .utf8_count = utf8_count,
    .class_masks = class_masks,
    .word_masks = word_masks,
    .bert_masks = bert_masks,
};
