// SPDX-License-Identifier: Apache-2.0
// What clients registered: a tokenizer with options, once for each different combination, named by
// a small number that goes into every submission and that workers learn before its first use.
//
//     options_id = place + 1 + n * BTK_OPTIONS_TABLE_MAX; a place that is free again has a larger n
//
// Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "coordinator/result_bound.h"

enum { BTK_OPTIONS_TABLE_MAX = 4096 };

struct btk_options_entry {
    uint32_t tokenizer_id;
    struct btk_result_shape shape;
};

struct btk_options_table {
    uint32_t limit;                      // places beyond it were never used
    uint32_t ids[BTK_OPTIONS_TABLE_MAX]; // that a place has, or had last
    bool is_used[BTK_OPTIONS_TABLE_MAX];
    struct btk_options_entry entries[BTK_OPTIONS_TABLE_MAX];
};

// *out_options_id is never 0. -EINVAL: unknown bits or operation; -ENOTSUP: overflowing;
// -ENOSPC: too many different ones.
BTK_MUST_USE int btk_options_table_add(struct btk_options_table *table,
                                       const struct btk_options_entry *entry,
                                       uint32_t *out_options_id);

// The tokenizer is gone: forgets one of its entries and says its id, or 0 when there is none left.
uint32_t btk_options_table_remove_one(struct btk_options_table *table, uint32_t tokenizer_id);

// NULL: no such id (any more).
const struct btk_options_entry *btk_options_table_get(const struct btk_options_table *table,
                                                      uint32_t options_id);
