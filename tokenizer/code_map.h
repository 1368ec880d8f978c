// SPDX-License-Identifier: Apache-2.0
// A set of code points as the data of a step holds it, for a look-up of two loads.
//
//     page_count bytes   for each page of 256 code points, up to the last that has any of the set: the
//                        number of its bitmap
//     bitmaps of 32 bytes   code point c is in the set if bit c % 8 of byte c % 256 / 8 is set
//
// Pure functions, and nothing is allocated. tokenizer/compile/compile_code_map.h makes them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/utf8.h"

enum {
    BTK_CODE_MAP_PAGE_BITS = 8,
    BTK_CODE_MAP_BITMAP_BYTES = 32,
    BTK_CODE_MAP_PAGES_MAX = 0x1100
};

struct btk_code_map {
    const uint8_t *pages;
    uint32_t page_count;
    const uint8_t *bitmaps;
};

// `data` is one that btk_code_map_is_sound() accepts.
static inline struct btk_code_map btk_code_map_of(struct btk_bytes data, uint32_t page_count)
{
    return (struct btk_code_map){data.data, page_count, data.data + page_count};
}

// Is `data` a map, and nothing else?
static inline bool btk_code_map_is_sound(struct btk_bytes data, uint32_t page_count)
{
    if (page_count > data.length || page_count > BTK_CODE_MAP_PAGES_MAX
        || (data.length - page_count) % BTK_CODE_MAP_BITMAP_BYTES)
        return false;
    const size_t bitmap_count = (data.length - page_count) / BTK_CODE_MAP_BITMAP_BYTES;
    for (uint32_t i = 0; i < page_count; i++)
        if (data.data[i] >= bitmap_count) return false;
    return true;
}

static inline bool btk_code_map_has(const struct btk_code_map *map, uint32_t code_point)
{
    const uint32_t page = code_point >> BTK_CODE_MAP_PAGE_BITS;
    if (page >= map->page_count) return false;
    const uint8_t *const bitmap =
        map->bitmaps + (size_t)map->pages[page] * BTK_CODE_MAP_BITMAP_BYTES;
    return bitmap[code_point >> 3 & 31] >> (code_point & 7) & 1;
}

// The next character of valid UTF-8 in [at, end) that is of the set, *out_length its bytes; `end`: none.
static inline size_t btk_code_map_find(const struct btk_code_map *map, const uint8_t *text,
                                       size_t at, size_t end, size_t *out_length)
{
    for (; at < end; at += *out_length)
        if (btk_code_map_has(map, btk_utf8_decode(text + at, out_length))) return at;
    return end;
}
