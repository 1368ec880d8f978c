// SPDX-License-Identifier: Apache-2.0
// Room of this process alone for what one shard needs: copies of hostile memory, and columns that
// do not fit where they belong. It grows with the largest need; what a common shard needs stays,
// what an unusual one needed is given back after it.
//
//     reserve(200 KiB)  ->  4 MiB of address space, pages on first touch    kept by trim
//     reserve(2 GiB)    ->  2 GiB of address space, pages on first touch    given back by trim
//
// The bounds that it is reserved for are several times what is then used, so address space is taken
// without a promise of memory behind it; only pages that are written cost anything.
//
// Ownership: the struct owns its mapping; zero-initialized is empty. Threads: one.
#pragma once

#include <stddef.h>

#include "common/base.h"

enum { BTK_PRIVATE_MEMORY_KEEP_BYTES = 4 << 20 };

struct btk_private_memory {
    void *address; // NULL: nothing was ever reserved, or it was given back
    size_t bytes;
};

// At least `bytes` at memory->address, page-aligned. What stood there is lost when it has to grow.
// -ENOMEM: nothing is mapped then.
BTK_MUST_USE int btk_private_memory_reserve(struct btk_private_memory *memory, size_t bytes);

// Gives back what is larger than a common shard needs.
void btk_private_memory_trim(struct btk_private_memory *memory);

void btk_private_memory_clear(struct btk_private_memory *memory); // NULL and empty are fine
