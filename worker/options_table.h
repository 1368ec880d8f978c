// SPDX-License-Identifier: Apache-2.0
// What the coordinator has defined under each options_id. Definitions come before the first
// assignment that uses them, over the same channel, and never change; they go
// with their tokenizer.
//
// Ownership: the table owns its entries; pointers to them live until the next define or clear.
// Threads: one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "ipc/control.h"

enum { BTK_OPTIONS_TABLE_MAX = 1 << 18 };

struct btk_options_table {
    struct btk_control_define_options *entries; // ascending by options_id
    size_t count;
    size_t capacity;
};

// Keeps a definition; a second one under the same id is ignored. -EINVAL: an operation, a field or
// a flag that this worker does not know; -ENOSPC: more than BTK_OPTIONS_TABLE_MAX; -ENOMEM.
BTK_MUST_USE int btk_options_table_define(struct btk_options_table *table,
                                          const struct btk_control_define_options *options);

// NULL: never defined.
const struct btk_control_define_options *
btk_options_table_find(const struct btk_options_table *table, uint32_t options_id);

// Forgets what was defined for a tokenizer that is gone.
void btk_options_table_forget(struct btk_options_table *table, uint32_t tokenizer_id);

void btk_options_table_clear(struct btk_options_table *table);
