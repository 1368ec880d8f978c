// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/piece_cache.h"

#include <errno.h>
#include <sys/random.h>

#define ONES_8 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
const uint8_t btk_piece_masks[64] = {ONES_8, ONES_8, ONES_8, ONES_8};

void btk_piece_cache_clear(struct btk_piece_cache *cache)
{
    memset(cache->lines, BTK_SHORT_NOTHING_BYTE, sizeof cache->lines);
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

void btk_piece_set_put(struct btk_piece_entry *set, const struct btk_piece_key *key,
                       const uint32_t *ids, const uint32_t *places, size_t count)
{
    uint32_t ends;
    if (!count || count > BTK_PIECE_IDS_MAX
        || !btk_piece_ends(places, count, key->words[3] >> 56, &ends))
        return;
    set[1] = set[0];
    set[0].key = *key;
    memcpy(set[0].ids, ids, count * sizeof *ids);
    set[0].layout = (uint32_t)count | ends << 3;
}
