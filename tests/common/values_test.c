// SPDX-License-Identifier: Apache-2.0
// Buffers, JSON in and out, UTF-8: what is pure arithmetic on bytes.
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
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

Test(json, names_of_large_objects_are_told_apart_and_keep_their_order)
{
    struct btk_buffer text;
    btk_buffer_init(&text);
    cr_assert_eq(btk_buffer_append(&text, "{", 1), 0);
    for (unsigned i = 0; i < 3000; i++)
        cr_assert_eq(btk_buffer_printf(&text, "%s\"n%u\\u0000\":%u", i ? "," : "", i % 1000, i), 0);
    cr_assert_eq(btk_buffer_append(&text, "}", 2), 0);
    struct btk_json *const root = parse((const char *)text.data);
    cr_expect_eq(btk_json_count(root), 1000);
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    for (int64_t i = 0; i < 1000; i++) {
        int64_t number = 0;
        cr_assert(btk_json_next(root, &cursor, &name, &value));
        cr_assert(btk_json_try_integer(value, &number));
        cr_assert_eq(number, 2000 + i);
        cr_assert_eq(name.data[name.length - 1], 0);
    }
    cr_expect_not(btk_json_next(root, &cursor, &name, &value));
    btk_json_free(root);
    btk_buffer_clear(&text);
}

Test(json, strings_are_what_their_escapes_say)
{
    struct btk_json *const root =
        parse(" [ \"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"x\\u00e9\\u4e2D\\ud83d\\ude00\xc3\xa9 long "
              "enough to be skipped"
              " \\u0041\" , \"\" ] ");
    static const char *const wanted[] = {
        "\"\\/\b\f\n\r\t",
        "x\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\xc3\xa9 long enough to be skipped A", ""};
    for (size_t i = 0; i < 3; i++) {
        struct btk_bytes text;
        cr_assert(btk_json_try_string(btk_json_at(root, i), &text));
        cr_expect(text.length == strlen(wanted[i]) && !memcmp(text.data, wanted[i], text.length),
                  "%zu", i);
    }
    btk_json_free(root);
}

// What serde_json makes of them, as it is built into the reference: the doubles beside the nearest
// ones were printed by it.
Test(json, fractions_become_the_doubles_of_the_reference)
{
    static const struct {
        const char *text;
        double value;
    } numbers[] = {
        {"0", 0x0.0p+0},
        {"-0", -0x0.0p+0},
        {"-0.0", -0x0.0p+0},
        {"1", 0x1.0000000000000p+0},
        {"-5", -0x1.4000000000000p+2},
        {"1.5", 0x1.8000000000000p+0},
        {"1e3", 0x1.f400000000000p+9},
        {"1E-3", 0x1.0624dd2f1a9fcp-10},
        {"-1.25e+2", -0x1.f400000000000p+6},
        {"0.1", 0x1.999999999999ap-4},
        {"123456789012345678", 0x1.b69b4ba630f35p+56},
        {"9223372036854775807", 0x1.0000000000000p+63},
        {"9223372036854775808", 0x1.0000000000000p+63},
        {"18446744073709551615", 0x1.0000000000000p+64},
        {"18446744073709551616", 0x1.0000000000000p+64},
        {"99999999999999999999999", 0x1.52d02c7e14af6p+76},
        {"1844674407370955161.9", 0x1.999999999999ap+60},
        {"18446744073709551615.5", 0x1.0000000000000p+64},
        {"18446744073709551616.25", 0x1.0000000000000p+64},
        {"0.18446744073709551619", 0x1.79ca10c924224p-3},
        {"1e-400", 0x0.0p+0},
        {"0e999", 0x0.0p+0},
        {"1e308", 0x1.1ccf385ebc8a0p+1023},
        {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
        {"5e-324", 0x0.0000000000001p-1022},
        {"123e-330", 0x0.0p+0},
        {"1e-99999999999", 0x0.0p+0},
        {"0.000001e-310", 0x0.000000134d761p-1022},
        {"184467440737095516150.125e-3", 0x1.47ae147ae147bp+57},
        {"1000000000000000000000000000000.5e-20", 0x1.2a05f20000000p+33},
        {"-3.4821993518190937", -0x1.bdb8b5571b926p+1},
        {"-15.7114710497465075", -0x1.f6c45eef56c91p+3},
        {"-15.774121547280385", -0x1.f8c59a8d16576p+3},
        {"-4.80841485253888539", -0x1.33bd11a65054cp+2},
        {"-15.52882001826330434", -0x1.f0ec17f57d270p+3},
        {"-6.47887838483726167", -0x1.9ea5f18668ca4p+2},
        {"-0.93100251678008374071", -0x1.dcac5ca420d87p-1},
        {"-15.602077642656515", -0x1.f34438551b99bp+3},
        {"-1.2276544446347861", -0x1.3a478fca7ed5bp+0},
        {"-15.61436537056563048", -0x1.f3a8e190cbfa4p+3},
        {"-2.3623610788526114", -0x1.2e61d90b81f37p+1},
        {"-12.46446049566053663", -0x1.8edcdc41e4abap+3},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct btk_json *const root = parse(numbers[i].text);
        double number = 0;
        cr_assert(btk_json_try_number(root, &number));
        cr_expect_eq(memcmp(&number, &numbers[i].value, sizeof number), 0, "%s: %a, not %a",
                     numbers[i].text, number, numbers[i].value);
        btk_json_free(root);
    }
}

Test(json, containers_are_no_deeper_than_the_reference_has_them)
{
    char text[2 * 128 + 1];
    for (size_t depth = 127; depth <= 128; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct btk_json *root = NULL;
        struct btk_error error;
        cr_expect_eq(btk_json_parse((struct btk_bytes){(uint8_t *)text, 2 * depth}, &root, &error),
                     depth == 127 ? 0 : -EINVAL);
        btk_json_free(root);
    }
}

Test(json, what_is_not_json_is_refused_with_the_byte_where_it_went_wrong)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "{",
                                        "[1,]",
                                        "{\"a\"}",
                                        "01",
                                        "1 2",
                                        "nul",
                                        "\"\x01\"",
                                        "\"a",
                                        "'a'",
                                        "{\"a\":1,}",
                                        "[1e999]",
                                        "NaN",
                                        "\"\\x41\"",
                                        "-",
                                        "1.",
                                        "1e",
                                        ".5",
                                        "+1",
                                        "[1 2]",
                                        "{\"a\" 1}",
                                        "tru",
                                        "\"\\u12g4\"",
                                        "{1:2}",
                                        "[\"\n\"]",
                                        "\"\\",
                                        "\"\\u",
                                        "[",
                                        "{\"a\":",
                                        "1e99999999999",
                                        "\xef\xbb\xbf"
                                        "1"};
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

Test(json, what_is_no_unicode_is_told_apart)
{
    static const struct {
        const char *text;
        uint64_t offset;
    } cases[] = {{"\"\\ud800\"", 3},
                 {"\"a\xff\"", 2},
                 {"\"\\ud800\\u0041\"", 3},
                 {"\"\\udc00\"", 3},
                 {"\"\xc3\"", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct btk_json *root = NULL;
        struct btk_error error;
        const struct btk_bytes text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        cr_expect_eq(btk_json_parse(text, &root, &error), -EILSEQ, "%s", cases[i].text);
        cr_expect_null(root);
        cr_expect_eq(error.offset, cases[i].offset, "%s: %zu", cases[i].text, (size_t)error.offset);
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
