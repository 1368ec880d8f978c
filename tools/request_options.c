// SPDX-License-Identifier: Apache-2.0
#include "tools/request_options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PAD_TOKEN_BYTES_MAX = 1 << 16 };

static bool refuse(struct btk_request_error *error, const char *format, ...) BTK_PRINTF(2, 3);

static bool refuse(struct btk_request_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    error->code = "malformed";
    error->offset = BTK_NO_OFFSET;
    return false;
}

void btk_request_options_init(struct btk_request_options *options)
{
    *options = (struct btk_request_options){.add_special_tokens = true};
    btk_buffer_init(&options->pad_token);
}

void btk_request_options_clear(struct btk_request_options *options)
{
    btk_buffer_clear(&options->pad_token);
}

static int set_pad_token(struct btk_request_options *options, struct btk_bytes text)
{
    options->pad_token.length = 0;
    // Never NULL, whatever its length.
    const int status = btk_buffer_reserve(&options->pad_token, text.length + 1);
    if (status < 0) return status;
    if (text.length) memcpy(options->pad_token.data, text.data, text.length);
    options->pad_token.length = text.length;
    options->padding.token = (const char *)options->pad_token.data;
    options->padding.token_bytes = text.length;
    return 0;
}

int btk_request_options_copy(struct btk_request_options *to, const struct btk_request_options *from)
{
    struct btk_request_options copy = *from;
    copy.pad_token = to->pad_token;
    const struct btk_bytes token = {from->pad_token.data, from->pad_token.length};
    if (set_pad_token(&copy, token) < 0) {
        to->pad_token = copy.pad_token;
        return -ENOMEM;
    }
    *to = copy;
    return 0;
}

static bool is_same_truncation(const struct btk_truncation *a, const struct btk_truncation *b)
{
    return a->max_length == b->max_length && a->stride == b->stride && a->strategy == b->strategy
           && a->direction == b->direction;
}

static bool is_same_padding(const struct btk_padding *a, const struct btk_padding *b)
{
    return a->has_length == b->has_length && a->length == b->length && a->direction == b->direction
           && a->multiple_of == b->multiple_of && a->id == b->id && a->type_id == b->type_id
           && a->token_bytes == b->token_bytes
           && (!a->token_bytes || memcmp(a->token, b->token, a->token_bytes) == 0);
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
    return a->padding_source != BTK_OPTION_IS_GIVEN || is_same_padding(&a->padding, &b->padding);
}

// --- JSON

static bool is_named(struct btk_bytes name, const char *wanted)
{
    return name.length == strlen(wanted) && memcmp(name.data, wanted, name.length) == 0;
}

static bool try_size(const struct btk_json *value, const char *name, uint64_t *out_size,
                     struct btk_request_error *error)
{
    int64_t number;
    if (!btk_json_try_integer(value, &number) || number < 0)
        return refuse(error, "\"%s\" is to be a whole number of at least 0", name);
    *out_size = (uint64_t)number;
    return true;
}

static bool try_id(const struct btk_json *value, const char *name, uint32_t *out_id,
                   struct btk_request_error *error)
{
    uint64_t number = 0;
    if (!try_size(value, name, &number, error)) return false;
    if (number > UINT32_MAX) return refuse(error, "\"%s\" is to be less than 4294967296", name);
    *out_id = (uint32_t)number;
    return true;
}

// Names end with NULL.
static bool try_choice(const struct btk_json *value, const char *name, const char *const *names,
                       uint8_t *out_index, struct btk_request_error *error)
{
    struct btk_bytes text;
    char all[100];
    size_t length = 0;
    const bool is_text = btk_json_try_string(value, &text);
    for (uint8_t i = 0; names[i]; i++) {
        if (is_text && is_named(text, names[i])) {
            *out_index = i;
            return true;
        }
        length +=
            (size_t)snprintf(all + length, sizeof all - length, "%s%s", i ? ", " : "", names[i]);
    }
    return refuse(error, "\"%s\" is to be one of %s", name, all);
}

static const char *const directions[] = {"right", "left", NULL};

