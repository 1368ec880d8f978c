// SPDX-License-Identifier: Apache-2.0
#include "tools/request_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"

static bool refuse(struct btk_request_error *error, const char *code, const char *format, ...)
    BTK_PRINTF(3, 4);

static bool refuse(struct btk_request_error *error, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    error->code = code;
    error->offset = BTK_NO_OFFSET;
    return false;
}

bool btk_request_json_special_tokens(const struct btk_json *line,
                                     const struct btk_request_json_rules *rules)
{
    bool value = rules->add_special_tokens;
    const struct btk_json *const options = btk_json_get(line, "options");
    return btk_json_try_bool(btk_json_get(options, "add_special_tokens"), &value)
               ? value
               : rules->add_special_tokens;
}

// What the next version brings is refused, not ignored; null turns it off.
static bool check_options(const struct btk_json *options, struct btk_request_error *error)
{
    if (btk_json_is_null(options)) return true;
    if (btk_json_type(options) != BTK_JSON_OBJECT)
        return refuse(error, "malformed", "\"options\" is to be an object, but is %s",
                      btk_json_type_name(options));
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    while (btk_json_next(options, &cursor, &name, &value)) {
        const bool is_known = name.length == strlen("add_special_tokens")
                              && memcmp(name.data, "add_special_tokens", name.length) == 0;
        if (is_known && btk_json_type(value) != BTK_JSON_BOOL && !btk_json_is_null(value))
            return refuse(error, "malformed", "\"add_special_tokens\" is to be true or false");
        if (!is_known && !btk_json_is_null(value))
            return refuse(error, "not_supported",
                          "the option \"%.*s\" is not supported by this version; supported: "
                          "add_special_tokens",
                          (int)btk_min_size(name.length, 60), (const char *)name.data);
    }
    return true;
}

static bool append_ids(const struct btk_json *object, struct btk_request_batch *batch,
                       struct btk_request_error *error, bool *out_is_out_of_memory)
{
    const struct btk_json *const ids = btk_json_get(object, "ids");
    if (btk_json_type(ids) != BTK_JSON_ARRAY)
        return refuse(error, "malformed", "the line has no \"ids\": [...]");
    for (size_t i = 0; i < btk_json_count(ids); i++) {
        int64_t number;
        if (!btk_json_try_integer(btk_json_at(ids, i), &number) || number < 0
            || number > UINT32_MAX)
            return refuse(error, "malformed", "ids[%zu] is not a number from 0 to 4294967295", i);
        const uint32_t id = (uint32_t)number;
        if (btk_buffer_append(&batch->text, &id, sizeof id) < 0) {
            *out_is_out_of_memory = true;
            return false;
        }
    }
    return true;
}

static bool append_text(const struct btk_json *object, const struct btk_request_json_rules *rules,
                        struct btk_request_batch *batch, struct btk_request_error *error,
                        bool *out_is_out_of_memory)
{
    struct btk_bytes text;
    if (!btk_json_is_null(btk_json_get(object, "pair")))
        return refuse(error, "not_supported", "\"pair\" is not supported by this version");
    if (!btk_json_is_null(btk_json_get(object, "words")))
        return refuse(error, "not_supported", "\"words\" is not supported by this version");
    if (!btk_json_try_string(btk_json_get(object, rules->text_key), &text))
        return refuse(error, "malformed", "the line has no \"%s\": \"...\"", rules->text_key);
    if (text.length > rules->document_bytes_max)
        return refuse(error, "too_large", "a document of %zu bytes; the most is %" PRIu64,
                      text.length, rules->document_bytes_max);
    if (btk_buffer_append(&batch->text, text.data, text.length) < 0) {
        *out_is_out_of_memory = true;
        return false;
    }
    return true;
}

static bool append_one(const struct btk_json *object, const struct btk_request_json_rules *rules,
                       struct btk_request_batch *batch, struct btk_request_line *line,
                       bool *out_is_out_of_memory)
{
    if (btk_json_type(object) != BTK_JSON_OBJECT)
        return refuse(&line->error, "malformed", "an object was expected, but %s was found",
                      btk_json_type_name(object));
    const bool is_good =
        rules->wants_ids ? append_ids(object, batch, &line->error, out_is_out_of_memory)
                         : append_text(object, rules, batch, &line->error, out_is_out_of_memory);
    if (!is_good) return false;
    line->document_count++;
    *out_is_out_of_memory = btk_request_end_document(batch) < 0;
    return !*out_is_out_of_memory;
}

static bool append_all(const struct btk_json *object, const struct btk_request_json_rules *rules,
                       struct btk_request_batch *batch, struct btk_request_line *line,
                       bool *out_is_out_of_memory)
{
    if (!check_options(btk_json_get(object, "options"), &line->error)) return false;
    const struct btk_json *const list = btk_json_get(object, "batch");
    if (btk_json_is_null(list)) return append_one(object, rules, batch, line, out_is_out_of_memory);
    if (btk_json_type(list) != BTK_JSON_ARRAY)
        return refuse(&line->error, "malformed", "\"batch\" is to be a list");
    line->is_batch = true;
    for (size_t i = 0; i < btk_json_count(list); i++)
        if (!append_one(btk_json_at(list, i), rules, batch, line, out_is_out_of_memory))
            return false;
    return true;
}

int btk_request_json_append(const struct btk_json *line, const struct btk_request_json_rules *rules,
                            struct btk_request_batch *batch)
{
    const size_t text_before = batch->text.length, ends_before = batch->ends.length;
    struct btk_request_line result = {0};
    bool is_out_of_memory = false;
    if (!append_all(line, rules, batch, &result, &is_out_of_memory)) {
        if (is_out_of_memory) return -ENOMEM;
        batch->text.length = text_before;
        batch->ends.length = ends_before;
        result.document_count = 0;
    }
    return btk_request_add_line(batch, &result);
}
