// SPDX-License-Identifier: Apache-2.0
// What the reference's ids of a text hash to (bench/goldens/README.md has the format).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_reference {
    bool has_cold;
    uint64_t ids_xxh64;
    bool has_offsets;
    uint64_t offsets_xxh64;
    bool has_whole;
    uint64_t whole_ids_xxh64;
};

// The record of the text `stem` ("en" for en.txt) in the file; empty when it has none. -errno,
// -EINVAL.
BTK_MUST_USE int btk_reference_load(const char *path, const char *stem,
                                    struct btk_reference *out_reference, struct btk_error *error);
