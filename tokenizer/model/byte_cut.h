// SPDX-License-Identifier: Apache-2.0
// Where a piece of byte-level BPE may be cut without changing its tokens. Pieces of languages without
// spaces are long and do not come back; what stands between two cuts is short and does.
//
// A place between the characters x and y is a cut if no merge can join a token that ends there with one
// that begins there. For: (1) tokens spell their bytes, so a merge across the place would be one of
// tokens left and right where left ends with x, or is a part of its end, and right begins with y, or is a
// part of its beginning. (2) Merges are taken by rank and then by place; those on one side see symbols
// of that side only and keep their order without the other side.
//
//     left        right       what is known of the merge
//     .. x        y ..        these two do not part
//     .. x        part of y   x stands before no cut
//     part of x   y ..        y stands behind no cut
//     part of x   part of y   nor do any two characters of which one ends and one begins with these bytes
//
// A whole piece may be looked up before merging (ignore_merges). No token of the vocabulary has a cut
// inside, then; and a token that merging does not make of its bytes has no cut at its ends, so that it
// can only be a piece and never a part of one.
//
// The compiler allows cuts (BTK_MODEL_HAS_BYTE_CUTS) for models of bytes that all have a token, without
// prefix, suffix, dropout and stale candidates (model/bpe.h).
//
//     CUT_FILTER   uint64_t[], a power of two: one bit a hash of any of the above; 0: a cut. Two that
//                  share a bit cost a cut, and nothing else.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"

// Stands for all characters.
#define BTK_CUT_ANY UINT32_C(0x200000)
// Of bytes at the end and at the beginning of a character.
#define BTK_CUT_BYTE UINT32_C(0x400000)

// The bit of two characters: word and place in it are the high bits.
static inline uint64_t btk_cut_bit(uint32_t left, uint32_t right, uint64_t word_mask)
{
    const uint64_t hash =
        (left * UINT64_C(0x9e3779b97f4a7c15) ^ right) * UINT64_C(0xd1b54a32d192ed03);
    return hash >> 32 & (word_mask * 64 + 63);
}

// The first cut of a piece behind its byte `begin`, where a character begins; or its end.
size_t btk_byte_next_cut(const struct btk_image *image, struct btk_bytes piece, size_t begin);
