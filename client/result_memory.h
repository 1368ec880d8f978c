// SPDX-License-Identifier: Apache-2.0
// The results memories that workers wrote for this client, by id. A memory stays mapped while a batch
// refers to it, also after its worker is gone.
//
// Ownership: owns the mappings. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "ipc/shared_memory.h"

struct btk_result_memory {
    uint64_t id;
    struct btk_shared_memory memory;
    uint32_t users;
    bool is_gone; // the cluster forgot it
    struct btk_result_memory *next;
};

struct btk_result_memories {
    struct btk_result_memory *first;
};

// Takes *fd when it succeeds. -EEXIST, -EPERM, -EFBIG, -ENOMEM.
BTK_MUST_USE int btk_result_memories_attach(struct btk_result_memories *memories, uint64_t id,
                                            int *fd);

// Counts one more user. NULL: unknown.
struct btk_result_memory *btk_result_memories_acquire(struct btk_result_memories *memories,
                                                      uint64_t id);
void btk_result_memories_release(struct btk_result_memories *memories,
                                 struct btk_result_memory *memory);

// No new users; unmapped as soon as the last one leaves.
void btk_result_memories_forget(struct btk_result_memories *memories, uint64_t id);
void btk_result_memories_forget_all(struct btk_result_memories *memories);

// Unmaps all, used or not.
void btk_result_memories_clear(struct btk_result_memories *memories);
