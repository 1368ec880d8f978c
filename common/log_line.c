// SPDX-License-Identifier: Apache-2.0
#include "common/log_line.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

enum {
    KEY_BYTES_MAX = 64,
    END_BYTES = 2,   // "}\n"
    ESCAPE_BYTES = 8 // the longest piece that is added at once
};

void btk_log_line_begin(struct btk_log_line *line, bool is_json)
{
    line->length = 0;
    line->is_json = is_json;
    line->is_full = false;
}

static void add(struct btk_log_line *line, const char *text, size_t length)
{
    if (line->length + length > sizeof line->text - END_BYTES) line->is_full = true;
    if (line->is_full) return;
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void add_text(struct btk_log_line *line, const char *text)
{
    add(line, text, strlen(text));
}

static void add_key(struct btk_log_line *line, const char *key)
{
    if (!line->is_json) {
        if (line->length > 0) add_text(line, " ");
        add_text(line, key);
        add_text(line, "=");
        return;
    }
    add_text(line, line->length == 0 ? "{\"" : ",\"");
    add_text(line, key);
    add_text(line, "\":");
}

// --- Strings

static bool is_bare(const char *text)
{
    static const char marks[] = "_-./:@%+,[]*";
    size_t length = 0;
    for (; text[length] != 0; length++) {
        const char c = text[length];
        const bool is_word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && strchr(marks, c) == NULL) return false;
    }
    return length > 0 && length <= BTK_LOG_VALUE_BYTES_MAX;
}

// The next piece of a string, escaped; returns how much of the string it stands for.
static size_t escape(const char *text, size_t left, bool is_json, char out[ESCAPE_BYTES])
{
    size_t skip = 0;
    const unsigned char c = (unsigned char)text[0];
    const size_t length = btk_utf8_check((const uint8_t *)text, left, &skip);
    if (length == 0) {
        snprintf(out, ESCAPE_BYTES, is_json ? "\\ufffd" : "\\x%02x", c);
        return is_json ? skip : 1;
    }
    if (c == '"' || c == '\\')
        snprintf(out, ESCAPE_BYTES, "\\%c", c);
    else if (c == '\n' || c == '\t')
        snprintf(out, ESCAPE_BYTES, "\\%c", c == '\n' ? 'n' : 't');
    else if (c < 0x20 || c == 0x7f)
        snprintf(out, ESCAPE_BYTES, is_json ? "\\u%04x" : "\\x%02x", c);
    else
        snprintf(out, ESCAPE_BYTES, "%.*s", (int)length, text);
    return length;
}

static void add_quoted(struct btk_log_line *line, const char *text)
{
    const size_t length = strlen(text);
    size_t at = 0;
    add_text(line, "\"");
    while (at < length && at < BTK_LOG_VALUE_BYTES_MAX) {
        char piece[ESCAPE_BYTES];
        at += escape(text + at, length - at, line->is_json, piece);
        add_text(line, piece);
    }
    add_text(line, at < length ? "...\"" : "\"");
}

static void add_value(struct btk_log_line *line, const char *text)
{
    if (!line->is_json && is_bare(text))
        add_text(line, text);
    else
        add_quoted(line, text);
}

// --- Members

// Takes back a member that did not fit.
static void settle(struct btk_log_line *line, size_t before)
{
    if (line->is_full) line->length = before;
}

void btk_log_line_add_string(struct btk_log_line *line, const char *key, const char *value)
{
    const size_t before = line->length;
    add_key(line, key);
    add_value(line, value);
    settle(line, before);
}

static void add_number(struct btk_log_line *line, const char *key, const char *digits)
{
    const size_t before = line->length;
    add_key(line, key);
    add_text(line, digits);
    settle(line, before);
}

void btk_log_line_add_unsigned(struct btk_log_line *line, const char *key, uint64_t value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    add_number(line, key, digits);
}

// --- Formats

// An integer of the size that `length` (the letters before the conversion) says.
static long long take_signed(va_list *arguments, const char *length)
{
    if (strncmp(length, "ll", 2) == 0) return va_arg(*arguments, long long);
    if (length[0] == 'l') return va_arg(*arguments, long);
    if (length[0] == 'z') return va_arg(*arguments, ssize_t);
    return va_arg(*arguments, int);
}

static unsigned long long take_unsigned(va_list *arguments, const char *length)
{
    if (strncmp(length, "ll", 2) == 0) return va_arg(*arguments, unsigned long long);
    if (length[0] == 'l') return va_arg(*arguments, unsigned long);
    if (length[0] == 'z') return va_arg(*arguments, size_t);
    return va_arg(*arguments, unsigned);
}

// `conversion` is what follows the percent sign. Returns how long it was.
static size_t add_conversion(struct btk_log_line *line, const char *key, const char *conversion,
                             va_list *arguments)
{
    char digits[64] = "";
    const size_t size = strspn(conversion, "lz");
    switch (conversion[size]) {
    case 's': btk_log_line_add_string(line, key, va_arg(*arguments, const char *)); return size + 1;
    case 'd':
    case 'i': snprintf(digits, sizeof digits, "%lld", take_signed(arguments, conversion)); break;
    case 'u': snprintf(digits, sizeof digits, "%llu", take_unsigned(arguments, conversion)); break;
    case 'x':
        snprintf(digits, sizeof digits, "0x%llx", take_unsigned(arguments, conversion));
        btk_log_line_add_string(line, key, digits);
        return size + 1;
    case 'g': snprintf(digits, sizeof digits, "%g", va_arg(*arguments, double)); break;
    default: assert(false); return size + 1; // a conversion that logs do not have
    }
    add_number(line, key, digits);
    return size + 1;
}

// A value that stands in the format itself.
static size_t add_literal(struct btk_log_line *line, const char *key, const char *format)
{
    char text[KEY_BYTES_MAX];
    const size_t length = strcspn(format, " ");
    assert(length < sizeof text);
    memcpy(text, format, length);
    text[length] = 0;
    btk_log_line_add_string(line, key, text);
    return length;
}

void btk_log_line_add_format(struct btk_log_line *line, const char *format, va_list arguments)
{
    va_list rest;
    va_copy(rest, arguments);
    while (*format != 0) {
        char key[KEY_BYTES_MAX];
        const size_t length = strcspn(format, "=");
        assert(format[length] == '=' && length < sizeof key);
        memcpy(key, format, length);
        key[length] = 0;
        format += length + 1;
        if (*format == '%')
            format += 1 + add_conversion(line, key, format + 1, &rest);
        else
            format += add_literal(line, key, format);
        assert(*format == 0 || *format == ' ');
        format += *format == ' ';
    }
    va_end(rest);
}

void btk_log_line_end(struct btk_log_line *line)
{
    // add() left room for it.
    if (line->is_json) line->text[line->length++] = '}';
    line->text[line->length++] = '\n';
}
