// SPDX-License-Identifier: Apache-2.0
// What clients registered: a tokenizer with options, once for each different combination, named by
// a small number that goes into every submission and that workers learn before its first use.
//
// Threads: the loop's.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "coordinator/result_bound.h"

enum { BTK_OPTIONS_TABLE_MAX = 4096 };

struct btk_options_entry {
    uint32_t tokenizer_id;
    struct btk_result_shape shape;
};

struct btk_options_table {
    uint32_t count;
    struct btk_options_entry entries[BTK_OPTIONS_TABLE_MAX];
};

// *out_options_id begins at 1. -EINVAL: unknown bits or operation; -ENOTSUP: overflowing;
// -ENOSPC: too many different ones.
BTK_MUST_USE int btk_options_table_add(struct btk_options_table *table,
                                       const struct btk_options_entry *entry,
                                       uint32_t *out_options_id);

// NULL: no such id.
const struct btk_options_entry *btk_options_table_get(const struct btk_options_table *table,
                                                      uint32_t options_id);
