// SPDX-License-Identifier: Apache-2.0
#include "common/json_writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_DIGITS 20 // of a uint64_t

static void put(struct btk_json_writer *writer, const void *bytes, size_t length)
{
    if (writer->status == 0) writer->status = btk_buffer_append(writer->buffer, bytes, length);
}

static void begin_value(struct btk_json_writer *writer)
{
    if (writer->needs_comma) put(writer, ",", 1);
    writer->needs_comma = true;
}

static void open_bracket(struct btk_json_writer *writer, const char *bracket)
{
    begin_value(writer);
    put(writer, bracket, 1);
    writer->needs_comma = false;
}

static void close_bracket(struct btk_json_writer *writer, const char *bracket)
{
    put(writer, bracket, 1);
    writer->needs_comma = true;
}

void btk_json_begin_object(struct btk_json_writer *writer)
{
    open_bracket(writer, "{");
}

void btk_json_end_object(struct btk_json_writer *writer)
{
    close_bracket(writer, "}");
}

void btk_json_begin_array(struct btk_json_writer *writer)
{
    open_bracket(writer, "[");
}

void btk_json_end_array(struct btk_json_writer *writer)
{
    close_bracket(writer, "]");
}

static void put_escape(struct btk_json_writer *writer, uint8_t byte)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; short_forms[i]; i += 2) {
        if ((uint8_t)short_forms[i] != byte) continue;
        const char escape[2] = {'\\', short_forms[i + 1]};
        put(writer, escape, 2);
        return;
    }
    char escape[8];
    put(writer, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", byte));
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

static void put_quoted(struct btk_json_writer *writer, struct btk_bytes text)
{
    put(writer, "\"", 1);
    for (size_t at = 0; at < text.length;) {
        size_t end = at;
        while (end < text.length && is_plain(text.data[end])) end++;
        put(writer, text.data + at, end - at);
        if (end < text.length) put_escape(writer, text.data[end++]);
        at = end;
    }
    put(writer, "\"", 1);
}

void btk_json_name_text(struct btk_json_writer *writer, struct btk_bytes name)
{
    begin_value(writer);
    put_quoted(writer, name);
    put(writer, ":", 1);
    writer->needs_comma = false;
}

void btk_json_name(struct btk_json_writer *writer, const char *name)
{
    btk_json_name_text(writer, (struct btk_bytes){(const uint8_t *)name, strlen(name)});
}

void btk_json_text(struct btk_json_writer *writer, struct btk_bytes text)
{
    begin_value(writer);
    put_quoted(writer, text);
}

void btk_json_string(struct btk_json_writer *writer, const char *text)
{
    btk_json_text(writer, (struct btk_bytes){(const uint8_t *)text, strlen(text)});
}

// Writes the digits to the end of `out` and returns where they begin.
static char *format_unsigned(uint64_t number, char out[MAX_DIGITS])
{
    char *begin = out + MAX_DIGITS;
    do {
        *--begin = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return begin;
}

void btk_json_unsigned(struct btk_json_writer *writer, uint64_t number)
{
    char digits[MAX_DIGITS];
    begin_value(writer);
    const char *const begin = format_unsigned(number, digits);
    put(writer, begin, (size_t)(digits + MAX_DIGITS - begin));
}

void btk_json_signed(struct btk_json_writer *writer, int64_t number)
{
    char text[MAX_DIGITS + 2];
    begin_value(writer);
    put(writer, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)number));
}

void btk_json_real(struct btk_json_writer *writer, double number)
{
    char text[32];
    if (!isfinite(number)) {
        btk_json_null(writer);
        return;
    }
    begin_value(writer);
    put(writer, text, (size_t)snprintf(text, sizeof text, "%.10g", number));
}

void btk_json_bool(struct btk_json_writer *writer, bool flag)
{
    begin_value(writer);
    put(writer, flag ? "true" : "false", flag ? 4 : 5);
}

void btk_json_null(struct btk_json_writer *writer)
{
    begin_value(writer);
    put(writer, "null", 4);
}

static char *copy_number(char *out, uint32_t number)
{
    char digits[MAX_DIGITS];
    const char *const begin = format_unsigned(number, digits);
    const size_t length = (size_t)(digits + MAX_DIGITS - begin);
    memcpy(out, begin, length);
    return out + length;
}

// Reserves the most that `count` values of `width` bytes can take; NULL once writing has failed.
static char *reserve_values(struct btk_json_writer *writer, size_t count, size_t width)
{
    begin_value(writer);
    if (writer->status) return NULL;
    writer->status = btk_buffer_reserve(writer->buffer, count * width + 2);
    return writer->status ? NULL : (char *)writer->buffer->data + writer->buffer->length;
}

void btk_json_unsigned_array(struct btk_json_writer *writer, const uint32_t *numbers, size_t count)
{
    char *out = reserve_values(writer, count, sizeof "4294967295,");
    if (!out) return;
    *out++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (i) *out++ = ',';
        out = copy_number(out, numbers[i]);
    }
    *out++ = ']';
    writer->buffer->length = (size_t)((uint8_t *)out - writer->buffer->data);
}

void btk_json_pair_array(struct btk_json_writer *writer, const uint32_t *pairs, size_t pair_count)
{
    char *out = reserve_values(writer, pair_count, sizeof "[4294967295,4294967295],");
    if (!out) return;
    *out++ = '[';
    for (size_t i = 0; i < pair_count; i++) {
        if (i) *out++ = ',';
        *out++ = '[';
        out = copy_number(out, pairs[2 * i]);
        *out++ = ',';
        out = copy_number(out, pairs[2 * i + 1]);
        *out++ = ']';
    }
    *out++ = ']';
    writer->buffer->length = (size_t)((uint8_t *)out - writer->buffer->data);
}
