// SPDX-License-Identifier: Apache-2.0
#include "coordinator/options_table.h"

#include <errno.h>

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
    uint32_t place = table->limit;
    for (uint32_t i = table->limit; i-- > 0;) {
        if (!table->is_used[i]) place = i;
        if (!table->is_used[i] || !is_same(table->entries + i, entry)) continue;
        *out_options_id = table->ids[i];
        return 0;
    }
    if (place == BTK_OPTIONS_TABLE_MAX) return -ENOSPC;
    if (place == table->limit) table->limit++;
    table->ids[place] =
        table->ids[place] == 0 ? place + 1 : table->ids[place] + BTK_OPTIONS_TABLE_MAX;
    table->is_used[place] = true;
    table->entries[place] = *entry;
    *out_options_id = table->ids[place];
    return 0;
}

uint32_t btk_options_table_remove_one(struct btk_options_table *table, uint32_t tokenizer_id)
{
    for (uint32_t i = 0; i < table->limit; i++) {
        if (!table->is_used[i] || table->entries[i].tokenizer_id != tokenizer_id) continue;
        table->is_used[i] = false;
        return table->ids[i];
    }
    return 0;
}

const struct btk_options_entry *btk_options_table_get(const struct btk_options_table *table,
                                                      uint32_t options_id)
{
    const uint32_t place = (options_id - 1) % BTK_OPTIONS_TABLE_MAX;
    const bool is_known =
        options_id != 0 && table->is_used[place] && table->ids[place] == options_id;
    return is_known ? table->entries + place : NULL;
}
