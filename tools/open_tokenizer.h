// SPDX-License-Identifier: Apache-2.0
// What --tokenizer names: a file, or an embedded model.
#pragma once

#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/error.h"

// `name`: NULL for the default model. Errors of btk_tokenizer_open().
BTK_MUST_USE int btk_open_tokenizer(const char *name, struct btk_tokenizer **out_tokenizer,
                                    struct btk_error *error);

// The same, as the bytes of an image: for compile and inspect. Appends to an empty buffer.
struct btk_buffer;
BTK_MUST_USE int btk_compile_named(const char *name, struct btk_buffer *out_image,
                                   struct btk_error *error);

// Writes all of it. -errno.
BTK_MUST_USE int btk_write_image(int fd, const struct btk_buffer *image, struct btk_error *error);

// Copies an error of the public header into one of ours.
int btk_error_import(struct btk_error *error, const struct btk_error_info *info);
