// SPDX-License-Identifier: Apache-2.0
// The hash functions of the tables in an image: they are part of its format. Finalizer: splitmix64
// (Steele, Lea, Flood, 2014).
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/hash.h"

static inline uint64_t btk_mix64(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static inline uint64_t btk_lookup_hash(struct btk_bytes text)
{
    return btk_hash_xxh3(text.data, text.length, 0);
}

static inline uint64_t btk_merge_hash(uint64_t key)
{
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return key ^ (key >> 29);
}

static inline uint64_t btk_edge_hash(uint32_t key)
{
    const uint64_t product = key * UINT64_C(0x9e3779b97f4a7c15);
    return product >> 24;
}
