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

enum { BTK_ATTACHED_CLIENTS_MAX = 4096, BTK_ATTACHED_SLABS_MAX = 1024 };

struct btk_attached_slab {
    uint32_t slab_id;
    struct btk_shared_memory memory;
    struct btk_attached_slab *next;
};

struct btk_attached_client {
    uint32_t client_id;
    uint32_t slab_count;
    uint64_t results_id;
    struct btk_shared_memory results;
    struct btk_attached_slab *slabs;
    struct btk_attached_client *next;
};

struct btk_attached_clients {
    uint32_t count;
    struct btk_attached_client *first; // the one that was asked for last
};

// Makes, maps, prefaults and seals the results memory of a new client; its descriptor stays open for
// the caller to send and to close. -EEXIST, -ENOSPC, -EINVAL (no bytes), -ENOMEM.
BTK_MUST_USE int btk_attached_clients_attach(struct btk_attached_clients *table, uint32_t client_id,
                                             uint64_t results_id, uint64_t results_bytes,
                                             struct btk_attached_client **out_client);
void btk_attached_clients_detach(struct btk_attached_clients *table, uint32_t client_id);

// NULL: unknown.
struct btk_attached_client *btk_attached_clients_find(struct btk_attached_clients *table,
                                                      uint32_t client_id);

// Maps a sealed slab of at least `bytes` bytes, and takes *fd. -EEXIST, -ENOSPC, -EPERM (not
// sealed), -EFBIG, -ENOMEM.
BTK_MUST_USE int btk_attached_client_attach_slab(struct btk_attached_client *client,
                                                 uint32_t slab_id, int *fd, uint64_t bytes);
void btk_attached_client_detach_slab(struct btk_attached_client *client, uint32_t slab_id);

// NULL: unknown.
const struct btk_shared_memory *
btk_attached_client_find_slab(const struct btk_attached_client *client, uint32_t slab_id);

void btk_attached_clients_clear(struct btk_attached_clients *table);
