// SPDX-License-Identifier: Apache-2.0
// Gives out room in a text slab (the client) or in a results memory (the coordinator). Pure
// arithmetic in private memory: nothing of it stands in what is divided. First fit over the used
// ranges in the order of their offsets; any order of release.
//
// Limits: BTK_SLAB_RANGES_MAX ranges at a time. Threads: one.
#pragma once

#include <stdint.h>

#include "common/base.h"

enum { BTK_SLAB_RANGES_MAX = 2048, BTK_SLAB_ALIGNMENT = 64 };

struct btk_slab_range {
    uint64_t offset, bytes;
};

struct btk_slab {
    uint64_t bytes;
    uint32_t range_count;
    struct btk_slab_range ranges[BTK_SLAB_RANGES_MAX]; // sorted by offset, no overlaps
};

void btk_slab_init(struct btk_slab *slab, uint64_t bytes);

// -EAGAIN: no room until something is released; -EMSGSIZE: larger than the slab.
BTK_MUST_USE int btk_slab_acquire(struct btk_slab *slab, uint64_t bytes, uint64_t *out_offset);

// Gives back what is behind the first `bytes` of a range (at least one byte stays).
void btk_slab_trim(struct btk_slab *slab, uint64_t offset, uint64_t bytes);

// `offset` was given out by acquire.
void btk_slab_release(struct btk_slab *slab, uint64_t offset);
