// SPDX-License-Identifier: Apache-2.0
// A bump allocator for what is built at once and freed at once: loaders and compilers.
//
// Ownership: btk_arena_clear() frees all that was handed out. Threads: one at a time.
#pragma once

#include <stddef.h>

#include "common/base.h"

struct btk_arena_chunk;

struct btk_arena {
    struct btk_arena_chunk *chunk; // the newest; they are chained
    size_t used_bytes;             // in the newest
};

static inline void btk_arena_init(struct btk_arena *arena)
{
    *arena = (struct btk_arena){0};
}

// Zeroed memory, aligned for any type; NULL when there is none.
void *btk_arena_allocate(struct btk_arena *arena, size_t bytes);

// A copy of the bytes with a NUL behind them; NULL when there is no memory.
char *btk_arena_copy(struct btk_arena *arena, struct btk_bytes text);

void btk_arena_clear(struct btk_arena *arena); // NULL is fine
