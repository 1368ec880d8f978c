// SPDX-License-Identifier: Apache-2.0
#include "bench/reference.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mapped_file.h"

enum { REFERENCE_BYTES_MAX = 1 << 24 };

static bool try_digest(const struct btk_json *record, const char *name, uint64_t *out_digest)
{
    struct btk_bytes text;
    char digits[17] = {0};
    if (!btk_json_try_string(btk_json_get(record, name), &text) || text.length != 16) return false;
    memcpy(digits, text.data, 16);
    *out_digest = strtoull(digits, NULL, 16);
    return true;
}

int btk_reference_load(const char *path, const char *stem, struct btk_reference *out_reference,
                       struct btk_error *error)
{
    struct btk_mapped_file file;
    struct btk_json *root = NULL;
    int status = btk_mapped_file_map(path, REFERENCE_BYTES_MAX, &file, error);
    if (status < 0) return status;
    status = btk_json_parse((struct btk_bytes){file.data, file.length}, &root, error);
    if (status < 0) {
        btk_error_prefix(error, "%s", path);
    } else {
        const struct btk_json *const record = btk_json_get(root, stem);
        *out_reference = (struct btk_reference){0};
        out_reference->has_cold = try_digest(record, "ids_xxh64", &out_reference->ids_xxh64);
        out_reference->has_offsets =
            try_digest(record, "offsets_xxh64", &out_reference->offsets_xxh64);
        out_reference->has_whole =
            try_digest(record, "whole_ids_xxh64", &out_reference->whole_ids_xxh64);
    }
    btk_json_free(root);
    btk_mapped_file_unmap(&file);
    return status;
}
