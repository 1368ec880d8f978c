// SPDX-License-Identifier: Apache-2.0
// What clients registered: a tokenizer with options, once for each different combination, named by
// a small number that goes into every submission and that workers learn before its first use.
//
//     options_id = place + 1 + n * BTK_OPTIONS_PLACES; a place that is taken again has a larger n
//
// An entry stays when nobody holds it any more, and is given up for another when all places are taken.
//
// Threads: the loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "ipc/batch_options.h"

struct btk_options_entry {
    uint32_t tokenizer_id;
    struct btk_batch_options options;
};

struct btk_options_table {
    uint32_t limit;                       // places beyond it were never used
    uint32_t ids[BTK_OPTIONS_PLACES];     // that a place has, or had last
    uint32_t holders[BTK_OPTIONS_PLACES]; // who must not lose it
    uint64_t hashes[BTK_OPTIONS_PLACES];
    uint64_t used_at[BTK_OPTIONS_PLACES]; // by `clock`
    uint64_t clock;
    bool is_used[BTK_OPTIONS_PLACES];
    struct btk_options_entry entries[BTK_OPTIONS_PLACES];
};

// Held by the caller until release. *out_options_id is never 0. -ENOSPC: all places are held.
BTK_MUST_USE int btk_options_table_acquire(struct btk_options_table *table,
                                           const struct btk_options_entry *entry,
                                           uint32_t *out_options_id);
void btk_options_table_release(struct btk_options_table *table, uint32_t options_id);

// The tokenizer is gone, and all that hold its entries with it.
void btk_options_table_remove(struct btk_options_table *table, uint32_t tokenizer_id);

// NULL: no such id (any more).
const struct btk_options_entry *btk_options_table_get(const struct btk_options_table *table,
                                                      uint32_t options_id);

static inline uint32_t btk_options_place(uint32_t options_id)
{
    return (options_id - 1) % BTK_OPTIONS_PLACES;
}
