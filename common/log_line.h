// SPDX-License-Identifier: Apache-2.0
// One line of a log, made of keys and values: key=value, or a JSON object.
//
// What does not fit is left out key by key, so a line is always whole. Values never end a line or a
// string: they are quoted and escaped. Threads: no state.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BTK_LOG_LINE_BYTES = 1024, BTK_LOG_VALUE_BYTES_MAX = 400 };

struct btk_log_line {
    char text[BTK_LOG_LINE_BYTES];
    size_t length;
    bool is_json;
    bool is_full; // a key did not fit: nothing follows it
};

void btk_log_line_begin(struct btk_log_line *line, bool is_json);
void btk_log_line_add_string(struct btk_log_line *line, const char *key, const char *value);
void btk_log_line_add_unsigned(struct btk_log_line *line, const char *key, uint64_t value);
// "key=%u other=%s": the format of btk_log().
void btk_log_line_add_format(struct btk_log_line *line, const char *format, va_list arguments);
// With the end of the line.
void btk_log_line_end(struct btk_log_line *line);
