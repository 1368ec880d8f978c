// SPDX-License-Identifier: Apache-2.0
// The clients that this worker serves: their text slabs, which they alone write, and the results
// memory of this incarnation for each of them, which this worker alone writes.
//
//     client --- slabs[]   text, read-only here          attach_slab, detach_slab
//            '-- results   blocks, written here, sealed  made by attach_client
//
// Ownership: the table owns the mappings. Threads: one.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "ipc/shared_memory.h"

enum { BTK_CLIENT_TABLE_MAX = 4096, BTK_CLIENT_SLABS_MAX = 1024 };

struct btk_client_slab_entry {
    uint32_t slab_id;
    struct btk_shared_memory memory;
    struct btk_client_slab_entry *next;
};

struct btk_client_entry {
    uint32_t client_id;
    uint32_t slab_count;
    uint64_t results_id;
    struct btk_shared_memory results;
    struct btk_client_slab_entry *slabs;
    struct btk_client_entry *next;
};

struct btk_client_table {
    uint32_t count;
    struct btk_client_entry *first; // the one that was asked for last
};

// Makes, maps, prefaults and seals the results memory of a new client; its descriptor stays open for
// the caller to send and to close. -EEXIST, -ENOSPC, -EINVAL (no bytes), -ENOMEM.
BTK_MUST_USE int btk_client_table_attach(struct btk_client_table *table, uint32_t client_id,
                                         uint64_t results_id, uint64_t results_bytes,
                                         struct btk_client_entry **out_client);
void btk_client_table_detach(struct btk_client_table *table, uint32_t client_id);

// NULL: unknown.
struct btk_client_entry *btk_client_table_find(struct btk_client_table *table, uint32_t client_id);

// Maps a sealed slab of at least `bytes` bytes, and takes *fd. -EEXIST, -ENOSPC, -EPERM (not
// sealed), -EFBIG, -ENOMEM.
BTK_MUST_USE int btk_client_entry_attach_slab(struct btk_client_entry *client, uint32_t slab_id,
                                              int *fd, uint64_t bytes);
void btk_client_entry_detach_slab(struct btk_client_entry *client, uint32_t slab_id);

// NULL: unknown.
const struct btk_shared_memory *btk_client_entry_find_slab(const struct btk_client_entry *client,
                                                           uint32_t slab_id);

void btk_client_table_clear(struct btk_client_table *table);
