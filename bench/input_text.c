// SPDX-License-Identifier: Apache-2.0
#include "bench/input_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/own_texts.h"
#include "common/utf8.h"

// btk_encode() takes one text of at most that.
enum { INPUT_BYTES_MAX = 1u << 30 };

static bool has_bytes_of_own(const char *name, struct btk_bytes bytes)
{
    struct btk_own_text own;
    return btk_own_text_find(name, &own) && own.bytes.length == bytes.length
           && memcmp(own.bytes.data, bytes.data, bytes.length) == 0;
}

static int check(const char *path, struct btk_bytes bytes, struct btk_error *error)
{
    if (bytes.length == 0)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: text was expected, it is empty",
                             path);
    const size_t valid = btk_utf8_valid_prefix(bytes.data, bytes.length);
    if (valid < bytes.length)
        return btk_error_set(error, EILSEQ, valid, "%s: not UTF-8 at byte %zu", path, valid);
    return 0;
}

int btk_input_text_open(const char *name, struct btk_input_text *out_text, struct btk_error *error)
{
    struct btk_input_text text = {.is_own = true};
    struct btk_own_text own;
    if (btk_own_text_find(name, &own)) {
        text.bytes = own.bytes;
        snprintf(text.name, sizeof text.name, "%s", own.file);
        *out_text = text;
        return 0;
    }
    int status = btk_mapped_file_map(name, INPUT_BYTES_MAX, &text.file, error);
    if (status < 0) return status;
    text.bytes = (struct btk_bytes){text.file.data, text.file.length};
    status = check(name, text.bytes, error);
    if (status < 0) {
        btk_mapped_file_unmap(&text.file);
        return status;
    }
    const char *const slash = strrchr(name, '/');
    snprintf(text.name, sizeof text.name, "%s", slash ? slash + 1 : name);
    text.is_own = has_bytes_of_own(text.name, text.bytes);
    *out_text = text;
    return 0;
}

void btk_input_text_close(struct btk_input_text *text)
{
    if (text) btk_mapped_file_unmap(&text->file);
}
