// SPDX-License-Identifier: Apache-2.0
// What the coordinator has defined under each options_id. Definitions come before the first
// assignment that uses them, over the same channel, and never change; they go with their tokenizer,
// or when a newer id takes their place.
//
// Ownership: the table owns its entries; pointers to them live until the next define or clear.
// Threads: one.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "ipc/control.h"

struct btk_defined_options {
    uint32_t options_id;
    uint32_t tokenizer_id;
    struct btk_batch_options options;
};

struct btk_options_table {
    struct btk_defined_options *places[BTK_OPTIONS_PLACES]; // NULL: nothing is defined there
};

// Keeps a copy of a definition; a second one under the same id, or one of an older id in its place,
// is ignored. -EPROTO: something that this worker does not know; -ENOMEM.
BTK_MUST_USE int btk_options_table_define(struct btk_options_table *table,
                                          const struct btk_control_define_options *definition,
                                          struct btk_error *error);

// NULL: never defined, or no more.
const struct btk_defined_options *btk_options_table_find(const struct btk_options_table *table,
                                                         uint32_t options_id);

// Forgets what was defined for a tokenizer that is gone.
void btk_options_table_forget(struct btk_options_table *table, uint32_t tokenizer_id);

void btk_options_table_clear(struct btk_options_table *table);
