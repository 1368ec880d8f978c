// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http_inputs.h"

#include <errno.h>
#include <string.h>

#include "common/word_lists.h"
#include "ipc/document.h"

// The inputs of one request.
struct reading {
    struct btk_buffer inputs; // struct btk_encode_input
    struct btk_word_lists words;
    uint64_t text_bytes;
    bool has_shapes;
    struct btk_error *error;
};

static int refuse(const struct reading *reading, size_t index, const char *name,
                  const struct btk_json *value)
{
    return btk_error_set(reading->error, EINVAL, BTK_NO_OFFSET,
                         "inputs[%zu]%s: expected a string or a list of words, got %s", index, name,
                         btk_json_type_name(value));
}

static int read_text(struct reading *reading, size_t index, const char *name,
                     const struct btk_json *value, struct btk_encode_text *out_text)
{
    struct btk_bytes text;
    if (btk_json_type(value) == BTK_JSON_ARRAY) {
        const struct btk_json *wrong;
        const int rc = btk_word_lists_read(&reading->words, value, out_text, &wrong);
        reading->has_shapes = true;
        return rc == -EINVAL ? refuse(reading, index, name, wrong) : rc;
    }
    if (!btk_json_try_string(value, &text)) return refuse(reading, index, name, value);
    *out_text = (struct btk_encode_text){(const char *)text.data, text.length, NULL, 0};
    return 0;
}

static int read_object(struct reading *reading, size_t index, const struct btk_json *object,
                       struct btk_encode_input *input)
{
    const struct btk_json *words = btk_json_get(object, "words");
    const struct btk_json *pair = btk_json_get(object, "pair");
    const bool has_words = !btk_json_is_null(words);
    int rc = read_text(reading, index, has_words ? ".words" : ".text",
                       has_words ? words : btk_json_get(object, "text"), &input->text);
    if (rc != 0 || btk_json_is_null(pair)) return rc;
    input->has_pair = true;
    reading->has_shapes = true;
    return read_text(reading, index, ".pair", pair, &input->pair);
}

static int read_input(struct reading *reading, size_t index, const struct btk_json *value)
{
    struct btk_encode_input input = {0};
    struct btk_bytes text;
    int rc = 0;
    if (btk_json_try_string(value, &text))
        input.text = (struct btk_encode_text){(const char *)text.data, text.length, NULL, 0};
    else if (btk_json_type(value) == BTK_JSON_OBJECT)
        rc = read_object(reading, index, value, &input);
    else
        return btk_error_set(
            reading->error, EINVAL, BTK_NO_OFFSET,
            "inputs[%zu]: expected a string, or an object with \"text\" or \"words\", got %s",
            index, btk_json_type_name(value));
    return rc != 0 ? rc : btk_buffer_append(&reading->inputs, &input, sizeof input);
}

static int read_all(struct reading *reading, const struct btk_json *inputs)
{
    const bool is_list = btk_json_type(inputs) == BTK_JSON_ARRAY;
    const size_t count = is_list ? btk_json_count(inputs) : 1;
    if (btk_json_is_null(inputs))
        return btk_error_set(reading->error, EINVAL, BTK_NO_OFFSET,
                             "inputs: expected a string, an object or a list of them");
    if (count == 0)
        return btk_error_set(reading->error, EINVAL, BTK_NO_OFFSET, "inputs: cannot be empty");
    if (count > BTK_HTTP_INPUTS_MAX) return -EMSGSIZE;
    for (size_t i = 0; i < count; i++) {
        const int rc = read_input(reading, i, is_list ? btk_json_at(inputs, i) : inputs);
        if (rc != 0) return rc;
    }
    return 0;
}

// All inputs are read: their words do not move any more.
static void finish(struct reading *reading)
{
    struct btk_encode_input *inputs = (void *)reading->inputs.data;
    const size_t count = reading->inputs.length / sizeof *inputs;
    struct btk_word_lists_cursor cursor = {0};
    for (size_t i = 0; i < count; i++) {
        btk_word_lists_point(&reading->words, &cursor, &inputs[i].text);
        btk_word_lists_point(&reading->words, &cursor, &inputs[i].pair);
        reading->text_bytes +=
            reading->has_shapes ? btk_document_bytes(&inputs[i]) : inputs[i].text.bytes;
    }
}

static void write_documents(const struct reading *reading, struct btk_http_bridge *bridge,
                            const struct btk_http_job *job)
{
    const struct btk_encode_input *inputs = (const void *)reading->inputs.data;
    uint64_t *ends = (void *)(bridge->slab_address + job->table_offset);
    uint8_t *texts = bridge->slab_address + job->text_offset;
    uint64_t at = 0;
    for (uint32_t i = 0; i < job->document_count; i++) {
        if (reading->has_shapes) {
            btk_document_write(&inputs[i], texts + at);
            at += btk_document_bytes(&inputs[i]);
        } else {
            if (inputs[i].text.bytes > 0)
                memcpy(texts + at, inputs[i].text.data, inputs[i].text.bytes);
            at += inputs[i].text.bytes;
        }
        ends[i] = at;
    }
}

int btk_http_inputs_read(struct btk_http_bridge *bridge, const struct btk_json *inputs,
                         struct btk_http_job *job, struct btk_error *error)
{
    struct reading reading = {.error = error};
    int rc = read_all(&reading, inputs);
    if (rc == 0) {
        finish(&reading);
        const size_t count = reading.inputs.length / sizeof(struct btk_encode_input);
        rc = btk_http_bridge_reserve(bridge, job, reading.text_bytes, (uint32_t)count);
    }
    if (rc == 0) {
        write_documents(&reading, bridge, job);
        if (reading.has_shapes) job->flags |= BTK_BATCH_HAS_SHAPES;
    }
    btk_buffer_clear(&reading.inputs);
    btk_word_lists_clear(&reading.words);
    return rc;
}

static struct btk_bytes document_of(const struct btk_http_bridge *bridge,
                                    const struct btk_http_job *job, uint32_t index)
{
    const uint64_t *ends = (const void *)(bridge->slab_address + job->table_offset);
    const uint64_t begin = index == 0 ? 0 : ends[index - 1];
    return (struct btk_bytes){bridge->slab_address + job->text_offset + begin, ends[index] - begin};
}

int btk_http_inputs_get(const struct btk_http_bridge *bridge, const struct btk_http_job *job,
                        uint32_t index, struct btk_buffer *copy, struct btk_encode_input *out_input)
{
    const struct btk_bytes document = document_of(bridge, job, index);
    *out_input =
        (struct btk_encode_input){.text = {(const char *)document.data, document.length, NULL, 0}};
    if ((job->flags & BTK_BATCH_HAS_SHAPES) == 0) return 0;
    copy->length = 0;
    const int rc = btk_buffer_append(copy, document.data, document.length);
    struct btk_error error;
    return rc != 0
               ? rc
               : btk_document_read((struct btk_bytes){copy->data, copy->length}, out_input, &error);
}
