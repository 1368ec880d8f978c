// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "common/base.h"
#include "kernels/ascii_kinds.h"
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
    const __m128i half = _mm_loadu_si128((const __m128i *)(const void *)table);
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

// --- characters

// Looks up the bytes of `vector` that are in [16 row, 16 row + 16); 0 for the others.
static inline __m256i lookup_row(const uint8_t *row, int number, __m256i vector)
{
    const __m256i inside = _mm256_xor_si256(vector, splat(number << 4));
    return lookup(row, _mm256_adds_epu8(inside, splat(0x70)));
}

// The same in a table of `rows` rows.
static inline __attribute__((always_inline)) __m256i lookup_rows(const uint8_t *table, int rows,
                                                                 __m256i vector)
{
    __m256i found = lookup_row(table, 0, vector);
    for (int row = 1; row < rows; row++)
        found = _mm256_or_si256(found, lookup_row(table + row * 16, row, vector));
    return found;
}

static inline struct block ascii_kinds_of(struct block bytes)
{
    return (struct block){lookup_rows(ascii_kinds, 8, bytes.low),
                          lookup_rows(ascii_kinds, 8, bytes.high)};
}

// The four bytes from each position on.
struct window {
    struct block bytes;
    struct block second;
    struct block third;
    struct block fourth;
};

static inline __m256i at_least(__m256i vector, int byte)
{
    return _mm256_cmpeq_epi8(_mm256_max_epu8(vector, splat(byte)), vector);
}

// Pages of one kind alone, of which there are too many to look up one by one: the common Han
// letters U+4E00 to U+9F7F, of which the last page is not, and Hangul U+AC00 to U+D77F.
static inline __m256i uniform_kinds(__m256i bytes, __m256i second)
{
    const __m256i han = _mm256_or_si256(
        in_range(bytes, 0xe5, 4),
        _mm256_or_si256(_mm256_and_si256(equals(bytes, 0xe4), at_least(second, 0xb8)),
                        _mm256_andnot_si256(at_least(second, 0xbe), equals(bytes, 0xe9))));
    const __m256i hangul = _mm256_or_si256(
        in_range(bytes, 0xeb, 2),
        _mm256_or_si256(_mm256_and_si256(equals(bytes, 0xea), at_least(second, 0xb0)),
                        _mm256_andnot_si256(at_least(second, 0x9e), equals(bytes, 0xed))));
    return _mm256_or_si256(_mm256_and_si256(han, splat(BTK_KIND_HAN_COMMON)),
                           _mm256_and_si256(hangul, splat(BTK_KIND_LETTER)));
}

// Where the page is that of the character at `first`.
static inline __m256i is_of_page(__m256i bytes, __m256i second, __m256i third, const uint8_t *first)
{
    __m256i page = equals(bytes, first[0]);
    if (first[0] >= 0xe0) page = _mm256_and_si256(page, equals(second, first[1]));
    if (first[0] >= 0xf0) page = _mm256_and_si256(page, equals(third, first[2]));
    return page;
}

static inline __m256i last_bytes(__m256i bytes, __m256i second, __m256i third, __m256i fourth)
{
    const __m256i two_or_three = _mm256_blendv_epi8(second, third, at_least(bytes, 0xe0));
    const __m256i last = _mm256_blendv_epi8(two_or_three, fourth, at_least(bytes, 0xf0));
    return _mm256_and_si256(last, splat(0x3f));
}

