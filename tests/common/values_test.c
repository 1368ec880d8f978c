// SPDX-License-Identifier: Apache-2.0
// Buffers, JSON in and out, histograms, UTF-8: what is pure arithmetic on bytes.
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/histogram.h"
#include "common/json.h"
#include "common/json_writer.h"
#include "common/utf8.h"

// --- buffer

Test(buffer, keeps_what_was_appended_while_it_grows)
{
    struct btk_buffer buffer;
    btk_buffer_init(&buffer);
    for (unsigned i = 0; i < 10000; i++) cr_assert_eq(btk_buffer_append(&buffer, &i, sizeof i), 0);
    cr_assert_eq(buffer.length, 40000);
    for (unsigned i = 0; i < 10000; i++) cr_assert_eq(memcmp(buffer.data + 4 * i, &i, sizeof i), 0);
    btk_buffer_clear(&buffer);
    cr_expect_eq(buffer.length, 0);
    btk_buffer_clear(&buffer);
    btk_buffer_clear(NULL);
}

Test(buffer, refuses_more_than_there_can_be_and_keeps_its_content)
{
    struct btk_buffer buffer;
    btk_buffer_init(&buffer);
    cr_assert_eq(btk_buffer_append(&buffer, "abc", 3), 0);
    cr_expect_eq(btk_buffer_reserve(&buffer, SIZE_MAX), -ENOMEM);
    cr_expect_eq(btk_buffer_reserve(&buffer, SIZE_MAX / 2), -ENOMEM);
    cr_expect_eq(btk_buffer_append(&buffer, NULL, 0), 0);
    cr_expect_eq(buffer.length, 3);
    cr_expect_eq(memcmp(buffer.data, "abc", 3), 0);
    btk_buffer_clear(&buffer);
}

Test(buffer, formatted_text_of_any_length_is_whole_and_without_nul)
{
    struct btk_buffer buffer;
    btk_buffer_init(&buffer);
    for (int width = 0; width < 600; width += 7)
        cr_assert_eq(btk_buffer_printf(&buffer, "%*d|", width, 5), 0);
    size_t bars = 0;
    for (size_t i = 0; i < buffer.length; i++) {
        cr_assert_neq(buffer.data[i], 0);
        bars += buffer.data[i] == '|';
    }
    cr_expect_eq(bars, 86);
    btk_buffer_clear(&buffer);
}

// --- json

static struct btk_json *parse(const char *text)
{
    struct btk_json *root = NULL;
    struct btk_error error = {.message = ""};
    cr_assert_eq(
        btk_json_parse((struct btk_bytes){(const uint8_t *)text, strlen(text)}, &root, &error), 0,
        "%s: %s", text, error.message);
    return root;
}

Test(json, values_are_what_they_are_and_nothing_else)
{
    struct btk_json *const root =
        parse("{\"t\":\"a\\u0000b\",\"i\":-9223372036854775808,\"r\":1.5,\"b\":true,\"n\":null,"
              "\"l\":[1,2,3],\"o\":{\"x\":1}}");
    struct btk_bytes text;
    int64_t integer;
    double number;
    bool flag;
    cr_assert(btk_json_try_string(btk_json_get(root, "t"), &text));
    cr_expect_eq(text.length, 3);
    cr_expect_eq(memcmp(text.data, "a\0b", 3), 0);
    cr_assert(btk_json_try_integer(btk_json_get(root, "i"), &integer));
    cr_expect_eq(integer, INT64_MIN);
    cr_assert(btk_json_try_number(btk_json_get(root, "r"), &number));
    cr_expect_eq(number, 1.5);
    cr_expect_not(btk_json_try_integer(btk_json_get(root, "r"), &integer));
    cr_assert(btk_json_try_bool(btk_json_get(root, "b"), &flag));
    cr_expect(flag);
    cr_expect(btk_json_is_null(btk_json_get(root, "n")));
    cr_expect(btk_json_is_null(btk_json_get(root, "missing")));
    cr_expect_eq(btk_json_count(btk_json_get(root, "l")), 3);
    cr_expect_null(btk_json_at(btk_json_get(root, "l"), 3));
    cr_expect_eq(btk_json_count(root), 7);
    cr_expect_not(btk_json_try_string(btk_json_get(root, "i"), &text));
    cr_expect_not(btk_json_try_bool(btk_json_get(root, "i"), &flag));
    btk_json_free(root);
}

