// SPDX-License-Identifier: Apache-2.0
#include "tools/open_tokenizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buffer.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/default/default_models.h"

int btk_error_import(struct btk_error *error, const struct btk_error_info *info)
{
    return btk_error_set(error, info->code, info->offset, "%s", info->message);
}

// A name without a slash may be an embedded model; a file of that name is "./name".
static bool is_embedded(const char *name, struct btk_default_model *out_model)
{
    return name ? btk_default_model_find(name, out_model) : btk_default_model_get(0, out_model);
}

void btk_said_read(const struct btk_options *options, struct btk_said *out_said)
{
    out_said->open = (struct btk_open_options){.pattern = options->values[BTK_OPTION_pattern],
                                               .specials = out_said->specials,
                                               .special_count = options->special_count};
    for (unsigned i = 0; i < options->special_count; i++) {
        const char *const text = options->specials[i];
        const char *const equals = strrchr(text, '=');
        snprintf(out_said->names[i], sizeof out_said->names[i], "%.*s", (int)(equals - text), text);
        out_said->specials[i] =
            (struct btk_special_token){out_said->names[i], (uint32_t)strtoul(equals + 1, NULL, 10)};
    }
}

int btk_open_tokenizer(const char *name, const struct btk_said *said,
                       struct btk_tokenizer **out_tokenizer, struct btk_error *error)
{
    struct btk_default_model model;
    struct btk_error_info info;
    const int status =
        is_embedded(name, &model)
            ? btk_tokenizer_open_json(model.json, model.json_bytes, out_tokenizer, &info)
            : btk_tokenizer_open_with(name, said ? &said->open : NULL, out_tokenizer, &info);
    return status < 0 ? btk_error_import(error, &info) : 0;
}

static struct btk_bytes bytes_of(const char *text)
{
    return (struct btk_bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

int btk_compile_named(const char *name, const struct btk_said *said, struct btk_buffer *out_image,
                      struct btk_error *error)
{
    struct btk_default_model model;
    if (is_embedded(name, &model))
        return btk_compile_json((struct btk_bytes){model.json, model.json_bytes}, out_image, error);
    if (!said) return btk_compile_path(name, NULL, out_image, error);
    struct btk_compile_special specials[BTK_OPTION_REPEATS_MAX];
    for (size_t i = 0; i < said->open.special_count; i++)
        specials[i] =
            (struct btk_compile_special){bytes_of(said->specials[i].text), said->specials[i].id};
    const struct btk_compile_options options = {bytes_of(said->open.pattern), specials,
                                                said->open.special_count};
    return btk_compile_path(name, &options, out_image, error);
}

int btk_write_image(int fd, const struct btk_buffer *image, struct btk_error *error)
{
    for (size_t done = 0; done < image->length;) {
        const ssize_t bytes = write(fd, image->data + done, image->length - done);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0)
            return btk_error_set(error, errno, BTK_NO_OFFSET, "writing the image: %s",
                                 strerror(errno));
        done += (size_t)bytes;
    }
    return 0;
}
