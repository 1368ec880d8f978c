// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "common/encoding_json.h"
#include "common/json.h"
#include "common/request_options.h"
#include "coordinator/http_inputs.h"
#include "coordinator/http_json.h"
#include "coordinator/result_bound.h"

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

static uint32_t field_named(struct btk_bytes name)
{
    for (size_t i = 0; btk_encoding_json_fields[i] != NULL; i++)
        if (btk_bytes_are(name, btk_encoding_json_fields[i])) return 1u << i;
    return 0;
}

// "fields": 0 when they are not there.
static int read_fields(const struct btk_json *root, uint32_t *out_fields, struct btk_error *error)
{
    const struct btk_json *list = btk_json_get(root, "fields");
    uint32_t fields = 0;
    if (!btk_json_is_null(list) && (!is_array(list) || btk_json_count(list) == 0))
        return wrong(error, "fields: expected a list of names");
    for (size_t i = 0; i < btk_json_count(list); i++) {
        struct btk_bytes name;
        const bool is_text = btk_json_try_string(btk_json_at(list, i), &name);
        const uint32_t field = is_text ? field_named(name) : 0;
        if (field == 0)
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                                 "fields[%zu]: expected ids, type_ids, tokens, offsets, word_ids, "
                                 "sequence_ids, special_tokens_mask, attention_mask or overflowing",
                                 i);
        fields |= field;
    }
    *out_fields = fields;
    return 0;
}

static int read_unit(const struct btk_json *root, uint32_t *flags, struct btk_error *error)
{
    const struct btk_json *unit = btk_json_get(root, "offsets_unit");
    struct btk_bytes name;
    if (btk_json_is_null(unit)) return 0;
    const bool is_text = btk_json_try_string(unit, &name);
    if (is_text && btk_bytes_are(name, "byte"))
        *flags |= BTK_OPTIONS_OFFSETS_BYTE;
    else if (!is_text || !btk_bytes_are(name, "char"))
        return wrong(error, "offsets_unit: expected char or byte");
    return 0;
}

// The members that are options of encoding; the others belong to somebody else.
static int read_options(const struct btk_json *root, struct btk_request_options *options,
                        struct btk_error *error)
{
    static const char *const names[] = {"add_special_tokens", "encode_special_tokens",
                                        "special_text", "truncation", "padding"};
    bool is_configured = false;
    int rc = read_flag(root, "as_configured", &is_configured, error);
    if (is_configured) btk_request_options_use_configured(options);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names) && rc == 0; i++) {
        const struct btk_json *value = btk_json_get(root, names[i]);
        const struct btk_bytes name = {(const uint8_t *)names[i], strlen(names[i])};
        if (value != NULL) rc = btk_request_options_read_member(options, name, value, error);
    }
    return rc;
}

// What a token's text and place are taken from.
static uint32_t fields_of_tokens(const struct btk_http_job *job)
{
    const uint32_t always =
        BTK_FIELD_IDS | BTK_FIELD_OFFSETS | BTK_FIELD_TOKENS | BTK_FIELD_SPECIAL_TOKENS_MASK;
    const bool has_shapes = (job->flags & BTK_BATCH_HAS_SHAPES) != 0;
    return has_shapes ? always | BTK_FIELD_WORD_IDS | BTK_FIELD_SEQUENCE_IDS : always;
}

static void set_options(struct btk_http_job *job, const struct btk_request_options *given,
                        uint32_t flags)
{
    struct btk_batch_options *options = &job->options;
    const struct btk_padding padding = btk_request_options_padding(given);
    *options =
        (struct btk_batch_options){.op = BTK_OPERATION_ENCODE,
                                   .fields = job->has_fields ? job->fields : fields_of_tokens(job),
                                   .flags = flags,
                                   .cost_max = BTK_HTTP_COST_MAX};
    if (given->add_special_tokens) options->flags |= BTK_OPTIONS_ADD_SPECIAL_TOKENS;
    btk_batch_options_set_special_text(options, given->special_text);
    btk_batch_options_set_truncation(options, given->truncation_source, &given->truncation);
    btk_batch_options_set_padding(options, given->padding_source, &padding);
}

// An answer is put together in memory: what padding makes of it is bounded before work begins.
static int check_cost(const struct btk_http_job *job, struct btk_error *error)
{
    const struct btk_result_shape shape = btk_result_shape_of(&job->options);
    if (shape.padded_tokens * job->document_count <= BTK_HTTP_COST_MAX) return 0;
    return btk_error_set(error, EMSGSIZE, BTK_NO_OFFSET,
                         "padding: more than %d tokens for all inputs together", BTK_HTTP_COST_MAX);
}

int btk_http_json_read_tokenize(struct btk_http_bridge *bridge, struct btk_bytes body,
                                struct btk_http_job *job, struct btk_error *error)
{
    struct btk_request_options options = BTK_REQUEST_OPTIONS_DEFAULTS;
    struct btk_json *root = NULL;
    uint32_t flags = 0;
    int rc = parse(body, &root, error);
    if (rc != 0) return rc;
    rc = read_model(root, job, error);
    if (rc == 0) rc = read_options(root, &options, error);
    if (rc == 0) rc = read_fields(root, &job->fields, error);
    if (rc == 0) rc = read_unit(root, &flags, error);
    if (rc == 0) rc = btk_http_inputs_read(bridge, btk_json_get(root, "inputs"), job, error);
    job->has_fields = job->fields != 0;
    set_options(job, &options, flags);
    btk_json_free(root);
    return rc == 0 ? check_cost(job, error) : rc;
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