Test(json, what_is_not_there_can_be_asked_anything)
{
    struct btk_bytes text;
    int64_t integer;
    double number;
    bool flag;
    void *cursor = NULL;
    const struct btk_json *value;
    cr_expect_eq(btk_json_type(NULL), BTK_JSON_NULL);
    cr_expect_not_null(btk_json_type_name(NULL));
    cr_expect(btk_json_is_null(NULL));
    cr_expect_null(btk_json_get(NULL, "x"));
    cr_expect_eq(btk_json_count(NULL), 0);
    cr_expect_null(btk_json_at(NULL, 0));
    cr_expect_not(btk_json_try_string(NULL, &text));
    cr_expect_not(btk_json_try_integer(NULL, &integer));
    cr_expect_not(btk_json_try_number(NULL, &number));
    cr_expect_not(btk_json_try_bool(NULL, &flag));
    cr_expect_not(btk_json_next(NULL, &cursor, &text, &value));
    btk_json_free(NULL);
}

Test(json, of_two_members_of_a_name_the_last_one_counts)
{
    struct btk_json *const root = parse("{\"a\":1,\"b\":2,\"a\":3}");
    int64_t integer = 0;
    cr_expect(btk_json_try_integer(btk_json_get(root, "a"), &integer));
    cr_expect_eq(integer, 3);
    btk_json_free(root);
}

Test(json, what_is_not_json_is_refused_with_the_byte_where_it_went_wrong)
{
    static const char *const texts[] = {
        "",    " ",          "{",           "[1,]",     "{\"a\"}",   "01",
        "1 2", "nul",        "\"\\ud800\"", "\"\x01\"", "\"\xff\"",  "\"a",
        "'a'", "{\"a\":1,}", "[1e999]",     "NaN",      "\"\\x41\"", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct btk_json *root = NULL;
        struct btk_error error = {.message = ""};
        const size_t length = strlen(texts[i]);
        char *const exact = malloc(length + !length);
        memcpy(exact, texts[i], length);
        cr_expect_eq(btk_json_parse((struct btk_bytes){(uint8_t *)exact, length}, &root, &error),
                     -EINVAL, "%s", texts[i]);
        cr_expect_null(root);
        cr_expect(error.offset <= length || error.offset == BTK_NO_OFFSET, "%s: %zu", texts[i],
                  (size_t)error.offset);
        free(exact);
    }
}

// --- json_writer

