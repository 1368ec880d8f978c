// SPDX-License-Identifier: Apache-2.0
// Appends JSON to a buffer; puts the commas itself.
//
// Our own because a result of a million tokens is a million numbers: they are written straight into
// the buffer, without a tree in between. A failure (-ENOMEM) is remembered in `status` and turns
// all that follows into nothing, so callers check once, at the end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"

struct btk_json_writer {
    struct btk_buffer *buffer; // borrowed
    int status;                // 0, or -ENOMEM
    bool needs_comma;
};

static inline void btk_json_writer_init(struct btk_json_writer *writer, struct btk_buffer *buffer)
{
    *writer = (struct btk_json_writer){.buffer = buffer};
}

void btk_json_begin_object(struct btk_json_writer *writer);
void btk_json_end_object(struct btk_json_writer *writer);
void btk_json_begin_array(struct btk_json_writer *writer);
void btk_json_end_array(struct btk_json_writer *writer);

// The name of the next member: a literal that needs no escaping.
void btk_json_name(struct btk_json_writer *writer, const char *name);
// The same for names that came from outside.
void btk_json_name_text(struct btk_json_writer *writer, struct btk_bytes name);

void btk_json_string(struct btk_json_writer *writer, const char *text);
// Valid UTF-8; control characters, quotes and backslashes are escaped, all else stays as it is.
void btk_json_text(struct btk_json_writer *writer, struct btk_bytes text);
void btk_json_unsigned(struct btk_json_writer *writer, uint64_t number);
void btk_json_signed(struct btk_json_writer *writer, int64_t number);
void btk_json_real(struct btk_json_writer *writer, double number); // not finite: null
void btk_json_bool(struct btk_json_writer *writer, bool flag);
void btk_json_null(struct btk_json_writer *writer);

// [1,2,3] and [[1,2],[3,4]]: the hot ones.
void btk_json_unsigned_array(struct btk_json_writer *writer, const uint32_t *numbers, size_t count);
void btk_json_pair_array(struct btk_json_writer *writer, const uint32_t *pairs, size_t pair_count);
