// SPDX-License-Identifier: Apache-2.0
#include "common/request_options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct btk_error *error, const char *format, ...) BTK_PRINTF(2, 3);

static int refuse(struct btk_error *error, const char *format, ...)
{
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s", message);
}

struct btk_padding btk_request_options_padding(const struct btk_request_options *options)
{
    struct btk_padding padding = options->padding;
    padding.token = options->pad_token;
    return padding;
}

void btk_request_options_use_configured(struct btk_request_options *options)
{
    options->truncation_source = options->padding_source = BTK_OPTION_IS_CONFIGURED;
}

static bool is_same_truncation(const struct btk_truncation *a, const struct btk_truncation *b)
{
    return a->max_length == b->max_length && a->stride == b->stride && a->strategy == b->strategy
           && a->direction == b->direction;
}

// Without their tokens.
static bool is_same_padding(const struct btk_padding *a, const struct btk_padding *b)
{
    return a->has_length == b->has_length && a->length == b->length && a->direction == b->direction
           && a->multiple_of == b->multiple_of && a->id == b->id && a->type_id == b->type_id
           && a->token_bytes == b->token_bytes;
}

bool btk_request_options_equal(const struct btk_request_options *a,
                               const struct btk_request_options *b)
{
    if (a->add_special_tokens != b->add_special_tokens || a->special_text != b->special_text
        || a->truncation_source != b->truncation_source || a->padding_source != b->padding_source)
        return false;
    if (a->truncation_source == BTK_OPTION_IS_GIVEN
        && !is_same_truncation(&a->truncation, &b->truncation))
        return false;
    if (a->padding_source != BTK_OPTION_IS_GIVEN) return true;
    return is_same_padding(&a->padding, &b->padding)
           && memcmp(a->pad_token, b->pad_token, a->padding.token_bytes) == 0;
}

// --- JSON

static int read_size(const struct btk_json *value, const char *name, uint64_t *out_size,
                     struct btk_error *error)
{
    int64_t number;
    if (!btk_json_try_integer(value, &number) || number < 0)
        return refuse(error, "\"%s\" is to be a whole number of at least 0", name);
    *out_size = (uint64_t)number;
    return 0;
}

static int read_id(const struct btk_json *value, const char *name, uint32_t *out_id,
                   struct btk_error *error)
{
    uint64_t number = 0;
    const int rc = read_size(value, name, &number, error);
    if (rc < 0) return rc;
    if (number > UINT32_MAX) return refuse(error, "\"%s\" is to be less than 4294967296", name);
    *out_id = (uint32_t)number;
    return 0;
}

// Names end with NULL.
static int read_choice(const struct btk_json *value, const char *name, const char *const *names,
                       uint8_t *out_index, struct btk_error *error)
{
    struct btk_bytes text;
    char all[100];
    size_t length = 0;
    const bool is_text = btk_json_try_string(value, &text);
    for (uint8_t i = 0; names[i]; i++) {
        if (is_text && btk_bytes_are(text, names[i])) {
            *out_index = i;
            return 0;
        }
        length +=
            (size_t)snprintf(all + length, sizeof all - length, "%s%s", i ? ", " : "", names[i]);
    }
    return refuse(error, "\"%s\" is to be one of %s", name, all);
}

static const char *const directions[] = {"right", "left", NULL};

static int refuse_member(struct btk_bytes name, const char *object, const char *known,
                         struct btk_error *error)
{
    return refuse(error, "%s: \"%.*s\" is not one of %s", object,
                  (int)btk_min_size(name.length, 40), (const char *)name.data, known);
}

static int read_truncation_member(struct btk_truncation *truncation, struct btk_bytes name,
                                  const struct btk_json *value, struct btk_error *error)
{
    static const char *const strategies[] = {"longest_first", "only_first", "only_second", NULL};
    if (btk_bytes_are(name, "max_length"))
        return read_size(value, "max_length", &truncation->max_length, error);
    if (btk_bytes_are(name, "stride"))
        return read_size(value, "stride", &truncation->stride, error);
    if (btk_bytes_are(name, "strategy"))
        return read_choice(value, "strategy", strategies, &truncation->strategy, error);
    if (btk_bytes_are(name, "direction"))
        return read_choice(value, "direction", directions, &truncation->direction, error);
    return refuse_member(name, "truncation", "max_length, stride, strategy, direction", error);
}

static int read_truncation(struct btk_request_options *options, const struct btk_json *json,
                           struct btk_error *error)
{
    struct btk_truncation truncation = {.is_on = true};
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    options->truncation_source = BTK_OPTION_IS_OFF;
    if (btk_json_is_null(json)) return 0;
    if (btk_json_type(json) != BTK_JSON_OBJECT || !btk_json_get(json, "max_length"))
        return refuse(error, "truncation is to be an object with \"max_length\"");
    while (btk_json_next(json, &cursor, &name, &value)) {
        const int rc = read_truncation_member(&truncation, name, value, error);
        if (rc < 0) return rc;
    }
    options->truncation = truncation;
    options->truncation_source = BTK_OPTION_IS_GIVEN;
    return 0;
}

