// SPDX-License-Identifier: Apache-2.0
// Memory that is shared by descriptor: made by one process, sealed, and attached by others.
//
//     2 MiB pages of the pool (MFD_HUGETLB)  ->  transparent huge pages  ->  4 KiB pages
//
// Each step is verified, not believed: madvise() and MADV_COLLAPSE return 0 without giving
// anything, so /proc/self/smaps is asked. All pages are there before create returns: a lack of
// memory is -ENOMEM here, and never a SIGBUS later. MAP_NORESERVE is never used.
//
// One writer: after the writer has mapped, seal() adds FUTURE_WRITE, so that nobody maps it
// writable again, SHRINK and GROW, so that nobody takes pages from under a reader, and SEAL.
//
// Ownership: a struct owns its mapping and its descriptor. Threads: no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_shared_memory {
    void *address; // NULL: not mapped
    size_t bytes;
    size_t page_bytes; // 2097152 or 4096, as verified
    int fd;            // -1: none
};

#define BTK_SHARED_MEMORY_INIT                                                                     \
    {                                                                                              \
        .address = NULL, .fd = -1                                                                  \
    }

enum btk_shared_memory_flag {
    BTK_SHARED_MEMORY_SMALL_PAGES = 1 << 0, // do not try huge pages: small or short-lived
};

// Makes a memfd of at least `bytes` (rounded up to pages), mapped read-write and prefaulted, sealed
// against SHRINK and GROW. `name` shows in /proc. -ENOMEM, also where the kernel would kill a process
// to have so much; -EMFILE.
BTK_MUST_USE int btk_shared_memory_create(const char *name, size_t bytes, unsigned flags,
                                          struct btk_shared_memory *out_memory);

// Mode 0400, and the seals that are still missing: SHRINK, GROW, FUTURE_WRITE, SEAL.
BTK_MUST_USE int btk_shared_memory_seal(const struct btk_shared_memory *memory);

// What an attacher insists on.
struct btk_shared_memory_limits {
    size_t bytes_min;
    size_t bytes_max;
    bool writable;     // map read-write: the attacher is the one writer
    bool needs_sealed; // FUTURE_WRITE too (a slab on its way to its writer has it not yet)
};

// Maps a descriptor that came from a peer, prefaulted where it may be written; takes *fd, and sets
// it to -1, when it succeeds. -EPERM: seals are missing; -EFBIG: outside of the limits; -ENOMEM.
BTK_MUST_USE int btk_shared_memory_attach(int *fd, const struct btk_shared_memory_limits *limits,
                                          struct btk_shared_memory *out_memory);

// Closes the descriptor and keeps the mapping.
void btk_shared_memory_close_fd(struct btk_shared_memory *memory);

// Unmaps and closes; NULL, half-built and cleared structs are fine.
void btk_shared_memory_clear(struct btk_shared_memory *memory);
