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

// What is being appended: the buffers, and what stops it.
struct appending {
    const struct btk_request_json_rules *rules;
    struct btk_request_batch *batch;
    struct btk_request_error *error;
    bool *out_is_out_of_memory;
    size_t begin; // of the document in batch->text
};

static bool append(const struct appending *to, struct btk_buffer *buffer, const void *bytes,
                   size_t length)
{
    if (btk_buffer_append(buffer, bytes, length) == 0) return true;
    *to->out_is_out_of_memory = true;
    return false;
}

static bool append_string(const struct appending *to, struct btk_bytes text)
{
    const uint64_t bytes = to->batch->text.length - to->begin + text.length;
    if (bytes > to->rules->document_bytes_max)
        return refuse(to->error, "too_large",
                      "a document of %" PRIu64 " bytes; the most is %" PRIu64, bytes,
                      to->rules->document_bytes_max);
    return append(to, &to->batch->text, text.data, text.length);
}

// A list of words; their ends count from the beginning of their text.
static bool append_words(const struct appending *to, const struct btk_json *list, const char *name,
                         uint32_t *out_count)
{
    const size_t begin = to->batch->text.length, count = btk_json_count(list);
    if (count > UINT32_MAX - 1)
        return refuse(to->error, "too_large", "\"%s\" has %zu words", name, count);
    for (size_t i = 0; i < count; i++) {
        struct btk_bytes word;
        if (!btk_json_try_string(btk_json_at(list, i), &word))
            return refuse(to->error, "malformed", "%s[%zu] is not a string", name, i);
        if (!append_string(to, word)) return false;
        const uint64_t end = to->batch->text.length - begin;
        if (!append(to, &to->batch->word_ends, &end, sizeof end)) return false;
    }
    *out_count = (uint32_t)count;
    return true;
}

// A text, or words where a list stands.
static bool append_either(const struct appending *to, const struct btk_json *value,
                          const char *name, bool *out_is_split, uint32_t *out_word_count)
{
    struct btk_bytes text;
    *out_is_split = btk_json_type(value) == BTK_JSON_ARRAY;
    if (*out_is_split) return append_words(to, value, name, out_word_count);
    if (btk_json_try_string(value, &text)) return append_string(to, text);
    return refuse(to->error, "malformed", "\"%s\" is to be a string or a list of words, but is %s",
                  name, btk_json_type_name(value));
}

static bool append_text(const struct appending *to, const struct btk_json *object,
                        struct btk_request_shape *shape)
{
    const struct btk_json *const words = btk_json_get(object, "words");
    const struct btk_json *const pair = btk_json_get(object, "pair");
    const char *const name = btk_json_is_null(words) ? to->rules->text_key : "words";
    const struct btk_json *const text = btk_json_get(object, name);
    *shape =
        (struct btk_request_shape){.pair_begin = BTK_REQUEST_NO_PAIR,
                                   .first_word = to->batch->word_ends.length / sizeof(uint64_t)};
    if (btk_json_is_null(text))
        return refuse(to->error, "malformed", "the line has no \"%s\": \"...\"", name);
    if (!append_either(to, text, name, &shape->is_split, &shape->word_count)) return false;
    if (btk_json_is_null(pair)) return true;
    shape->pair_begin = to->batch->text.length - to->begin;
    return append_either(to, pair, "pair", &shape->pair_is_split, &shape->pair_word_count);
}

static bool is_plain(const struct btk_request_shape *shape)
{
    return shape->pair_begin == BTK_REQUEST_NO_PAIR && !shape->is_split;
}

static bool append_one(const struct btk_json *object, const struct btk_request_json_rules *rules,
                       struct btk_request_batch *batch, struct btk_request_line *line,
                       bool *out_is_out_of_memory)
{
    if (btk_json_type(object) != BTK_JSON_OBJECT)
        return refuse(&line->error, "malformed", "an object was expected, but %s was found",
                      btk_json_type_name(object));
    struct btk_request_shape shape = {.pair_begin = BTK_REQUEST_NO_PAIR};
    const struct appending to = {rules, batch, &line->error, out_is_out_of_memory,
                                 batch->text.length};
    const bool is_good = rules->wants_ids
                             ? append_ids(object, batch, &line->error, out_is_out_of_memory)
                             : append_text(&to, object, &shape);
    if (!is_good) return false;
    line->document_count++;
    *out_is_out_of_memory = btk_request_end_document(batch, is_plain(&shape) ? NULL : &shape) < 0;
    return !*out_is_out_of_memory;
}

static bool append_all(const struct btk_json *object, const struct btk_request_json_rules *rules,
                       struct btk_request_batch *batch, struct btk_request_line *line,
                       bool *out_is_out_of_memory)
{
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
    const struct btk_request_batch before = *batch; // its lengths
    struct btk_request_line result = {0};
    bool is_out_of_memory = false;
    if (!append_all(line, rules, batch, &result, &is_out_of_memory)) {
        if (is_out_of_memory) return -ENOMEM;
        batch->text.length = before.text.length;
        batch->ends.length = before.ends.length;
        batch->shapes.length = before.shapes.length;
        batch->word_ends.length = before.word_ends.length;
        batch->has_shapes = before.has_shapes;
        result.document_count = 0;
    }
    return btk_request_add_line(batch, &result);
}
