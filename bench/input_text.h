// SPDX-License-Identifier: Apache-2.0
// What --input names: a file, or one of our own texts. Checked to be UTF-8.
//
// Ownership: the bytes live until btk_input_text_close(). Threads: read by any number.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/error.h"
#include "common/mapped_file.h"

struct btk_input_text {
    struct btk_bytes bytes;
    char name[256]; // of the file, without its folder
    bool is_own;    // the goldens of the tree speak of it
    struct btk_mapped_file file;
};

// `name`: a path, or the name of an own text (a file of that name is "./name"). A file with the
// bytes of an own text is that one. Errors of btk_mapped_file_map(); -EILSEQ: not UTF-8; -EINVAL:
// empty.
BTK_MUST_USE int btk_input_text_open(const char *name, struct btk_input_text *out_text,
                                     struct btk_error *error);
void btk_input_text_close(struct btk_input_text *text);
