// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/piece_cache.h"

#include <errno.h>
#include <sys/random.h>

#define ONES_8 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
const uint8_t btk_piece_masks[64] = {ONES_8, ONES_8, ONES_8, ONES_8};

void btk_piece_cache_clear(struct btk_piece_cache *cache)
{
    memset(cache->sets, 0, sizeof cache->sets);
    cache->hits = 0;
    cache->misses = 0;
}

int btk_piece_cache_init(struct btk_piece_cache *cache)
{
    btk_piece_cache_clear(cache);
    if (getrandom(cache->seeds, sizeof cache->seeds, 0) != (ssize_t)sizeof cache->seeds)
        return -errno;
    return 0;
}

// Begins at 0, no holes, no token without bytes, and ends where the piece does.
static bool try_layout(const uint32_t *places, size_t count, size_t length, uint32_t *out_layout)
{
    uint32_t layout = (uint32_t)count, at = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t end = places[2 * i + 1];
        if (places[2 * i] != at || end <= at || end > length) return false;
        if (end < length) layout |= UINT32_C(1) << (3 + end - 1);
        at = end;
    }
    *out_layout = layout;
    return at == length;
}

void btk_piece_cache_put(struct btk_piece_entry *set, const struct btk_piece_key *key,
                         const uint32_t *ids, const uint32_t *places, size_t count)
{
    uint32_t layout;
    if (!count || count > BTK_PIECE_IDS_MAX
        || !try_layout(places, count, key->words[3] >> 56, &layout))
        return;
    set[1] = set[0];
    set[0].key = *key;
    memcpy(set[0].ids, ids, count * sizeof *ids);
    set[0].layout = layout;
}
