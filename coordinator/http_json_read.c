// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "coordinator/http_json.h"
#include "ipc/control_messages.h"

static int wrong(struct btk_error *error, const char *what)
{
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s", what);
}

static bool is_array(const struct btk_json *value)
{
    return value != NULL && btk_json_type(value) == BTK_JSON_ARRAY;
}

// --- What both have

static int parse(struct btk_bytes body, struct btk_json **out_root, struct btk_error *error)
{
    struct btk_json *root = NULL;
    const int rc = btk_json_parse(body, &root, error);
    if (rc != 0) return rc;
    if (btk_json_type(root) != BTK_JSON_OBJECT) {
        btk_json_free(root);
        return wrong(error, "the body: expected a JSON object");
    }
    *out_root = root;
    return 0;
}

static int read_model(const struct btk_json *root, struct btk_http_job *job,
                      struct btk_error *error)
{
    const struct btk_json *model = btk_json_get(root, "model");
    struct btk_bytes name = {0};
    if (btk_json_is_null(model)) return 0;
    if (!btk_json_try_string(model, &name) || name.length >= sizeof job->tokenizer
        || memchr(name.data, 0, name.length) != NULL)
        return wrong(error, "model: expected the name of a tokenizer");
    memcpy(job->tokenizer, name.data, name.length);
    return 0;
}

static int read_flag(const struct btk_json *root, const char *name, bool *flag,
                     struct btk_error *error)
{
    const struct btk_json *value = btk_json_get(root, name);
    if (btk_json_is_null(value) || btk_json_try_bool(value, flag)) return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: expected true or false, got %s", name,
                         btk_json_type_name(value));
}

// --- /tokenize

// "special_text"; *flags gets its bits.
static int read_special_text(const struct btk_json *root, uint32_t *flags, struct btk_error *error)
{
    static const char *const names[] = {"default", "parse", "plain", "error"};
    const struct btk_json *value = btk_json_get(root, "special_text");
    struct btk_bytes text = {0};
    if (btk_json_is_null(value)) return 0;
    for (uint32_t i = 0; btk_json_try_string(value, &text) && i < BTK_ARRAY_COUNT(names); i++) {
        if (text.length != strlen(names[i]) || memcmp(text.data, names[i], text.length) != 0)
            continue;
        *flags |= i << BTK_OPTIONS_SPECIAL_TEXT_SHIFT;
        return 0;
    }
    return wrong(error, "special_text: expected parse, plain, error or default");
}

static int measure_texts(const struct btk_json *inputs, uint64_t *out_bytes,
                         struct btk_error *error)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < btk_json_count(inputs); i++) {
        struct btk_bytes text;
        if (!btk_json_try_string(btk_json_at(inputs, i), &text))
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "inputs[%zu]: expected a string", i);
        bytes += text.length;
    }
    *out_bytes = bytes;
    return 0;
}

static void write_texts(struct btk_http_bridge *bridge, const struct btk_http_job *job,
                        const struct btk_json *inputs)
{
    uint64_t *ends = (void *)(bridge->slab_address + job->table_offset);
    uint8_t *texts = bridge->slab_address + job->text_offset;
    uint64_t at = 0;
    for (uint32_t i = 0; i < job->document_count; i++) {
        struct btk_bytes text = {0};
        const struct btk_json *input =
            btk_json_type(inputs) == BTK_JSON_STRING ? inputs : btk_json_at(inputs, i);
        if (btk_json_try_string(input, &text) && text.length > 0)
            memcpy(texts + at, text.data, text.length);
        at += text.length;
        ends[i] = at;
    }
}

static int read_inputs(struct btk_http_bridge *bridge, const struct btk_json *root,
                       struct btk_http_job *job, struct btk_error *error)
{
    const struct btk_json *inputs = btk_json_get(root, "inputs");
    struct btk_bytes text = {0};
    uint64_t bytes = 0;
    size_t count = 1;
    if (btk_json_try_string(inputs, &text)) {
        bytes = text.length;
    } else {
        if (!is_array(inputs))
            return wrong(error, "inputs: expected a string or an array of strings");
        count = btk_json_count(inputs);
        if (count == 0) return wrong(error, "inputs: cannot be empty");
        const int measured = measure_texts(inputs, &bytes, error);
        if (measured != 0) return measured;
    }
    const int rc = btk_http_bridge_reserve(bridge, job, bytes, (uint32_t)count);
    if (rc == 0) write_texts(bridge, job, inputs);
    return rc;
}

