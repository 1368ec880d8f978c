// SPDX-License-Identifier: Apache-2.0
#include "ipc/slab.h"

#include <errno.h>
#include <string.h>

void btk_slab_init(struct btk_slab *slab, uint64_t bytes)
{
    slab->bytes = bytes;
    slab->range_count = 0;
}

static void insert_range(struct btk_slab *slab, uint32_t index, uint64_t offset, uint64_t bytes)
{
    struct btk_slab_range *at = slab->ranges + index;
    memmove(at + 1, at, (slab->range_count - index) * sizeof *at);
    *at = (struct btk_slab_range){offset, bytes};
    slab->range_count++;
}

int btk_slab_acquire(struct btk_slab *slab, uint64_t bytes, uint64_t *out_offset)
{
    if (bytes > slab->bytes) return -EMSGSIZE;
    if (slab->range_count == BTK_SLAB_RANGES_MAX) return -EAGAIN;
    bytes = btk_align_up(btk_max_size(bytes, 1), BTK_SLAB_ALIGNMENT);
    uint64_t offset = 0;
    uint32_t index = 0;
    for (; index < slab->range_count; index++) {
        if (slab->ranges[index].offset - offset >= bytes) break;
        offset = slab->ranges[index].offset + slab->ranges[index].bytes;
    }
    if (index == slab->range_count && (offset > slab->bytes || slab->bytes - offset < bytes))
        return -EAGAIN;
    insert_range(slab, index, offset, bytes);
    *out_offset = offset;
    return 0;
}

void btk_slab_trim(struct btk_slab *slab, uint64_t offset, uint64_t bytes)
{
    bytes = btk_align_up(btk_max_size(bytes, 1), BTK_SLAB_ALIGNMENT);
    for (uint32_t i = 0; i < slab->range_count; i++) {
        if (slab->ranges[i].offset != offset) continue;
        if (bytes < slab->ranges[i].bytes) slab->ranges[i].bytes = bytes;
        return;
    }
}

void btk_slab_release(struct btk_slab *slab, uint64_t offset)
{
    for (uint32_t i = 0; i < slab->range_count; i++) {
        if (slab->ranges[i].offset != offset) continue;
        slab->range_count--;
        memmove(slab->ranges + i, slab->ranges + i + 1,
                (slab->range_count - i) * sizeof slab->ranges[0]);
        return;
    }
}
