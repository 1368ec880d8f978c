// SPDX-License-Identifier: Apache-2.0
#include "common/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static json_t *inner(const struct btk_json *value)
{
    return (json_t *)(uintptr_t)value;
}

static const struct btk_json *outer(const json_t *value)
{
    return (const struct btk_json *)value;
}

int btk_json_parse(struct btk_bytes text, struct btk_json **out_root, struct btk_error *error)
{
    json_error_t failure;
    if (!text.length)
        return btk_error_set(error, EINVAL, 0, "not valid JSON: there is nothing in it");
    json_t *const root = json_loadb((const char *)text.data, text.length,
                                    JSON_ALLOW_NUL | JSON_DECODE_ANY, &failure);
    if (!root) {
        const bool no_memory = json_error_code(&failure) == json_error_out_of_memory;
        const uint64_t offset = failure.position < 0 ? BTK_NO_OFFSET : (uint64_t)failure.position;
        return btk_error_set(error, no_memory ? ENOMEM : EINVAL, offset,
                             "not valid JSON at byte %d (line %d): %s", failure.position,
                             failure.line, failure.text);
    }
    *out_root = (struct btk_json *)root;
    return 0;
}

void btk_json_free(struct btk_json *root)
{
    json_decref((json_t *)root);
}

enum btk_json_type btk_json_type(const struct btk_json *value)
{
    if (!value) return BTK_JSON_NULL;
    switch (json_typeof(inner(value))) {
    case JSON_OBJECT: return BTK_JSON_OBJECT;
    case JSON_ARRAY: return BTK_JSON_ARRAY;
    case JSON_STRING: return BTK_JSON_STRING;
    case JSON_INTEGER: return BTK_JSON_INTEGER;
    case JSON_REAL: return BTK_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE: return BTK_JSON_BOOL;
    case JSON_NULL: break;
    }
    return BTK_JSON_NULL;
}

const char *btk_json_type_name(const struct btk_json *value)
{
    static const char *const names[] = {"null",     "a boolean", "an integer", "a number",
                                        "a string", "an array",  "an object"};
    return value ? names[btk_json_type(value)] : "nothing";
}

bool btk_json_is_null(const struct btk_json *value)
{
    return !value || json_is_null(inner(value));
}

const struct btk_json *btk_json_get(const struct btk_json *object, const char *name)
{
    return outer(json_object_get(inner(object), name));
}

size_t btk_json_count(const struct btk_json *array_or_object)
{
    json_t *const value = inner(array_or_object);
    return json_is_array(value) ? json_array_size(value) : json_object_size(value);
}

const struct btk_json *btk_json_at(const struct btk_json *array, size_t index)
{
    return outer(json_array_get(inner(array), index));
}

bool btk_json_try_string(const struct btk_json *value, struct btk_bytes *out_text)
{
    if (!json_is_string(inner(value))) return false;
    out_text->data = (const uint8_t *)json_string_value(inner(value));
    out_text->length = json_string_length(inner(value));
    return true;
}

bool btk_json_try_integer(const struct btk_json *value, int64_t *out_number)
{
    if (!json_is_integer(inner(value))) return false;
    *out_number = json_integer_value(inner(value));
    return true;
}

bool btk_json_try_number(const struct btk_json *value, double *out_number)
{
    if (!json_is_number(inner(value))) return false;
    *out_number = json_number_value(inner(value));
    return true;
}

bool btk_json_try_bool(const struct btk_json *value, bool *out_flag)
{
    if (!json_is_boolean(inner(value))) return false;
    *out_flag = json_is_true(inner(value));
    return true;
}

bool btk_json_next(const struct btk_json *object, void **cursor, struct btk_bytes *out_name,
                   const struct btk_json **out_value)
{
    json_t *const members = inner(object);
    if (!json_is_object(members)) return false;
    *cursor = *cursor ? json_object_iter_next(members, *cursor) : json_object_iter(members);
    if (!*cursor) return false;
    out_name->data = (const uint8_t *)json_object_iter_key(*cursor);
    out_name->length = json_object_iter_key_len(*cursor);
    *out_value = outer(json_object_iter_value(*cursor));
    return true;
}