int btk_http_json_read_tokenize(struct btk_http_bridge *bridge, struct btk_bytes body,
                                struct btk_http_job *job, struct btk_error *error)
{
    struct btk_json *root = NULL;
    bool add_special_tokens = true;
    uint32_t flags = 0;
    int rc = parse(body, &root, error);
    if (rc != 0) return rc;
    rc = read_model(root, job, error);
    if (rc == 0) rc = read_flag(root, "add_special_tokens", &add_special_tokens, error);
    if (rc == 0) rc = read_special_text(root, &flags, error);
    if (rc == 0) rc = read_inputs(bridge, root, job, error);
    if (add_special_tokens) flags |= BTK_OPTIONS_ADD_SPECIAL_TOKENS;
    job->options = (struct btk_batch_options){
        .op = BTK_OPERATION_ENCODE,
        .fields =
            BTK_FIELD_IDS | BTK_FIELD_OFFSETS | BTK_FIELD_TOKENS | BTK_FIELD_SPECIAL_TOKENS_MASK,
        .flags = flags,
    };
    btk_json_free(root);
    return rc;
}

// --- /decode

static int check_ids(const struct btk_json *ids, uint64_t *out_count, struct btk_error *error)
{
    if (!is_array(ids))
        return wrong(error, "ids: expected an array of numbers, or an array of such arrays");
    for (size_t i = 0; i < btk_json_count(ids); i++) {
        int64_t id = -1;
        if (!btk_json_try_integer(btk_json_at(ids, i), &id) || id < 0 || id > UINT32_MAX)
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                                 "ids[%zu]: expected a number of 0 to 4294967295", i);
    }
    *out_count += btk_json_count(ids);
    return 0;
}

static uint64_t write_ids(uint32_t *out_ids, const struct btk_json *ids)
{
    const size_t count = btk_json_count(ids);
    for (size_t i = 0; i < count; i++) {
        int64_t id = 0;
        if (btk_json_try_integer(btk_json_at(ids, i), &id)) out_ids[i] = (uint32_t)id;
    }
    return count;
}

static int read_ids(struct btk_http_bridge *bridge, const struct btk_json *root,
                    struct btk_http_job *job, struct btk_error *error)
{
    const struct btk_json *ids = btk_json_get(root, "ids");
    const bool is_nested = is_array(btk_json_at(ids, 0));
    const size_t documents = is_nested ? btk_json_count(ids) : 1;
    uint64_t count = 0;
    int rc = 0;
    for (size_t i = 0; i < documents && rc == 0; i++)
        rc = check_ids(is_nested ? btk_json_at(ids, i) : ids, &count, error);
    if (rc == 0)
        rc = btk_http_bridge_reserve(bridge, job, count * sizeof(uint32_t), (uint32_t)documents);
    if (rc != 0) return rc;
    uint64_t *ends = (void *)(bridge->slab_address + job->table_offset);
    uint32_t *texts = (void *)(bridge->slab_address + job->text_offset);
    uint64_t at = 0;
    for (size_t i = 0; i < documents; i++) {
        at += write_ids(texts + at, is_nested ? btk_json_at(ids, i) : ids);
        ends[i] = at * sizeof(uint32_t);
    }
    return 0;
}

int btk_http_json_read_decode(struct btk_http_bridge *bridge, struct btk_bytes body,
                              struct btk_http_job *job, struct btk_error *error)
{
    struct btk_json *root = NULL;
    bool skip_special_tokens = true;
    int rc = parse(body, &root, error);
    if (rc != 0) return rc;
    rc = read_model(root, job, error);
    if (rc == 0) rc = read_flag(root, "skip_special_tokens", &skip_special_tokens, error);
    if (rc == 0) rc = read_ids(bridge, root, job, error);
    job->options = (struct btk_batch_options){
        .op = BTK_OPERATION_DECODE,
        .fields = BTK_FIELD_IDS,
        .flags = skip_special_tokens ? BTK_OPTIONS_SKIP_SPECIAL_TOKENS : 0,
    };
    btk_json_free(root);
    return rc;
}
