// SPDX-License-Identifier: Apache-2.0
// Reading JSON (RFC 8259), with bounds, as the reference's serde_json reads it: the same is refused,
// containers are at most 127 deep, and decimal fractions become the same doubles (json_number.h). No
// library has that, nor U+0000 in names, which vocabularies have.
//
// Strings are always valid UTF-8: a lone surrogate escape or bytes that are not UTF-8 are a parse
// error. Of two members with the same name the last one counts, as in the reference's parser, at the
// place of the first one. Integers of more than 64 bits are numbers, but no integers.
//
// Ownership: btk_json_free() on the root frees the document; every value and every string in it is
// borrowed until then. Threads: different documents are independent.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_json; // a value: the root, or inside one

enum btk_json_type {
    BTK_JSON_NULL,
    BTK_JSON_BOOL,
    BTK_JSON_INTEGER,
    BTK_JSON_REAL,
    BTK_JSON_STRING,
    BTK_JSON_ARRAY,
    BTK_JSON_OBJECT,
};

// Parses exactly one value. -EINVAL (error->offset: the byte where it went wrong); -EILSEQ: the same,
// and what is wrong are bytes that are not UTF-8 or a lone surrogate; -ENOMEM.
BTK_MUST_USE int btk_json_parse(struct btk_bytes text, struct btk_json **out_root,
                                struct btk_error *error);
void btk_json_free(struct btk_json *root); // NULL is fine

enum btk_json_type btk_json_type(const struct btk_json *value); // NULL: BTK_JSON_NULL
const char *btk_json_type_name(const struct btk_json *value); // "null", "a string", ...; "nothing"

// All take NULL and values of another type, and then say: not there.
bool btk_json_is_null(const struct btk_json *value); // null, or not there at all
const struct btk_json *btk_json_get(const struct btk_json *object, const char *name);
size_t btk_json_count(const struct btk_json *array_or_object);
const struct btk_json *btk_json_at(const struct btk_json *array, size_t index);
bool btk_json_try_string(const struct btk_json *value, struct btk_bytes *out_text);
bool btk_json_try_integer(const struct btk_json *value, int64_t *out_number);
bool btk_json_try_number(const struct btk_json *value, double *out_number); // integers too
bool btk_json_try_bool(const struct btk_json *value, bool *out_flag);

// Walks the members of an object in the order of the file: begin with *cursor = NULL.
bool btk_json_next(const struct btk_json *object, void **cursor, struct btk_bytes *out_name,
                   const struct btk_json **out_value);