static bool try_unknown(struct btk_bytes name, const char *object, const char *known,
                        struct btk_request_error *error)
{
    return refuse(error, "%s: \"%.*s\" is not one of %s", object,
                  (int)btk_min_size(name.length, 40), (const char *)name.data, known);
}

static bool try_truncation_member(struct btk_truncation *truncation, struct btk_bytes name,
                                  const struct btk_json *value, struct btk_request_error *error)
{
    static const char *const strategies[] = {"longest_first", "only_first", "only_second", NULL};
    if (is_named(name, "max_length"))
        return try_size(value, "max_length", &truncation->max_length, error);
    if (is_named(name, "stride")) return try_size(value, "stride", &truncation->stride, error);
    if (is_named(name, "strategy"))
        return try_choice(value, "strategy", strategies, &truncation->strategy, error);
    if (is_named(name, "direction"))
        return try_choice(value, "direction", directions, &truncation->direction, error);
    return try_unknown(name, "truncation", "max_length, stride, strategy, direction", error);
}

static bool try_truncation(struct btk_request_options *options, const struct btk_json *json,
                           struct btk_request_error *error)
{
    struct btk_truncation truncation = {.is_on = true};
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    options->truncation_source = BTK_OPTION_IS_OFF;
    if (btk_json_is_null(json)) return true;
    if (btk_json_type(json) != BTK_JSON_OBJECT || !btk_json_get(json, "max_length"))
        return refuse(error, "truncation is to be an object with \"max_length\"");
    while (btk_json_next(json, &cursor, &name, &value))
        if (!try_truncation_member(&truncation, name, value, error)) return false;
    options->truncation = truncation;
    options->truncation_source = BTK_OPTION_IS_GIVEN;
    return true;
}

static bool try_padding_member(struct btk_padding *padding, struct btk_bytes name,
                               const struct btk_json *value, struct btk_bytes *out_token,
                               struct btk_request_error *error)
{
    if (is_named(name, "length")) {
        padding->has_length = !btk_json_is_null(value);
        return !padding->has_length || try_size(value, "length", &padding->length, error);
    }
    if (is_named(name, "pad_to_multiple_of"))
        return btk_json_is_null(value)
               || try_size(value, "pad_to_multiple_of", &padding->multiple_of, error);
    if (is_named(name, "direction"))
        return try_choice(value, "direction", directions, &padding->direction, error);
    if (is_named(name, "pad_id")) return try_id(value, "pad_id", &padding->id, error);
    if (is_named(name, "pad_type_id"))
        return try_id(value, "pad_type_id", &padding->type_id, error);
    if (!is_named(name, "pad_token"))
        return try_unknown(name, "padding",
                           "length, direction, pad_to_multiple_of, pad_id, pad_type_id, pad_token",
                           error);
    if (btk_json_try_string(value, out_token) && out_token->length <= PAD_TOKEN_BYTES_MAX)
        return true;
    return refuse(error, "\"pad_token\" is to be a string of at most %d bytes",
                  PAD_TOKEN_BYTES_MAX);
}

static bool try_padding(struct btk_request_options *options, const struct btk_json *json,
                        struct btk_request_error *error)
{
    struct btk_padding padding = BTK_PADDING_DEFAULTS;
    struct btk_bytes token = {(const uint8_t *)"[PAD]", 5}, name;
    void *cursor = NULL;
    const struct btk_json *value;
    options->padding_source = BTK_OPTION_IS_OFF;
    if (btk_json_is_null(json)) return true;
    if (btk_json_type(json) != BTK_JSON_OBJECT)
        return refuse(error, "padding is to be an object, but is %s", btk_json_type_name(json));
    while (btk_json_next(json, &cursor, &name, &value))
        if (!try_padding_member(&padding, name, value, &token, error)) return false;
    padding.is_on = true;
    options->padding = padding;
    options->padding_source = BTK_OPTION_IS_GIVEN;
    return set_pad_token(options, token) == 0;
}

static bool try_flag(const struct btk_json *value, const char *name, bool *in_out_flag,
                     struct btk_request_error *error)
{
    if (btk_json_is_null(value) || btk_json_try_bool(value, in_out_flag)) return true;
    return refuse(error, "\"%s\" is to be true or false", name);
}

