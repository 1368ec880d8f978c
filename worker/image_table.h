// SPDX-License-Identifier: Apache-2.0
// The tokenizers of this worker: each an image that the coordinator has verified and sealed, mapped
// read-only and shared with all its neighbours, and the scratch that this worker alone uses.
//
// Ownership: the table owns mappings, tokenizers and scratches. Threads: one.
#pragma once

#include <budtiktok/tokenizer.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "ipc/shared_memory.h"

enum { BTK_IMAGE_TABLE_MAX = 128 };

struct btk_loaded_image {
    uint32_t tokenizer_id;
    struct btk_shared_memory memory;
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    uint64_t cache_hits; // as last counted
    uint64_t cache_misses;
};

struct btk_image_table {
    bool takes_profiles; // of encode, of all that is loaded from now on
    uint32_t count;
    struct btk_loaded_image entries[BTK_IMAGE_TABLE_MAX];
};

// Maps *fd (taken when it succeeds) and attaches its first `image_bytes` bytes. An image under the
// same id is replaced. -EPERM: not sealed; -EFBIG: smaller than it should be; -ENOSPC; -EPROTO: not
// an image of this version; -ENOMEM.
BTK_MUST_USE int btk_image_table_load(struct btk_image_table *table, uint32_t tokenizer_id, int *fd,
                                      uint64_t image_bytes, struct btk_error *error);

void btk_image_table_unload(struct btk_image_table *table, uint32_t tokenizer_id);

// NULL: not loaded. The pointer lives until the next load or unload.
struct btk_loaded_image *btk_image_table_find(struct btk_image_table *table, uint32_t tokenizer_id);

void btk_image_table_clear(struct btk_image_table *table);