// The kinds of the characters that `todo` marks, which are not ASCII, page by page.
static inline struct block add_high_kinds(struct block kinds, const uint8_t *text,
                                          const struct window *window, uint64_t todo)
{
    const struct block bytes = window->bytes, second = window->second, third = window->third;
    const struct block uniform = {uniform_kinds(bytes.low, second.low),
                                  uniform_kinds(bytes.high, second.high)};
    const __m256i zero = _mm256_setzero_si256();
    todo &= block_top_bits((struct block){_mm256_cmpeq_epi8(uniform.low, zero),
                                          _mm256_cmpeq_epi8(uniform.high, zero)});
    kinds.low = _mm256_or_si256(kinds.low, uniform.low);
    kinds.high = _mm256_or_si256(kinds.high, uniform.high);
    if (!todo) return kinds;
    const struct block last = {
        last_bytes(bytes.low, second.low, third.low, window->fourth.low),
        last_bytes(bytes.high, second.high, third.high, window->fourth.high),
    };
    while (todo) {
        const uint8_t *const first = text + __builtin_ctzll(todo);
        const uint8_t *const of_last = kinds_of_page(first);
        const struct block page = {is_of_page(bytes.low, second.low, third.low, first),
                                   is_of_page(bytes.high, second.high, third.high, first)};
        kinds.low = _mm256_blendv_epi8(kinds.low, lookup_rows(of_last, 4, last.low), page.low);
        kinds.high = _mm256_blendv_epi8(kinds.high, lookup_rows(of_last, 4, last.high), page.high);
        todo &= ~block_top_bits(page);
    }
    return kinds;
}

static inline uint64_t block_bit(struct block block, int bit)
{
    return block_top_bits((struct block){_mm256_slli_epi16(block.low, 7 - bit),
                                         _mm256_slli_epi16(block.high, 7 - bit)});
}

// `text` has three bytes more than the block.
static inline struct btk_char_masks characters_of(const uint8_t *text, uint64_t present,
                                                  const uint8_t *classes_of_kind)
{
    const struct block bytes = block_load(text);
    const uint64_t high = block_top_bits(bytes);
    struct block kinds = ascii_kinds_of(bytes);
    struct btk_char_masks masks = {.leads = present};
    if (high) {
        const struct window window = {bytes, block_load(text + 1), block_load(text + 2),
                                      block_load(text + 3)};
        masks.leads &= block_top_bits((struct block){starts(bytes.low), starts(bytes.high)});
        kinds = add_high_kinds(kinds, text, &window, high & masks.leads);
    }
    const struct block classes = {lookup_rows(classes_of_kind, 2, kinds.low),
                                  lookup_rows(classes_of_kind, 2, kinds.high)};
    masks.count = (uint64_t)__builtin_popcountll(masks.leads);
    for (int c = 0; c < 8; c++) {
        const uint64_t bits = block_bit(classes, c);
        masks.classes[c] = high ? _pext_u64(bits, masks.leads) : bits & present;
    }
    return masks;
}

static void char_masks(const uint8_t *text, size_t length, size_t blocks,
                       const uint8_t classes_of_kind[BTK_CHAR_KIND_ROOM],
                       struct btk_char_masks *out_masks)
{
    _Alignas(16) uint8_t classes[BTK_CHAR_KIND_ROOM];
    memcpy(classes, classes_of_kind, sizeof classes);
    for (size_t i = 0; i < blocks; i++) {
        const size_t left = length - i * 64;
        if (left >= 67) {
            out_masks[i] = characters_of(text + i * 64, UINT64_MAX, classes);
            continue;
        }
        _Alignas(32) uint8_t padded[67] = {0};
        memcpy(padded, text + i * 64, left);
        const uint64_t present = _bzhi_u64(UINT64_MAX, (uint32_t)btk_min_size(left, 64));
        out_masks[i] = characters_of(padded, present, classes);
    }
}

// Eight at a time, whether there are so many or not: what is behind the last may be anything.
static size_t mark_offsets(const struct btk_char_masks *masks, const uint64_t *marks, size_t blocks,
                           uint32_t begin, uint32_t *out_offsets)
{
    uint32_t *out = out_offsets;
    for (size_t i = 0; i < blocks; i++, begin += 64) {
        uint64_t bits = _pdep_u64(marks[i], masks[i].leads);
        uint32_t *const next = out + __builtin_popcountll(bits);
        while (bits) {
            for (int k = 0; k < 8; k++) {
                out[k] = begin + (uint32_t)_tzcnt_u64(bits);
                bits = _blsr_u64(bits);
            }
            out += 8;
        }
        out = next;
    }
    return (size_t)(out - out_offsets);
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
    .char_masks = char_masks,
    .mark_offsets = mark_offsets,
};
