// SPDX-License-Identifier: Apache-2.0
#include "worker/options_table.h"

#include <budtiktok/types.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const struct btk_control_define_options *options)
{
    const bool is_operation =
        options->op == BTK_OPERATION_ENCODE || options->op == BTK_OPERATION_DECODE;
    const uint32_t fields = BTK_FIELDS_ALL & ~(uint32_t)BTK_FIELD_OVERFLOWING;
    return is_operation && (options->fields & ~fields) == 0
           && (options->flags & ~(uint32_t)BTK_OPTIONS_KNOWN) == 0;
}

// The place of the first entry that is not below the id. Ids mostly come in ascending order.
static size_t find_place(const struct btk_options_table *table, uint32_t options_id)
{
    size_t low = 0;
    size_t high = table->count;
    if (high > 0 && table->entries[high - 1].options_id < options_id) return high;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (table->entries[middle].options_id < options_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int make_room(struct btk_options_table *table)
{
    if (table->count < table->capacity) return 0;
    if (table->count == BTK_OPTIONS_TABLE_MAX) return -ENOSPC;
    const size_t capacity = table->capacity * 2 + 64;
    struct btk_control_define_options *entries =
        realloc(table->entries, capacity * sizeof *entries);
    if (entries == NULL) return -ENOMEM;
    table->entries = entries;
    table->capacity = capacity;
    return 0;
}

int btk_options_table_define(struct btk_options_table *table,
                             const struct btk_control_define_options *options)
{
    if (!is_known(options)) return -EINVAL;
    if (btk_options_table_find(table, options->options_id) != NULL) return 0;
    const int rc = make_room(table);
    if (rc != 0) return rc;
    const size_t place = find_place(table, options->options_id);
    memmove(table->entries + place + 1, table->entries + place,
            (table->count - place) * sizeof *table->entries);
    table->entries[place] = *options;
    table->count++;
    return 0;
}

const struct btk_control_define_options *
btk_options_table_find(const struct btk_options_table *table, uint32_t options_id)
{
    const size_t place = find_place(table, options_id);
    if (place == table->count || table->entries[place].options_id != options_id) return NULL;
    return table->entries + place;
}

void btk_options_table_forget(struct btk_options_table *table, uint32_t tokenizer_id)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->entries[i].tokenizer_id != tokenizer_id)
            table->entries[kept++] = table->entries[i];
    table->count = kept;
}

void btk_options_table_clear(struct btk_options_table *table)
{
    free(table->entries);
    *table = (struct btk_options_table){0};
}
