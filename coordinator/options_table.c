// SPDX-License-Identifier: Apache-2.0
#include "coordinator/options_table.h"

#include <errno.h>

#include "common/hash.h"

static uint64_t hash_of(const struct btk_options_entry *entry)
{
    const struct btk_bytes bytes = btk_batch_options_bytes(&entry->options);
    return btk_hash_xxh3(bytes.data, bytes.length, entry->tokenizer_id);
}

static bool is_same(const struct btk_options_entry *a, const struct btk_options_entry *b)
{
    return a->tokenizer_id == b->tokenizer_id && btk_batch_options_equal(&a->options, &b->options);
}

// The place of an entry that is there; BTK_OPTIONS_PLACES: nowhere.
static uint32_t find(const struct btk_options_table *table, const struct btk_options_entry *entry,
                     uint64_t hash)
{
    for (uint32_t i = 0; i < table->limit; i++)
        if (table->hashes[i] == hash && table->is_used[i] && is_same(table->entries + i, entry))
            return i;
    return BTK_OPTIONS_PLACES;
}

// A place that is free, or was not used for the longest time; BTK_OPTIONS_PLACES: all are held.
static uint32_t choose_place(const struct btk_options_table *table)
{
    uint32_t oldest = BTK_OPTIONS_PLACES;
    for (uint32_t i = 0; i < table->limit; i++) {
        if (!table->is_used[i]) return i;
        if (table->holders[i] == 0
            && (oldest == BTK_OPTIONS_PLACES || table->used_at[i] < table->used_at[oldest]))
            oldest = i;
    }
    return table->limit < BTK_OPTIONS_PLACES ? table->limit : oldest;
}

// The one after it in the same place; after 2^20 of them they begin again.
static uint32_t next_id(uint32_t id, uint32_t place)
{
    if (id == 0) return place + 1;
    id += BTK_OPTIONS_PLACES;
    return id != 0 ? id : BTK_OPTIONS_PLACES;
}

int btk_options_table_acquire(struct btk_options_table *table,
                              const struct btk_options_entry *entry, uint32_t *out_options_id)
{
    const uint64_t hash = hash_of(entry);
    uint32_t place = find(table, entry, hash);
    if (place == BTK_OPTIONS_PLACES) {
        place = choose_place(table);
        if (place == BTK_OPTIONS_PLACES) return -ENOSPC;
        if (place == table->limit) table->limit++;
        table->ids[place] = next_id(table->ids[place], place);
        table->is_used[place] = true;
        table->holders[place] = 0;
        table->hashes[place] = hash;
        table->entries[place] = *entry;
    }
    table->holders[place]++;
    table->used_at[place] = ++table->clock;
    *out_options_id = table->ids[place];
    return 0;
}

void btk_options_table_release(struct btk_options_table *table, uint32_t options_id)
{
    const uint32_t place = btk_options_place(options_id);
    if (btk_options_table_get(table, options_id) != NULL && table->holders[place] > 0)
        table->holders[place]--;
}

void btk_options_table_remove(struct btk_options_table *table, uint32_t tokenizer_id)
{
    for (uint32_t i = 0; i < table->limit; i++)
        if (table->is_used[i] && table->entries[i].tokenizer_id == tokenizer_id)
            table->is_used[i] = false;
}

const struct btk_options_entry *btk_options_table_get(const struct btk_options_table *table,
                                                      uint32_t options_id)
{
    const uint32_t place = btk_options_place(options_id);
    const bool is_known =
        options_id != 0 && table->is_used[place] && table->ids[place] == options_id;
    return is_known ? table->entries + place : NULL;
}
