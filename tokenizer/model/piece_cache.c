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