// In the order of enum btk_special_text.
static const char *const special_texts[] = {"default", "parse", "plain", "error", NULL};

static void use_configured(struct btk_request_options *options)
{
    options->truncation_source = options->padding_source = BTK_OPTION_IS_CONFIGURED;
}

static bool try_member(struct btk_request_options *options, struct btk_bytes name,
                       const struct btk_json *value, struct btk_request_error *error)
{
    if (is_named(name, "add_special_tokens"))
        return try_flag(value, "add_special_tokens", &options->add_special_tokens, error);
    if (is_named(name, "encode_special_tokens")) {
        bool is_plain = false;
        if (!try_flag(value, "encode_special_tokens", &is_plain, error)) return false;
        options->special_text = is_plain ? BTK_SPECIAL_TEXT_PLAIN : BTK_SPECIAL_TEXT_PARSE;
        return true;
    }
    if (is_named(name, "special_text") && !btk_json_is_null(value))
        return try_choice(value, "special_text", special_texts, &options->special_text, error);
    if (is_named(name, "truncation")) return try_truncation(options, value, error);
    if (is_named(name, "padding")) return try_padding(options, value, error);
    if (is_named(name, "as_configured") || btk_json_is_null(value)) return true; // taken before
    refuse(error,
           "the option \"%.*s\" is not supported by this version; supported: add_special_tokens, "
           "as_configured, encode_special_tokens, padding, special_text, truncation",
           (int)btk_min_size(name.length, 60), (const char *)name.data);
    error->code = "not_supported";
    return false;
}

bool btk_request_options_try_json(struct btk_request_options *options, const struct btk_json *json,
                                  struct btk_request_error *error)
{
    if (btk_json_is_null(json)) return true;
    if (btk_json_type(json) != BTK_JSON_OBJECT)
        return refuse(error, "\"options\" is to be an object, but is %s", btk_json_type_name(json));
    bool is_configured = false;
    if (!try_flag(btk_json_get(json, "as_configured"), "as_configured", &is_configured, error))
        return false;
    if (is_configured) use_configured(options);
    void *cursor = NULL;
    struct btk_bytes name;
    const struct btk_json *value;
    while (btk_json_next(json, &cursor, &name, &value))
        if (!try_member(options, name, value, error)) return false;
    return true;
}

// --- The command line

static int read_object(struct btk_request_options *options, const struct btk_options *command_line,
                       enum btk_option option, const char *spelling,
                       bool (*read)(struct btk_request_options *, const struct btk_json *,
                                    struct btk_request_error *),
                       struct btk_error *error)
{
    const char *const text = command_line->values[option];
    struct btk_request_error why = {0};
    struct btk_json *json = NULL;
    if (!text) return 0;
    const struct btk_bytes bytes = {(const uint8_t *)text, strlen(text)};
    if (btk_json_parse(bytes, &json, error) < 0) {
        error->code = EINVAL;
        return btk_error_prefix(error, "--%s", spelling);
    }
    const bool is_good = read(options, json, &why);
    btk_json_free(json);
    if (is_good) return 0;
    return why.code ? btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--%s: %s", spelling, why.message)
                    : btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
}

int btk_request_options_read(struct btk_request_options *options,
                             const struct btk_options *command_line, struct btk_error *error)
{
    options->add_special_tokens = !btk_options_has(command_line, BTK_OPTION_no_special_tokens);
    if (btk_options_has(command_line, BTK_OPTION_as_configured)) use_configured(options);
    unsigned special_text = 0;
    int status = btk_options_choice(command_line, BTK_OPTION_special_text, special_texts,
                                    &special_text, error);
    if (status < 0) return status;
    options->special_text = (uint8_t)special_text;
    status = read_object(options, command_line, BTK_OPTION_truncation, "truncation", try_truncation,
                         error);
    return status < 0 ? status
                      : read_object(options, command_line, BTK_OPTION_padding, "padding",
                                    try_padding, error);
}
