// SPDX-License-Identifier: Apache-2.0
#include "common/unicode.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/hash.h"
#include "tests/common/unicode_digests.h"

#define RESULT_END UINT32_MAX

// Numbers to be hashed in one go; big enough for every test here.
struct results {
    uint32_t *numbers;
    size_t count, capacity;
};

static struct results new_results(void)
{
    struct results results = {.capacity = 6u << 20};
    results.numbers = malloc(results.capacity * sizeof *results.numbers);
    cr_assert_not_null(results.numbers);
    return results;
}

static void append(struct results *results, uint32_t number)
{
    cr_assert_lt(results->count, results->capacity);
    results->numbers[results->count++] = number;
}

static uint64_t finish(struct results *results)
{
    const size_t bytes = results->count * sizeof *results->numbers;
    const uint64_t digest = btk_hash_xxh64(results->numbers, bytes, 0);
    free(results->numbers);
    return digest;
}

static bool is_surrogate(uint32_t code_point)
{
    return code_point >= 0xd800 && code_point < 0xe000;
}

static size_t put_utf8(uint8_t *out, uint32_t code_point)
{
    if (code_point < 0x80) return out[0] = (uint8_t)code_point, 1;
    const int more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(leads[more] | code_point >> (6 * more));
    for (int i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (code_point >> (6 * (more - i)) & 0x3f));
    return (size_t)more + 1;
}

Test(unicode, classes_of_every_code_point_are_the_references)
{
    static uint8_t bitmap[BTK_UNICODE_LIMIT / 8];
    for (size_t bit = 0; bit < sizeof class_digests / sizeof class_digests[0]; bit++) {
        for (uint32_t code_point = 0; code_point < BTK_UNICODE_LIMIT; code_point++) {
            const uint8_t mask = (uint8_t)(1u << (code_point & 7));
            const bool is_in = btk_unicode_classes(code_point) >> bit & 1;
            bitmap[code_point >> 3] =
                (uint8_t)(is_in ? bitmap[code_point >> 3] | mask : bitmap[code_point >> 3] & ~mask);
        }
        cr_expect_eq(btk_hash_xxh64(bitmap, sizeof bitmap, 0), class_digests[bit].xxh64, "class %s",
                     class_digests[bit].name);
    }
}

Test(unicode, numbers_that_are_no_code_points_are_in_no_class_and_map_to_themselves)
{
    const uint32_t numbers[] = {0xd800, 0xdfff, 0x110000, 0x80000041, UINT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint32_t lower[BTK_UNICODE_LOWERCASE_MAX], parts[BTK_UNICODE_DECOMPOSED_MAX];
        cr_expect_eq(btk_unicode_classes(numbers[i]), 0);
        cr_expect_eq(btk_unicode_combining_class(numbers[i]), 0);
        cr_expect_eq(btk_unicode_to_lowercase(numbers[i], lower), 1);
        cr_expect_eq(lower[0], numbers[i]);
        cr_expect_eq(btk_unicode_decompose(numbers[i], parts), 1);
        cr_expect_eq(parts[0], numbers[i]);
    }
}

Test(unicode, lower_case_of_every_code_point_is_the_references)
{
    struct results results = new_results();
    for (uint32_t code_point = 0; code_point < BTK_UNICODE_LIMIT; code_point++) {
        uint32_t lower[BTK_UNICODE_LOWERCASE_MAX];
        const size_t count = btk_unicode_to_lowercase(code_point, lower);
        const bool has_lowercase = btk_unicode_classes(code_point) & BTK_CLASS_HAS_LOWERCASE;
        cr_assert_eq(has_lowercase, count != 1 || lower[0] != code_point, "U+%04X", code_point);
        for (size_t i = 0; i < count; i++) append(&results, lower[i]);
        append(&results, RESULT_END);
    }
    cr_expect_eq(finish(&results), lowercase_digest);
}

Test(unicode, decomposition_of_every_code_point_is_the_references_and_fits_the_bound)
{
    struct results results = new_results();
    for (uint32_t code_point = 0; code_point < BTK_UNICODE_LIMIT; code_point++) {
        uint32_t parts[BTK_UNICODE_DECOMPOSED_MAX];
        const size_t count = btk_unicode_decompose(code_point, parts);
        uint8_t utf8[4];
        if (!is_surrogate(code_point))
            cr_assert_leq(count, btk_unicode_nfd_bound(put_utf8(utf8, code_point)), "U+%04X",
                          code_point);
        for (size_t i = 0; i < count; i++) append(&results, parts[i]);
        append(&results, RESULT_END);
    }
    cr_expect_eq(finish(&results), decomposition_digest);
}

