// SPDX-License-Identifier: Apache-2.0
#include "ipc/batch_options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/utf8.h"

enum { HEAD_BYTES = offsetof(struct btk_batch_options, pad_token) };

struct btk_bytes btk_batch_options_bytes(const struct btk_batch_options *options)
{
    return (struct btk_bytes){(const uint8_t *)options, HEAD_BYTES + options->pad_token_bytes};
}

static int refuse(struct btk_error *error, const char *what)
{
    return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "options: %s", what);
}

static int check(const struct btk_batch_options *options, struct btk_error *error)
{
    const uint32_t strategy =
        (options->flags & BTK_OPTIONS_TRUNCATION_STRATEGY) >> BTK_OPTIONS_TRUNCATION_STRATEGY_SHIFT;
    if (options->op != BTK_OPERATION_ENCODE && options->op != BTK_OPERATION_DECODE)
        return refuse(error, "neither encode nor decode");
    if ((options->fields & ~BTK_FIELDS_ALL) != 0) return refuse(error, "an unknown field");
    if ((options->flags & ~(uint32_t)BTK_OPTIONS_KNOWN) != 0)
        return refuse(error, "an unknown flag");
    if (btk_batch_options_truncation_source(options) > BTK_OPTION_IS_CONFIGURED
        || btk_batch_options_padding_source(options) > BTK_OPTION_IS_CONFIGURED)
        return refuse(error, "an unknown source");
    if (strategy > BTK_TRUNCATE_ONLY_SECOND) return refuse(error, "an unknown strategy");
    if (btk_utf8_valid_prefix((const uint8_t *)options->pad_token, options->pad_token_bytes)
        != options->pad_token_bytes)
        return refuse(error, "a padding token that is not UTF-8");
    return 0;
}

int btk_batch_options_read(struct btk_bytes bytes, struct btk_batch_options *out_options,
                           struct btk_error *error)
{
    struct btk_batch_options options = {0};
    if (bytes.length < HEAD_BYTES || bytes.length > sizeof options)
        return refuse(error, "not of their length");
    memcpy(&options, bytes.data, bytes.length);
    if (options.pad_token_bytes != bytes.length - HEAD_BYTES)
        return refuse(error, "not of their length");
    const int rc = check(&options, error);
    if (rc == 0) *out_options = options;
    return rc;
}

bool btk_batch_options_equal(const struct btk_batch_options *a, const struct btk_batch_options *b)
{
    return btk_bytes_equal(btk_batch_options_bytes(a), btk_batch_options_bytes(b));
}

void btk_batch_options_set_special_text(struct btk_batch_options *options, uint8_t special_text)
{
    options->flags &= ~(uint32_t)BTK_OPTIONS_SPECIAL_TEXT;
    options->flags |= (uint32_t)(special_text & 3) << BTK_OPTIONS_SPECIAL_TEXT_SHIFT;
}

void btk_batch_options_set_truncation(struct btk_batch_options *options, uint8_t source,
                                      const struct btk_truncation *truncation)
{
    options->flags |= (uint32_t)source << BTK_OPTIONS_TRUNCATION_SOURCE_SHIFT;
    if (source != BTK_OPTION_IS_GIVEN) return;
    options->flags |= (uint32_t)truncation->strategy << BTK_OPTIONS_TRUNCATION_STRATEGY_SHIFT;
    if (truncation->direction == BTK_DIRECTION_LEFT) options->flags |= BTK_OPTIONS_TRUNCATION_LEFT;
    options->max_length = truncation->max_length;
    options->stride = truncation->stride;
}

void btk_batch_options_set_padding(struct btk_batch_options *options, uint8_t source,
                                   const struct btk_padding *padding)
{
    options->flags |= (uint32_t)source << BTK_OPTIONS_PADDING_SOURCE_SHIFT;
    if (source != BTK_OPTION_IS_GIVEN) return;
    if (padding->has_length) options->flags |= BTK_OPTIONS_PADDING_HAS_LENGTH;
    if (padding->direction == BTK_DIRECTION_LEFT) options->flags |= BTK_OPTIONS_PADDING_LEFT;
    options->pad_length = padding->has_length ? padding->length : 0;
    options->pad_multiple_of = padding->multiple_of;
    options->pad_id = padding->id;
    options->pad_type_id = padding->type_id;
    options->pad_token_bytes = (uint32_t)padding->token_bytes;
    if (padding->token_bytes > 0) memcpy(options->pad_token, padding->token, padding->token_bytes);
}

struct btk_truncation btk_batch_options_truncation(const struct btk_batch_options *options)
{
    const uint32_t flags = options->flags;
    return (struct btk_truncation){
        .is_on = true,
        .strategy =
            (flags & BTK_OPTIONS_TRUNCATION_STRATEGY) >> BTK_OPTIONS_TRUNCATION_STRATEGY_SHIFT,
        .direction =
            (flags & BTK_OPTIONS_TRUNCATION_LEFT) != 0 ? BTK_DIRECTION_LEFT : BTK_DIRECTION_RIGHT,
        .max_length = options->max_length,
        .stride = options->stride,
    };
}

struct btk_padding btk_batch_options_padding(const struct btk_batch_options *options)
{
    return (struct btk_padding){
        .is_on = true,
        .has_length = (options->flags & BTK_OPTIONS_PADDING_HAS_LENGTH) != 0,
        .direction = (options->flags & BTK_OPTIONS_PADDING_LEFT) != 0 ? BTK_DIRECTION_LEFT
                                                                      : BTK_DIRECTION_RIGHT,
        .length = options->pad_length,
        .multiple_of = options->pad_multiple_of,
        .id = options->pad_id,
        .type_id = options->pad_type_id,
        .token = options->pad_token,
        .token_bytes = options->pad_token_bytes,
    };
}

bool btk_batch_options_is_grouped(const struct btk_batch_options *options)
{
    const uint8_t source = btk_batch_options_padding_source(options);
    return (options->flags & BTK_OPTIONS_GROUPED) != 0 || source == BTK_OPTION_IS_CONFIGURED
           || (source == BTK_OPTION_IS_GIVEN
               && (options->flags & BTK_OPTIONS_PADDING_HAS_LENGTH) == 0);
}