Test(json_writer, what_it_writes_is_read_back_as_it_was)
{
    struct btk_buffer buffer;
    struct btk_json_writer writer;
    uint8_t bytes[0x80 + 3];
    for (uint8_t i = 0; i < 0x80; i++) bytes[i] = i;
    memcpy(bytes + 0x80, "\xe4\xb8\xad", 3);
    const struct btk_bytes text = {bytes, sizeof bytes};
    const struct btk_bytes tail = {bytes + 1, sizeof bytes - 1}; // a name is without NUL
    btk_buffer_init(&buffer);
    btk_json_writer_init(&writer, &buffer);
    btk_json_begin_object(&writer);
    btk_json_name_text(&writer, tail);
    btk_json_text(&writer, text);
    btk_json_name(&writer, "numbers");
    btk_json_begin_array(&writer);
    btk_json_unsigned(&writer, INT64_MAX);
    btk_json_signed(&writer, INT64_MIN);
    btk_json_real(&writer, 0.25);
    btk_json_real(&writer, NAN);
    btk_json_real(&writer, -INFINITY);
    btk_json_bool(&writer, false);
    btk_json_null(&writer);
    btk_json_end_array(&writer);
    btk_json_end_object(&writer);
    cr_assert_eq(writer.status, 0);
    cr_assert_eq(btk_buffer_append(&buffer, "", 1), 0);
    struct btk_json *const root = parse((const char *)buffer.data);
    void *cursor = NULL;
    struct btk_bytes name, value_text;
    const struct btk_json *value;
    bool is_found = false;
    while (btk_json_next(root, &cursor, &name, &value)) {
        if (!btk_json_try_string(value, &value_text)) continue;
        is_found = true;
        cr_expect(name.length == tail.length && !memcmp(name.data, tail.data, tail.length));
        cr_expect(value_text.length == text.length
                  && !memcmp(value_text.data, text.data, text.length));
    }
    cr_expect(is_found);
    const struct btk_json *const numbers = btk_json_get(root, "numbers");
    int64_t integer;
    cr_expect(btk_json_try_integer(btk_json_at(numbers, 0), &integer) && integer == INT64_MAX);
    cr_expect(btk_json_try_integer(btk_json_at(numbers, 1), &integer) && integer == INT64_MIN);
    cr_expect(btk_json_is_null(btk_json_at(numbers, 3)));
    cr_expect(btk_json_is_null(btk_json_at(numbers, 4)));
    btk_json_free(root);
    btk_buffer_clear(&buffer);
}

Test(json_writer, arrays_of_numbers_of_every_length_stand_as_they_should)
{
    const uint32_t numbers[] = {0, 9, 10, 4294967295u, 1000000000, 7};
    struct btk_buffer buffer;
    struct btk_json_writer writer;
    btk_buffer_init(&buffer);
    btk_json_writer_init(&writer, &buffer);
    btk_json_begin_array(&writer);
    btk_json_unsigned_array(&writer, numbers, 0);
    btk_json_unsigned_array(&writer, numbers, 1);
    btk_json_unsigned_array(&writer, numbers, 6);
    btk_json_pair_array(&writer, numbers, 0);
    btk_json_pair_array(&writer, numbers, 3);
    btk_json_end_array(&writer);
    static const char expected[] = "[[],[0],[0,9,10,4294967295,1000000000,7],[],"
                                   "[[0,9],[10,4294967295],[1000000000,7]]]";
    cr_expect_eq(buffer.length, sizeof expected - 1);
    cr_expect_eq(memcmp(buffer.data, expected, sizeof expected - 1), 0);
    btk_buffer_clear(&buffer);
}

// --- histogram

static struct btk_histogram histogram;
static struct btk_histogram_snapshot snapshot, other;

Test(histogram, percentiles_are_within_a_bucket_of_the_truth)
{
    for (uint64_t i = 1; i <= 100000; i++) btk_histogram_record(&histogram, i * 100);
    btk_histogram_read(&histogram, &snapshot);
    cr_expect_eq(snapshot.count, 100000);
    cr_expect_eq(snapshot.max_ns, 10000000);
    cr_expect_eq(snapshot.sum_ns, UINT64_C(100) * 100000 * 100001 / 2);
    for (double quantile = 0.01; quantile < 1; quantile += 0.01) {
        const double found = (double)btk_histogram_percentile(&snapshot, quantile);
        cr_assert_float_eq(found / (quantile * 10000000), 1, 0.033, "%g", quantile);
    }
    cr_expect_eq(btk_histogram_percentile(&snapshot, 1), 10000000);
}

