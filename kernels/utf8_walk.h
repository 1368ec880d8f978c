// SPDX-License-Identifier: Apache-2.0
// The walk over UTF-8 in blocks of 64 bytes, once for all instruction sets: a set's file defines
// the block below and then includes this.
//
//     struct block                            64 bytes in registers, which the compiler cannot
//                                             read from memory a second time
//     block_load(text)                        64 bytes
//     block_load_part(text, count)            0 to 63 bytes and zeros behind them
//     block_store(out, block), block_store_part(out, block, count)
//     block_is_ascii(block)
//     block_breaks_utf8(block, before)        whether `block`, or a sequence that began in the
//                                             block before it, breaks the rules. A sequence that
//                                             is cut off by the end of `block` does not (yet).
//
// The walk stops in the block of the first error, so that a caller who mends a text error by error
// reads nothing twice. Zeros behind the end make a cut sequence an error.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/utf8.h"

#define BLOCK_BYTES 64

// The error lies in [begin, end) or is a sequence that began up to 3 bytes earlier; everything
// before is valid. Returns the offset of the sequence.
static size_t utf8_locate_error(const uint8_t *text, size_t begin, size_t end)
{
    size_t from = begin;
    for (size_t back = 1; back <= btk_min_size(begin, 3); back++) {
        if (text[begin - back] < 0xc0) continue;
        from = begin - back;
        break;
    }
    return from + btk_utf8_valid_prefix(text + from, end - from);
}

// Copies whole blocks while they are ASCII; returns the offset of the first that is not.
static inline size_t utf8_walk_ascii(uint8_t *out, const uint8_t *text, size_t at, size_t length)
{
    for (; length - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
        const struct block block = block_load(text + at);
        if (!block_is_ascii(block)) break;
        if (out) block_store(out + at, block);
    }
    return at;
}

// `out` NULL: only checks. A constant in the callers, so that each gets a body of its own.
static inline __attribute__((always_inline)) size_t utf8_walk(uint8_t *out, const uint8_t *text,
                                                              size_t length)
{
    size_t at = 0;
    while ((at = utf8_walk_ascii(out, text, at, length)) < length) {
        struct block before = block_load_part(text, 0);
        do {
            const size_t count = btk_min_size(length - at, BLOCK_BYTES);
            const struct block block =
                count < BLOCK_BYTES ? block_load_part(text + at, count) : block_load(text + at);
            if (out && count < BLOCK_BYTES) block_store_part(out + at, block, count);
            if (out && count == BLOCK_BYTES) block_store(out + at, block);
            if (block_breaks_utf8(block, before))
                return utf8_locate_error(out ? out : text, at, at + count);
            at += count;
            if (count < BLOCK_BYTES) return length;
            before = block;
        } while (!block_is_ascii(before));
    }
    return length;
}
