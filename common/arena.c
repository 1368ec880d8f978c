// SPDX-License-Identifier: Apache-2.0
#include "common/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)64 * 1024)

struct btk_arena_chunk {
    struct btk_arena_chunk *next;
    size_t capacity_bytes;
    alignas(max_align_t) unsigned char memory[];
};

static bool grow(struct btk_arena *arena, size_t bytes)
{
    const size_t capacity = btk_max_size(bytes, CHUNK_BYTES);
    struct btk_arena_chunk *const chunk = calloc(1, sizeof *chunk + capacity);
    if (!chunk) return false;
    chunk->next = arena->chunk;
    chunk->capacity_bytes = capacity;
    arena->chunk = chunk;
    arena->used_bytes = 0;
    return true;
}

void *btk_arena_allocate(struct btk_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) return NULL;
    const size_t rounded = btk_align_up(bytes, alignof(max_align_t));
    const bool fits = arena->chunk && arena->chunk->capacity_bytes - arena->used_bytes >= rounded;
    if (!fits && !grow(arena, rounded)) return NULL;
    void *const memory = arena->chunk->memory + arena->used_bytes;
    arena->used_bytes += rounded;
    return memory;
}

char *btk_arena_copy(struct btk_arena *arena, struct btk_bytes text)
{
    char *const copy = btk_arena_allocate(arena, text.length + 1);
    if (copy && text.length) memcpy(copy, text.data, text.length);
    return copy;
}

void btk_arena_clear(struct btk_arena *arena)
{
    if (!arena) return;
    while (arena->chunk) {
        struct btk_arena_chunk *const next = arena->chunk->next;
        free(arena->chunk);
        arena->chunk = next;
    }
    btk_arena_init(arena);
}
