// SPDX-License-Identifier: Apache-2.0
#include "coordinator/image_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/compiler.h"

// --- Names ----------------------------------------------------------------------------------------

const struct btk_image_name *btk_image_names_find(const struct btk_image_names *names,
                                                  const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (name[0] == 0 || strcmp(name, names->list[i].name) == 0) return names->list + i;
    return NULL;
}

bool btk_image_names_lead_to(const struct btk_image_names *names, uint32_t slot)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (names->list[i].slot == slot) return true;
    return false;
}

void btk_image_names_add(struct btk_image_names *names, const char *name, uint32_t slot)
{
    struct btk_image_name *entry = names->list + names->count++;
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->slot = slot;
}

// --- Images ---------------------------------------------------------------------------------------

static int map_image(int *fd, struct btk_shared_memory *out_memory, struct btk_error *error)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = 1,
        .bytes_max = BTK_IMAGE_BYTES_MAX,
        .needs_sealed = true,
    };
    const int rc = btk_shared_memory_attach(fd, &limits, out_memory);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "image: %s", strerror(-rc));
    return 0;
}

static bool is_same(const struct btk_image_entry *image, const struct btk_shared_memory *memory)
{
    return btk_image_is_there(image) && image->memory.bytes == memory->bytes
           && memcmp(image->memory.address, memory->address, memory->bytes) == 0;
}

int btk_image_store_add(struct btk_image_store *store, const char *name, int *fd,
                        uint32_t *out_slot, bool *out_is_new, struct btk_error *error)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    const int rc = map_image(fd, &memory, error);
    if (rc != 0) return rc;
    uint32_t free_slot = BTK_IMAGES_MAX;
    for (uint32_t i = BTK_IMAGES_MAX; i-- > 0;) {
        if (!btk_image_is_there(store->images + i)) free_slot = i;
        if (!is_same(store->images + i, &memory)) continue;
        btk_shared_memory_clear(&memory);
        *out_slot = i;
        *out_is_new = false;
        return 0;
    }
    if (free_slot == BTK_IMAGES_MAX) {
        btk_shared_memory_clear(&memory);
        return btk_error_set(error, ENOSPC, BTK_NO_OFFSET,
                             "%d images are in use, older ones by clients that registered them",
                             BTK_IMAGES_MAX);
    }
    struct btk_image_entry *image = store->images + free_slot;
    snprintf(image->name, sizeof image->name, "%s", name);
    image->tokenizer_id = ++store->last_id;
    image->memory = memory;
    *out_slot = free_slot;
    *out_is_new = true;
    return 0;
}

void btk_image_store_remove(struct btk_image_store *store, uint32_t slot)
{
    btk_shared_memory_clear(&store->images[slot].memory);
}

struct btk_image_entry *btk_image_store_by_id(struct btk_image_store *store, uint32_t tokenizer_id)
{
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (btk_image_is_there(store->images + i) && store->images[i].tokenizer_id == tokenizer_id)
            return store->images + i;
    return NULL;
}

// --- Start-up -------------------------------------------------------------------------------------

static int load_one(struct btk_image_store *store, struct btk_compiler *compiler,
                    const struct btk_coordinator_tokenizer *tokenizer, struct btk_error *error)
{
    int fd = -1;
    uint32_t slot = 0;
    bool is_new = false;
    if (tokenizer->name[0] != 0 && btk_image_names_find(&store->names, tokenizer->name) != NULL)
        return btk_error_set(error, EEXIST, BTK_NO_OFFSET, "two tokenizers have this name");
    int rc = btk_compiler_ask(compiler, tokenizer, error);
    if (rc == 0) rc = btk_compiler_wait(compiler, &fd, error);
    if (rc != 0) return rc;
    rc = btk_image_store_add(store, tokenizer->name, &fd, &slot, &is_new, error);
    if (rc == 0) btk_image_names_add(&store->names, tokenizer->name, slot);
    if (fd >= 0) close(fd);
    return rc;
}

int btk_image_store_load(struct btk_image_store *store, struct btk_compiler *compiler,
                         const struct btk_coordinator_options *options, struct btk_error *error)
{
    for (uint32_t i = 0; i < options->tokenizer_count; i++) {
        const struct btk_coordinator_tokenizer *tokenizer = options->tokenizers + i;
        const int rc = load_one(store, compiler, tokenizer, error);
        if (rc == 0) continue;
        btk_error_prefix(error, "tokenizer %s%s%s", tokenizer->name,
                         tokenizer->path == NULL ? "" : "=",
                         tokenizer->path == NULL ? "" : tokenizer->path);
        return rc;
    }
    return 0;
}

void btk_image_store_clear(struct btk_image_store *store)
{
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (btk_image_is_there(store->images + i)) btk_image_store_remove(store, i);
    store->names.count = 0;
}
