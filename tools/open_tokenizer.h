// SPDX-License-Identifier: Apache-2.0
// What --tokenizer names: a file, a folder, or an embedded model.
#pragma once

#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/error.h"
#include "tools/options.h"

// What --pattern and --special say.
struct btk_said {
    struct btk_open_options open;
    struct btk_special_token specials[BTK_OPTION_REPEATS_MAX];
    char names[BTK_OPTION_REPEATS_MAX][256];
};

// *out_said points into itself, and into the options.
void btk_said_read(const struct btk_options *options, struct btk_said *out_said);

// `name`: NULL for the default model; `said`: NULL when nothing is. Errors of btk_tokenizer_open().
BTK_MUST_USE int btk_open_tokenizer(const char *name, const struct btk_said *said,
                                    struct btk_tokenizer **out_tokenizer, struct btk_error *error);

// The same, as the bytes of an image: for compile and inspect. Appends to an empty buffer.
struct btk_buffer;
BTK_MUST_USE int btk_compile_named(const char *name, const struct btk_said *said,
                                   struct btk_buffer *out_image, struct btk_error *error);

// Writes all of it. -errno.
BTK_MUST_USE int btk_write_image(int fd, const struct btk_buffer *image, struct btk_error *error);

// Copies an error of the public header into one of ours.
int btk_error_import(struct btk_error *error, const struct btk_error_info *info);