Test(histogram, small_values_are_exact_and_the_largest_are_counted)
{
    for (uint64_t i = 0; i < 64; i++) btk_histogram_record(&histogram, i);
    btk_histogram_read(&histogram, &snapshot);
    for (uint64_t i = 0; i < 64; i++) cr_expect_eq(btk_histogram_count_below(&snapshot, i), i + 1);
    btk_histogram_record(&histogram, UINT64_MAX);
    btk_histogram_record(&histogram, UINT64_C(1) << 40);
    btk_histogram_read(&histogram, &snapshot);
    cr_expect_eq(snapshot.count, 66);
    cr_expect_eq(snapshot.max_ns, UINT64_MAX);
}

Test(histogram, merged_ones_are_the_sum_and_subtracting_gives_back_the_rest)
{
    btk_histogram_record(&histogram, 10);
    btk_histogram_record(&histogram, 1000);
    btk_histogram_read(&histogram, &snapshot);
    btk_histogram_merge(&other, &snapshot);
    btk_histogram_merge(&other, &snapshot);
    cr_expect_eq(other.count, 4);
    cr_expect_eq(other.sum_ns, 2020);
    btk_histogram_subtract(&other, &snapshot);
    cr_expect_eq(other.count, 2);
    cr_expect_eq(other.sum_ns, 1010);
    btk_histogram_subtract(&snapshot, &other);
    btk_histogram_subtract(&snapshot, &other);
    cr_expect_eq(snapshot.count, 0, "counts that went back are nothing");
}

Test(histogram, an_empty_one_has_no_percentiles)
{
    btk_histogram_read(&histogram, &snapshot);
    cr_expect_eq(btk_histogram_percentile(&snapshot, 0.5), 0);
    cr_expect_eq(btk_histogram_percentile(&snapshot, 1), 0);
    cr_expect_eq(btk_histogram_count_below(&snapshot, UINT64_MAX), 0);
}

// --- utf8

Test(utf8, every_code_point_comes_back)
{
    for (uint32_t code_point = 0; code_point < 0x110000; code_point++) {
        if (code_point >= 0xd800 && code_point < 0xe000) continue;
        uint8_t bytes[4];
        size_t length, skip;
        const size_t written = btk_utf8_encode(code_point, bytes);
        cr_assert_eq(btk_utf8_check(bytes, written, &skip), written);
        cr_assert_eq(btk_utf8_decode(bytes, &length), code_point);
        cr_assert_eq(length, written);
        for (size_t cut = 1; cut < written; cut++) {
            cr_assert_eq(btk_utf8_check(bytes, cut, &skip), 0);
            cr_assert_eq(skip, cut, "a part of a character is one error");
        }
    }
}

Test(utf8, surrogates_overlong_forms_and_what_is_beyond_are_invalid)
{
    static const struct {
        const char *bytes;
        size_t skip;
    } cases[] = {
        {"\x80", 1},         {"\xbf", 1},         {"\xc0\x80", 1},         {"\xc1\xbf", 1},
        {"\xe0\x80\x80", 1}, {"\xe0\x9f\xbf", 1}, {"\xed\xa0\x80", 1},     {"\xed\xbf\xbf", 1},
        {"\xf0\x80\x80", 1}, {"\xf0\x8f\xbf", 1}, {"\xf4\x90\x80\x80", 1}, {"\xf5\x80\x80\x80", 1},
        {"\xff", 1},         {"\xe4\xb8!", 2},    {"\xf0\x9f\x98!", 3},    {"\xc3!", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t skip = 0;
        const size_t length = strlen(cases[i].bytes);
        cr_expect_eq(btk_utf8_check((const uint8_t *)cases[i].bytes, length, &skip), 0);
        cr_expect_eq(skip, cases[i].skip, "case %zu: %zu", i, skip);
    }
    const uint8_t text[] = "ab\xc3\xa9\xff";
    cr_expect_eq(btk_utf8_valid_prefix(text, 5), 4);
    cr_expect_eq(btk_utf8_valid_prefix(text, 3), 2);
    cr_expect_eq(btk_utf8_valid_prefix(text, 0), 0);
    cr_expect_eq(btk_utf8_count(text, 4), 3);
}