Test(unicode, what_came_after_unicode_9_passes_through_although_utf8proc_knows_it)
{
    // U+11938 decomposes since Unicode 13; U+0898 has class 230 since 14.
    uint32_t parts[BTK_UNICODE_DECOMPOSED_MAX];
    cr_expect_eq(btk_unicode_decompose(0x11938, parts), 1);
    cr_expect_eq(parts[0], 0x11938);
    cr_expect_eq(btk_unicode_combining_class(0x898), 0);
}

static uint32_t next_number(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

// 'a' and every code point that decomposes or combines, most Hangul left out: as record_digests.py.
static size_t fill_pool(uint32_t *pool)
{
    size_t count = 0;
    pool[count++] = 'a';
    for (uint32_t code_point = 0; code_point < BTK_UNICODE_LIMIT; code_point++) {
        if (code_point >= 0xac00 + 200 && code_point < 0xd7a4) continue;
        const uint16_t classes = btk_unicode_classes(code_point);
        if (classes & (BTK_CLASS_DECOMPOSES | BTK_CLASS_COMBINES)) pool[count++] = code_point;
    }
    return count;
}

Test(unicode, nfd_of_random_sequences_is_the_references)
{
    static uint32_t pool[1 << 14];
    const size_t pool_count = fill_pool(pool);
    struct results results = new_results();
    uint32_t state = 1;
    for (int i = 0; i < SEQUENCE_COUNT; i++) {
        uint8_t text[4 * LONGEST_SEQUENCE];
        struct btk_unicode_char normalized[6 * LONGEST_SEQUENCE];
        size_t length = 0;
        for (uint32_t left = 1 + next_number(&state) % LONGEST_SEQUENCE; left > 0; left--)
            length += put_utf8(text + length, pool[next_number(&state) % pool_count]);
        const size_t count = btk_unicode_nfd(text, length, normalized);
        cr_assert_leq(count, btk_unicode_nfd_bound(length));
        for (size_t j = 0; j < count; j++) append(&results, normalized[j].code_point);
        append(&results, RESULT_END);
    }
    cr_expect_eq(finish(&results), sequences_digest);
}

Test(unicode, reordering_is_stable_and_moves_the_inserted_mark_along)
{
    // U+1E69 = s, dot below (220, inserted), dot above (230, inserted); then a dot below of its
    // own, which goes between the two.
    const uint8_t text[] = "\xe1\xb9\xa9\xcc\xa3";
    struct btk_unicode_char out[8];
    cr_assert_eq(btk_unicode_nfd(text, sizeof text - 1, out), 4);
    const uint32_t code_points[] = {0x73, 0x323, 0x323, 0x307};
    const bool inserted[] = {false, true, false, true};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(out[i].code_point, code_points[i]);
        cr_expect_eq(out[i].inserted, inserted[i]);
    }
}

Test(unicode, a_million_marks_in_a_row_are_sorted_in_time)
{
    const size_t count = 1000000;
    struct btk_unicode_char *chars = malloc(count * sizeof *chars);
    cr_assert_not_null(chars);
    for (size_t i = 0; i < count; i++)
        chars[i] = (struct btk_unicode_char){.code_point = 0x300,
                                             .position = (uint32_t)i,
                                             .combining_class = (uint8_t)(1 + i * 7919 % 254)};
    btk_unicode_order(chars, count);
    for (size_t i = 1; i < count; i++) {
        const bool in_order = chars[i - 1].combining_class < chars[i].combining_class
                              || (chars[i - 1].combining_class == chars[i].combining_class
                                  && chars[i - 1].position < chars[i].position);
        cr_assert(in_order, "at %zu", i);
    }
    free(chars);
}

Test(unicode, empty_text_and_no_characters_are_fine)
{
    cr_expect_eq(btk_unicode_nfd((const uint8_t *)"", 0, NULL), 0);
    btk_unicode_order(NULL, 0);
}
