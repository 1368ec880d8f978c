// SPDX-License-Identifier: Apache-2.0
// The compiled tokenizers, each in a sealed memfd that all workers attach.
//
//     name, path -> child process with limits: compile -> memfd -> sealed -> verified -> workers
//
// No long-running process parses a tokenizer's file: a child does, which may take its memory and
// time and die, and all that comes of it is an image that is verified whole.
//
// Ownership: the store owns its memory. Threads: one, and no others exist while images are loaded
// (the child runs more than exec).
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "coordinator/coordinator.h"
#include "ipc/shared_memory.h"

struct btk_image_entry {
    char name[64];
    struct btk_shared_memory memory;
};

struct btk_image_store {
    uint32_t count;
    struct btk_image_entry entries[BTK_COORDINATOR_TOKENIZERS_MAX]; // by tokenizer_id
};

// Compiles, seals and verifies all of them. The message names the tokenizer that failed.
BTK_MUST_USE int btk_image_store_load(struct btk_image_store *store,
                                      const struct btk_coordinator_options *options,
                                      struct btk_error *error);
void btk_image_store_clear(struct btk_image_store *store);

// "" is the first. -ENOENT.
BTK_MUST_USE int btk_image_store_find(const struct btk_image_store *store, const char *name,
                                      uint32_t *out_tokenizer_id);
