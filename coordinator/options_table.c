// SPDX-License-Identifier: Apache-2.0
#include "coordinator/options_table.h"

#include <errno.h>
#include <stdbool.h>

#include <budtiktok/types.h>

#include "ipc/control_messages.h"

static bool is_same(const struct btk_options_entry *a, const struct btk_options_entry *b)
{
    return a->tokenizer_id == b->tokenizer_id && a->shape.op == b->shape.op
           && a->shape.fields == b->shape.fields && a->shape.flags == b->shape.flags;
}

int btk_options_table_add(struct btk_options_table *table, const struct btk_options_entry *entry,
                          uint32_t *out_options_id)
{
    const struct btk_result_shape *shape = &entry->shape;
    if (shape->op != BTK_OPERATION_ENCODE && shape->op != BTK_OPERATION_DECODE) return -EINVAL;
    if ((shape->fields & ~BTK_FIELDS_ALL) != 0
        || (shape->flags & ~(uint32_t)BTK_OPTIONS_KNOWN) != 0)
        return -EINVAL;
    if ((shape->fields & BTK_FIELD_OVERFLOWING) != 0) return -ENOTSUP;
    for (uint32_t i = 0; i < table->count; i++) {
        if (!is_same(table->entries + i, entry)) continue;
        *out_options_id = i + 1;
        return 0;
    }
    if (table->count == BTK_OPTIONS_TABLE_MAX) return -ENOSPC;
    table->entries[table->count++] = *entry;
    *out_options_id = table->count;
    return 0;
}

const struct btk_options_entry *btk_options_table_get(const struct btk_options_table *table,
                                                      uint32_t options_id)
{
    return options_id == 0 || options_id > table->count ? NULL : table->entries + options_id - 1;
}
