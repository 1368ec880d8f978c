// SPDX-License-Identifier: Apache-2.0
// A file mapped read-only, with a bound on its size.
//
// Another process that truncates the file while it is mapped makes reading it a SIGBUS; programs
// that must survive that copy what they need (a compiled image is copied into a sealed memfd).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_mapped_file {
    const uint8_t *data; // NULL for an empty file
    size_t length;
};

// Maps a regular file. Fails with -ENOENT, -EACCES, -EISDIR, -EINVAL (not a regular file), -EFBIG
// (more than max_bytes; the message says both sizes), -ENOMEM.
BTK_MUST_USE int btk_mapped_file_map(const char *path, uint64_t max_bytes,
                                     struct btk_mapped_file *out_file, struct btk_error *error);
// The same for a file of any size of which little will be read: pages come when they are touched.
BTK_MUST_USE int btk_mapped_file_map_lazily(const char *path, struct btk_mapped_file *out_file,
                                            struct btk_error *error);
// Are the first bytes of the file those of the text (at most 16)? False as well where it cannot be read.
bool btk_mapped_file_begins_with(const char *path, const char *text);
void btk_mapped_file_unmap(struct btk_mapped_file *file); // NULL and unmapped ones are fine
