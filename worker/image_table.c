// SPDX-License-Identifier: Apache-2.0
#include "worker/image_table.h"

#include <errno.h>
#include <string.h>

#define IMAGE_BYTES_MAX ((size_t)1 << 40)

static void clear_entry(struct btk_loaded_image *entry)
{
    btk_scratch_free(&entry->scratch);
    btk_tokenizer_close(&entry->tokenizer);
    btk_shared_memory_clear(&entry->memory);
}

static int map_image(struct btk_loaded_image *entry, int *fd, uint64_t image_bytes,
                     struct btk_error *error)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = image_bytes,
        .bytes_max = IMAGE_BYTES_MAX,
        .needs_sealed = true,
    };
    const int rc = btk_shared_memory_attach(fd, &limits, &entry->memory);
    if (rc != 0)
        return btk_error_set(error, -rc, BTK_NO_OFFSET, "image of %llu bytes: %s",
                             (unsigned long long)image_bytes, strerror(-rc));
    btk_shared_memory_close_fd(&entry->memory);
    return 0;
}

static int open_image(struct btk_loaded_image *entry, int *fd, uint64_t image_bytes,
                      struct btk_error *error)
{
    struct btk_error_info why = {.code = EIO};
    int rc = map_image(entry, fd, image_bytes, error);
    if (rc != 0) return rc;
    rc = btk_tokenizer_attach(entry->memory.address, image_bytes, true, &entry->tokenizer, &why);
    if (rc == 0) rc = btk_scratch_new(entry->tokenizer, &entry->scratch, &why);
    if (rc == 0) return 0;
    return btk_error_set(error, -rc, why.offset, "%s", why.message);
}

int btk_image_table_load(struct btk_image_table *table, uint32_t tokenizer_id, int *fd,
                         uint64_t image_bytes, struct btk_error *error)
{
    struct btk_loaded_image entry = {
        .tokenizer_id = tokenizer_id,
        .memory = BTK_SHARED_MEMORY_INIT,
    };
    struct btk_loaded_image *place = btk_image_table_find(table, tokenizer_id);
    if (place == NULL && table->count == BTK_IMAGE_TABLE_MAX)
        return btk_error_set(error, ENOSPC, BTK_NO_OFFSET, "more than %d tokenizers",
                             BTK_IMAGE_TABLE_MAX);
    const int rc = open_image(&entry, fd, image_bytes, error);
    if (rc != 0) {
        clear_entry(&entry);
        return rc;
    }
    btk_scratch_set_profiling(entry.scratch, table->takes_profiles);
    if (place == NULL)
        place = table->entries + table->count++;
    else
        clear_entry(place);
    *place = entry;
    return 0;
}

void btk_image_table_unload(struct btk_image_table *table, uint32_t tokenizer_id)
{
    struct btk_loaded_image *entry = btk_image_table_find(table, tokenizer_id);
    if (entry == NULL) return;
    clear_entry(entry);
    *entry = table->entries[--table->count];
}

struct btk_loaded_image *btk_image_table_find(struct btk_image_table *table, uint32_t tokenizer_id)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->entries[i].tokenizer_id == tokenizer_id) return table->entries + i;
    return NULL;
}

void btk_image_table_clear(struct btk_image_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) clear_entry(table->entries + i);
    table->count = 0;
}
