// SPDX-License-Identifier: Apache-2.0
// The double array of a SentencePiece charsmap. A byte leads from a node to the unit at place node ^ byte,
// if that unit is of this byte, and from there to the node place ^ offset. Of a unit that has a value, the
// value stands in the unit at that node. The first node is the offset of unit 0.
//
// Source: include/darts.h of Darts-clone, class DoubleArrayUnit. Nothing here looks at bounds.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"

static inline uint32_t btk_charsmap_offset(uint32_t unit)
{
    return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}

static inline bool btk_charsmap_is_of(uint32_t unit, uint32_t byte)
{
    return (unit & (1u << 31 | 0xffu)) == byte;
}

static inline bool btk_charsmap_has_value(uint32_t unit)
{
    return unit >> 8 & 1;
}

// Of the unit at the node: where the text begins.
static inline uint32_t btk_charsmap_value(uint32_t unit)
{
    return unit & ~(1u << 31);
}

// The text that begins at a value, which is at most the length of all texts: it ends before a NUL.
static inline struct btk_bytes btk_charsmap_text(struct btk_bytes texts, uint32_t value)
{
    const size_t rest = texts.length - value;
    const uint8_t *const begin = texts.data + value;
    const uint8_t *const end = rest ? memchr(begin, 0, rest) : NULL;
    return (struct btk_bytes){begin, end ? (size_t)(end - begin) : rest};
}
