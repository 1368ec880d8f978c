// SPDX-License-Identifier: Apache-2.0
#include "client/result_memory.h"

#include <errno.h>
#include <stdlib.h>

static struct btk_result_memory *find_memory(const struct btk_result_memories *memories,
                                             uint64_t id)
{
    struct btk_result_memory *memory = memories->first;
    while (memory != NULL && (memory->id != id || memory->is_gone)) memory = memory->next;
    return memory;
}

static void free_memory(struct btk_result_memories *memories, struct btk_result_memory *memory)
{
    struct btk_result_memory **link = &memories->first;
    while (*link != memory) link = &(*link)->next;
    *link = memory->next;
    btk_shared_memory_clear(&memory->memory);
    free(memory);
}

int btk_result_memories_attach(struct btk_result_memories *memories, uint64_t id, int *fd)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = 1,
        .bytes_max = (size_t)1 << 40,
        .needs_sealed = true,
    };
    if (id == 0 || find_memory(memories, id) != NULL) return -EEXIST;
    struct btk_result_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL) return -ENOMEM;
    const int rc = btk_shared_memory_attach(fd, &limits, &memory->memory);
    if (rc != 0) {
        free(memory);
        return rc;
    }
    btk_shared_memory_close_fd(&memory->memory);
    memory->id = id;
    memory->next = memories->first;
    memories->first = memory;
    return 0;
}

struct btk_result_memory *btk_result_memories_acquire(struct btk_result_memories *memories,
                                                      uint64_t id)
{
    struct btk_result_memory *memory = find_memory(memories, id);
    if (memory != NULL) memory->users++;
    return memory;
}

void btk_result_memories_release(struct btk_result_memories *memories,
                                 struct btk_result_memory *memory)
{
    memory->users--;
    if (memory->users == 0 && memory->is_gone) free_memory(memories, memory);
}

static void forget_memory(struct btk_result_memories *memories, struct btk_result_memory *memory)
{
    memory->is_gone = true;
    if (memory->users == 0) free_memory(memories, memory);
}

void btk_result_memories_forget(struct btk_result_memories *memories, uint64_t id)
{
    struct btk_result_memory *memory = find_memory(memories, id);
    if (memory != NULL) forget_memory(memories, memory);
}

void btk_result_memories_forget_all(struct btk_result_memories *memories)
{
    struct btk_result_memory *memory = memories->first;
    while (memory != NULL) {
        struct btk_result_memory *next = memory->next;
        forget_memory(memories, memory);
        memory = next;
    }
}

void btk_result_memories_clear(struct btk_result_memories *memories)
{
    while (memories->first != NULL) free_memory(memories, memories->first);
}