static int read_padding_member(struct btk_padding *padding, struct btk_bytes name,
                               const struct btk_json *value, struct btk_bytes *out_token,
                               struct btk_error *error)
{
    if (btk_bytes_are(name, "length")) {
        padding->has_length = !btk_json_is_null(value);
        return padding->has_length ? read_size(value, "length", &padding->length, error) : 0;
    }
    if (btk_bytes_are(name, "pad_to_multiple_of"))
        return btk_json_is_null(value)
                   ? 0
                   : read_size(value, "pad_to_multiple_of", &padding->multiple_of, error);
    if (btk_bytes_are(name, "direction"))
        return read_choice(value, "direction", directions, &padding->direction, error);
    if (btk_bytes_are(name, "pad_id")) return read_id(value, "pad_id", &padding->id, error);
    if (btk_bytes_are(name, "pad_type_id"))
        return read_id(value, "pad_type_id", &padding->type_id, error);
    if (!btk_bytes_are(name, "pad_token"))
        return refuse_member(
            name, "padding",
            "length, direction, pad_to_multiple_of, pad_id, pad_type_id, pad_token", error);
    if (btk_json_try_string(value, out_token) && out_token->length <= BTK_PAD_TOKEN_BYTES_MAX)
        return 0;
    return refuse(error, "\"pad_token\" is to be a string of at most %d bytes",
                  BTK_PAD_TOKEN_BYTES_MAX);
}

static int read_padding(struct btk_request_options *options, const struct btk_json *json,
                        struct btk_error *error)
{
    struct btk_padding padding = {.is_on = true};
    struct btk_bytes token = {(const uint8_t *)"[PAD]", 5}, name;
    void *cursor = NULL;
    const struct btk_json *value;
    options->padding_source = BTK_OPTION_IS_OFF;
    if (btk_json_is_null(json)) return 0;
    if (btk_json_type(json) != BTK_JSON_OBJECT)
        return refuse(error, "padding is to be an object, but is %s", btk_json_type_name(json));
    while (btk_json_next(json, &cursor, &name, &value)) {
        const int rc = read_padding_member(&padding, name, value, &token, error);
        if (rc < 0) return rc;
    }
    padding.token_bytes = token.length;
    if (token.length) memcpy(options->pad_token, token.data, token.length);
    options->padding = padding;
    options->padding_source = BTK_OPTION_IS_GIVEN;
    return 0;
}

static int read_flag(const struct btk_json *value, const char *name, bool *in_out_flag,
                     struct btk_error *error)
{
    if (btk_json_is_null(value) || btk_json_try_bool(value, in_out_flag)) return 0;
    return refuse(error, "\"%s\" is to be true or false", name);
}

const char *const btk_request_special_texts[] = {"default", "parse", "plain", "error", NULL};

// As the reference's setter has it.
static int read_encode_special_tokens(struct btk_request_options *options,
                                      const struct btk_json *value, struct btk_error *error)
{
    bool is_plain = false;
    const int rc = read_flag(value, "encode_special_tokens", &is_plain, error);
    if (rc == 0) options->special_text = is_plain ? BTK_SPECIAL_TEXT_PLAIN : BTK_SPECIAL_TEXT_PARSE;
    return rc;
}

int btk_request_options_read_member(struct btk_request_options *options, struct btk_bytes name,
                                    const struct btk_json *value, struct btk_error *error)
{
    if (btk_bytes_are(name, "truncation")) return read_truncation(options, value, error);
    if (btk_bytes_are(name, "padding")) return read_padding(options, value, error);
    if (btk_bytes_are(name, "as_configured") || btk_json_is_null(value)) return 0;
    if (btk_bytes_are(name, "add_special_tokens"))
        return read_flag(value, "add_special_tokens", &options->add_special_tokens, error);
    if (btk_bytes_are(name, "encode_special_tokens"))
        return read_encode_special_tokens(options, value, error);
    if (btk_bytes_are(name, "special_text"))
        return read_choice(value, "special_text", btk_request_special_texts, &options->special_text,
                           error);
    return btk_error_set(
        error, ENOTSUP, BTK_NO_OFFSET,
        "the option \"%.*s\" is not supported by this version; supported: add_special_tokens, "
        "as_configured, encode_special_tokens, padding, special_text, truncation",
        (int)btk_min_size(name.length, 60), (const char *)name.data);
}

int btk_request_options_read_json(struct btk_request_options *options, const struct btk_json *json,
                                  struct btk_error *error)
{
    if (btk_json_is_null(json)) return 0;
    if (btk_json_type(json) != BTK_JSON_OBJECT)
        return refuse(error, "\"options\" is to be an object, but is %s", btk_json_type_name(json));
    bool is_configured = false;
    int rc = read_flag(btk_json_get(json, "as_configured"), "as_configured", &is_configured, error);
    if (is_configured) btk_request_options_use_configured(options);
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    while (rc == 0 && btk_json_next(json, &cursor, &name, &value))
        rc = btk_request_options_read_member(options, name, value, error);
    return rc;
}
