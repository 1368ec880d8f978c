// SPDX-License-Identifier: Apache-2.0
#include "worker/private_memory.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

int btk_private_memory_reserve(struct btk_private_memory *memory, size_t bytes)
{
    if (memory->address != NULL && bytes <= memory->bytes) return 0;
    btk_private_memory_clear(memory);
    if (bytes > SIZE_MAX / 2) return -ENOMEM;
    bytes = btk_align_up(btk_max_size(bytes, BTK_PRIVATE_MEMORY_KEEP_BYTES), PAGE_BYTES);
    void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED) return -ENOMEM;
    *memory = (struct btk_private_memory){address, bytes};
    return 0;
}

void btk_private_memory_trim(struct btk_private_memory *memory)
{
    if (memory->bytes > BTK_PRIVATE_MEMORY_KEEP_BYTES) btk_private_memory_clear(memory);
}

void btk_private_memory_clear(struct btk_private_memory *memory)
{
    if (memory == NULL) return;
    if (memory->address != NULL) munmap(memory->address, memory->bytes);
    *memory = (struct btk_private_memory){0};
}
