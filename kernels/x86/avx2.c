// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/base.h"
#include "kernels/scalar/scalar.h"
#include "kernels/x86/utf8_lookup.h"
#include "kernels/x86/x86.h"

struct block {
    __m256i low;
    __m256i high;
};

// The vector as it is now: without this, the compiler may use memory that somebody else writes to
// in place of a register, and what was checked would not be what was copied.
static inline __m256i pinned(__m256i vector)
{
    __asm__("" : "+x"(vector));
    return vector;
}

static inline __m256i load(const uint8_t *text)
{
    return pinned(_mm256_loadu_si256((const __m256i *)(const void *)text));
}

static inline void store(uint8_t *out, __m256i vector)
{
    _mm256_storeu_si256((__m256i *)(void *)out, vector);
}

static inline __m256i splat(int byte)
{
    return _mm256_set1_epi8((char)byte);
}

static inline struct block block_load(const uint8_t *text)
{
    return (struct block){load(text), load(text + 32)};
}

static inline struct block block_load_part(const uint8_t *text, size_t count)
{
    _Alignas(32) uint8_t padded[64] = {0};
    if (count) memcpy(padded, text, count);
    return block_load(padded);
}

static inline void block_store(uint8_t *out, struct block block)
{
    store(out, block.low);
    store(out + 32, block.high);
}

static inline void block_store_part(uint8_t *out, struct block block, size_t count)
{
    _Alignas(32) uint8_t padded[64];
    block_store(padded, block);
    memcpy(out, padded, count);
}

static inline uint32_t top_bits(__m256i vector)
{
    return (uint32_t)_mm256_movemask_epi8(vector);
}

static inline uint64_t block_top_bits(struct block block)
{
    return (uint64_t)top_bits(block.high) << 32 | top_bits(block.low);
}

static inline bool block_is_ascii(struct block block)
{
    return top_bits(_mm256_or_si256(block.low, block.high)) == 0;
}

static inline __m256i lookup(const uint8_t table[16], __m256i nibbles)
{
    const __m128i half = _mm_load_si128((const __m128i *)(const void *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), nibbles);
}

static inline __m256i high_nibbles(__m256i vector)
{
    return _mm256_and_si256(_mm256_srli_epi16(vector, 4), splat(0x0f));
}

// Nonzero bytes where `vector` breaks UTF-8; `before` is what stands before it in the text.
static inline __m256i utf8_errors(__m256i vector, __m256i before)
{
    const __m256i across = _mm256_permute2x128_si256(before, vector, 0x21);
    const __m256i back1 = _mm256_alignr_epi8(vector, across, 15);
    const __m256i back2 = _mm256_alignr_epi8(vector, across, 14);
    const __m256i back3 = _mm256_alignr_epi8(vector, across, 13);
    const __m256i by_first =
        _mm256_and_si256(lookup(utf8_first_high, high_nibbles(back1)),
                         lookup(utf8_first_low, _mm256_and_si256(back1, splat(0x0f))));
    const __m256i errors =
        _mm256_and_si256(by_first, lookup(utf8_second_high, high_nibbles(vector)));
    const __m256i third_of_three = _mm256_subs_epu8(back2, splat(0xe0 - 0x80));
    const __m256i third_of_four = _mm256_subs_epu8(back3, splat(0xf0 - 0x80));
    const __m256i must_continue =
        _mm256_and_si256(_mm256_or_si256(third_of_three, third_of_four), splat(0x80));
    return _mm256_xor_si256(must_continue, errors);
}

static inline bool block_breaks_utf8(struct block block, struct block before)
{
    const __m256i errors =
        _mm256_or_si256(utf8_errors(block.low, before.high), utf8_errors(block.high, block.low));
    return !_mm256_testz_si256(errors, errors);
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
    const uint64_t high = block_top_bits(block_load_part(text + at, length - at));
    return high ? at + (size_t)__builtin_ctzll(high) : length;
}

// 0xff where a byte is in [first, first + count), count below 256: the range is moved to the
// lowest signed numbers, because AVX2 compares signed ones alone.
static inline __m256i in_range(__m256i vector, int first, int count)
{
    const __m256i moved = _mm256_sub_epi8(vector, splat(first ^ 0x80));
    return _mm256_cmpgt_epi8(splat(count - 128), moved);
}

static inline __m256i lower(__m256i vector)
{
    const __m256i is_upper = in_range(vector, 'A', 26);
    return _mm256_or_si256(vector, _mm256_and_si256(is_upper, splat(0x20)));
}

