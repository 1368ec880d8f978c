// SPDX-License-Identifier: Apache-2.0
// The compiled tokenizers, each in a sealed memfd that all workers attach, and the names that lead
// to them.
//
//     names[]    "gpt2" -> slot        what new registrations get
//     images[]   slot: id, memfd       what is named, and what clients registered before a reload
//
// An image never changes and its id is never given again: what a client registered stays what it
// is, whatever its name leads to later.
//
// Ownership: the store owns its memory. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "coordinator/coordinator.h"
#include "ipc/shared_memory.h"

enum { BTK_IMAGE_NAME_MAX = 64, BTK_IMAGES_MAX = 128 }; // as many as a worker takes

#define BTK_IMAGE_BYTES_MAX (UINT64_C(4) << 30)

struct btk_compiler;

struct btk_image_entry {
    char name[BTK_IMAGE_NAME_MAX]; // that it first had
    uint32_t tokenizer_id;
    struct btk_shared_memory memory; // address NULL: a free slot
};

struct btk_image_name {
    char name[BTK_IMAGE_NAME_MAX];
    uint32_t slot;
};

struct btk_image_names {
    uint32_t count;
    struct btk_image_name list[BTK_COORDINATOR_TOKENIZERS_MAX]; // the first is the default one
};

struct btk_image_store {
    struct btk_image_names names;
    uint32_t last_id;
    struct btk_image_entry images[BTK_IMAGES_MAX];
};

// Has all of them compiled, and waits for it. The message names the tokenizer that failed.
BTK_MUST_USE int btk_image_store_load(struct btk_image_store *store, struct btk_compiler *compiler,
                                      const struct btk_coordinator_options *options,
                                      struct btk_error *error);
void btk_image_store_clear(struct btk_image_store *store);

// Takes a sealed and verified image (*fd: taken when it succeeds). One with the same bytes keeps
// its slot, else there is a new one. -ENOSPC: BTK_IMAGES_MAX are in use; -errno.
BTK_MUST_USE int btk_image_store_add(struct btk_image_store *store, const char *name, int *fd,
                                     uint32_t *out_slot, bool *out_is_new, struct btk_error *error);
void btk_image_store_remove(struct btk_image_store *store, uint32_t slot);

static inline bool btk_image_is_there(const struct btk_image_entry *image)
{
    return image->memory.address != NULL;
}

// NULL: no such id (any more).
struct btk_image_entry *btk_image_store_by_id(struct btk_image_store *store, uint32_t tokenizer_id);

// "" is the first. NULL: no such name.
const struct btk_image_name *btk_image_names_find(const struct btk_image_names *names,
                                                  const char *name);
bool btk_image_names_lead_to(const struct btk_image_names *names, uint32_t slot);
// There is room for it and its length was looked at.
void btk_image_names_add(struct btk_image_names *names, const char *name, uint32_t slot);
