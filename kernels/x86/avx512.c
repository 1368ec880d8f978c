// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>
#include <stdbool.h>

#include "common/base.h"
#include "kernels/ascii_kinds.h"
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

// --- characters

// The four bytes from each position on. Where the text ends, zeros follow.
struct window {
    __m512i bytes;
    __m512i second;
    __m512i third;
    __m512i fourth;
};

static inline struct window window_load(const uint8_t *text, size_t left)
{
    if (left >= 67)
        return (struct window){
            _mm512_loadu_si512(text),
            _mm512_loadu_si512(text + 1),
            _mm512_loadu_si512(text + 2),
            _mm512_loadu_si512(text + 3),
        };
    return (struct window){
        _mm512_maskz_loadu_epi8(first_bits(left), text),
        _mm512_maskz_loadu_epi8(first_bits(left - 1), text + 1),
        _mm512_maskz_loadu_epi8(first_bits(left > 2 ? left - 2 : 0), text + 2),
        _mm512_maskz_loadu_epi8(first_bits(left > 3 ? left - 3 : 0), text + 3),
    };
}

static inline uint64_t at_least(__m512i vector, int byte)
{
    return _mm512_cmpge_epu8_mask(vector, splat(byte));
}

// Pages of one kind alone, of which there are too many to look up one by one: the common Han
// letters U+4E00 to U+9F7F, of which the last page is not, and Hangul U+AC00 to U+D77F.
static inline __m512i add_uniform_kinds(__m512i kinds, const struct window *window, uint64_t *todo)
{
    const __m512i pair = window->second;
    const uint64_t han =
        (in_range(window->bytes, 0xe5, 4) | (equals(window->bytes, 0xe4) & at_least(pair, 0xb8))
         | (equals(window->bytes, 0xe9) & ~at_least(pair, 0xbe)))
        & *todo;
    const uint64_t hangul =
        (in_range(window->bytes, 0xeb, 2) | (equals(window->bytes, 0xea) & at_least(pair, 0xb0))
         | (equals(window->bytes, 0xed) & ~at_least(pair, 0x9e)))
        & *todo;
    *todo &= ~(han | hangul);
    return _mm512_mask_mov_epi8(_mm512_mask_mov_epi8(kinds, han, splat(BTK_KIND_HAN_COMMON)),
                                hangul, splat(BTK_KIND_LETTER));
}

// The kinds of the characters that `todo` marks, which are not ASCII, page by page.
static inline __m512i add_high_kinds(__m512i kinds, const uint8_t *text,
                                     const struct window *window, uint64_t todo)
{
    if (at_least(window->bytes, 0xe4) & todo) kinds = add_uniform_kinds(kinds, window, &todo);
    const uint64_t three = at_least(window->bytes, 0xe0), four = at_least(window->bytes, 0xf0);
    const __m512i second = _mm512_maskz_mov_epi8(three, window->second);
    const __m512i third = _mm512_maskz_mov_epi8(four, window->third);
    const __m512i last = _mm512_mask_mov_epi8(
        _mm512_mask_mov_epi8(window->second, three, window->third), four, window->fourth);
    while (todo) {
        const uint8_t *const first = text + __builtin_ctzll(todo);
        uint64_t page = equals(window->bytes, first[0]) & todo;
        if (first[0] >= 0xe0) page &= equals(second, first[1]);
        if (first[0] >= 0xf0) page &= equals(third, first[2]);
        const __m512i kinds_of_last = _mm512_loadu_si512(kinds_of_page(first));
        kinds = _mm512_mask_permutexvar_epi8(kinds, page, last, kinds_of_last);
        todo &= ~page;
    }
    return kinds;
}

static inline void put_classes(struct btk_char_masks *out_masks, __m512i classes)
{
    for (int c = 0; c < 8; c++)
        out_masks->classes[c] = _mm512_test_epi8_mask(classes, splat(1 << c));
}

static void char_masks(const uint8_t *text, size_t length, size_t blocks,
                       const uint8_t classes_of_kind[BTK_CHAR_KIND_ROOM],
                       struct btk_char_masks *out_masks)
{
    const __m512i class_table =
        _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)(const void *)classes_of_kind));
    const __m512i kinds_low = _mm512_load_si512(ascii_kinds);
    const __m512i kinds_high = _mm512_load_si512(ascii_kinds + 64);
    const __m512i classes_low = _mm512_permutexvar_epi8(kinds_low, class_table);
    const __m512i classes_high = _mm512_permutexvar_epi8(kinds_high, class_table);
    for (size_t i = 0; i < blocks; i++, out_masks++) {
        const size_t left = length - i * 64;
        const uint64_t present = first_bits(btk_min_size(left, 64));
        const __m512i bytes = left >= 64 ? _mm512_loadu_si512(text + i * 64)
                                         : _mm512_maskz_loadu_epi8(present, text + i * 64);
        const uint64_t high = _mm512_movepi8_mask(bytes);
        if (!high) {
            out_masks->leads = present;
            out_masks->count = btk_min_size(left, 64);
            put_classes(out_masks,
                        _mm512_maskz_permutex2var_epi8(present, classes_low, bytes, classes_high));
            continue;
        }
        const struct window window = window_load(text + i * 64, left);
        const uint64_t leads = _mm512_mask_cmpgt_epi8_mask(present, window.bytes, splat(-65));
        const __m512i kinds =
            add_high_kinds(_mm512_permutex2var_epi8(kinds_low, window.bytes, kinds_high),
                           text + i * 64, &window, high & leads);
        put_classes(out_masks, _mm512_permutexvar_epi8(kinds, class_table));
        out_masks->leads = leads;
        out_masks->count = (uint64_t)__builtin_popcountll(leads);
        for (int c = 0; c < 8; c++) out_masks->classes[c] = _pext_u64(out_masks->classes[c], leads);
    }
}

static size_t mark_offsets(const struct btk_char_masks *masks, const uint64_t *marks, size_t blocks,
                           uint32_t begin, uint32_t *out_offsets)
{
    static const uint8_t numbers[64] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
    };
    const __m512i all = _mm512_load_si512(numbers);
    uint32_t *out = out_offsets;
    for (size_t i = 0; i < blocks; i++, begin += 64) {
        const uint64_t bits = _pdep_u64(marks[i], masks[i].leads);
        const size_t count = (size_t)__builtin_popcountll(bits);
        __m512i places = _mm512_maskz_compress_epi8(bits, all);
        const __m512i base = _mm512_set1_epi32((int)begin);
        for (size_t at = 0;;) {
            const __m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places));
            _mm512_storeu_si512(out + at, _mm512_add_epi32(wide, base));
            at += 16;
            if (at >= count) break;
            places = _mm512_shuffle_i64x2(places, places, 0x39);
        }
        out += count;
    }
    return (size_t)(out - out_offsets);
}

const struct btk_kernels btk_kernels_avx512 = {
    .name = "avx512",
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