static inline struct block block_lower(struct block block)
{
    return (struct block){lower(block.low), lower(block.high)};
}

static void ascii_lower(uint8_t *out, const uint8_t *text, size_t length)
{
    size_t at = 0;
    for (; length - at >= 64; at += 64) block_store(out + at, block_lower(block_load(text + at)));
    if (at == length) return;
    const struct block last = block_load_part(text + at, length - at);
    block_store_part(out + at, block_lower(last), length - at);
}

// 0xff, which is -1, where a byte is no continuation: those are the lowest signed numbers.
static inline __m256i starts(__m256i vector)
{
    return _mm256_cmpgt_epi8(vector, splat(-65));
}

// Adds up to 127 blocks in bytes, which cannot overflow before that.
static inline size_t count_starts(const uint8_t *text, size_t blocks)
{
    __m256i counts = _mm256_setzero_si256();
    for (size_t i = 0; i < blocks; i++) {
        const struct block block = block_load(text + i * 64);
        counts = _mm256_sub_epi8(counts, _mm256_add_epi8(starts(block.low), starts(block.high)));
    }
    const __m256i sums = _mm256_sad_epu8(counts, _mm256_setzero_si256());
    return (size_t)_mm256_extract_epi64(sums, 0) + (size_t)_mm256_extract_epi64(sums, 1)
           + (size_t)_mm256_extract_epi64(sums, 2) + (size_t)_mm256_extract_epi64(sums, 3);
}

static size_t utf8_count(const uint8_t *text, size_t length)
{
    size_t total = 0;
    size_t at = 0;
    while (length - at >= 64) {
        const size_t blocks = btk_min_size((length - at) / 64, 127);
        total += count_starts(text + at, blocks);
        at += blocks * 64;
    }
    const struct block last = block_load_part(text + at, length - at);
    const struct block marks = {starts(last.low), starts(last.high)};
    const size_t padding = 64 - (length - at);
    return total + (size_t)__builtin_popcountll(block_top_bits(marks)) - padding;
}

static inline __m256i equals(__m256i vector, int byte)
{
    return _mm256_cmpeq_epi8(vector, splat(byte));
}

static inline __m256i is_letter(__m256i vector)
{
    return in_range(_mm256_or_si256(vector, splat(0x20)), 'a', 26);
}

// A class of both halves as one mask.
#define BLOCK_MASK(block, test, ...)                                                               \
    block_top_bits(                                                                                \
        (struct block){test((block).low, ##__VA_ARGS__), test((block).high, ##__VA_ARGS__)})

static inline struct btk_word_masks word_classes_of(struct block block)
{
    const uint64_t line_space = BLOCK_MASK(block, in_range, '\t', 5);
    const uint64_t low = BLOCK_MASK(block, in_range, 0, 32) | BLOCK_MASK(block, equals, 0x7f);
    return (struct btk_word_masks){
        .letter = BLOCK_MASK(block, is_letter),
        .upper = BLOCK_MASK(block, in_range, 'A', 26),
        .digit = BLOCK_MASK(block, in_range, '0', 10),
        .space = line_space | BLOCK_MASK(block, equals, ' '),
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
    last.control = _bzhi_u64(last.control, (uint32_t)(length - at));
    out_masks[at / 64] = last;
}

static inline struct btk_bert_masks bert_classes_of(struct block block)
{
    const uint64_t high = block_top_bits(block);
    const uint64_t printable = BLOCK_MASK(block, in_range, '!', 0x7f - '!');
    const uint64_t word = BLOCK_MASK(block, is_letter) | BLOCK_MASK(block, in_range, '0', 10);
    const uint64_t space = BLOCK_MASK(block, in_range, '\t', 2) | BLOCK_MASK(block, equals, '\r')
                           | BLOCK_MASK(block, equals, ' ');
    return (struct btk_bert_masks){
        .space = space,
        .punctuation = printable & ~word,
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
    last.control = _bzhi_u64(last.control, (uint32_t)(length - at));
    out_masks[at / 64] = last;
}

const struct btk_kernels btk_kernels_avx2 = {
    .name = "avx2",
    .utf8_copy = utf8_copy,
    .utf8_valid_prefix = utf8_valid_prefix,
    .ascii_prefix = ascii_prefix,
    .ascii_lower = ascii_lower,
    .utf8_count = utf8_count,
    .word_masks = word_masks,
    .bert_masks = bert_masks,
    .char_masks = btk_scalar_char_masks,
    .mark_offsets = btk_scalar_mark_offsets,
};
