// SPDX-License-Identifier: Apache-2.0
// Where a piece of BPE may be cut without changing its tokens. SentencePiece's BPE has no words, so a
// piece is the whole text; between two cuts stands what can be remembered.
//
// A place between the characters x and y is a cut if both are in the vocabulary, no merge joins a token
// that ends in x with one that begins with y, and no symbol of several characters has xy. For: (1) symbols of characters and what merges
// make of them spell their characters at their ends, whatever else is in them; so a merge across the
// place would be one that is not there. (2) Merges are taken by rank and then by place; those on one
// side see symbols of that side only and keep their order without the other side. (3) An unknown
// token that waits to be fused is given out before a character of the vocabulary: nothing waits at x,
// and nothing is added to it behind y.
//
// The compiler allows cuts (BTK_MODEL_HAS_CUTS) where this holds: no prefix and no suffix (a character
// at a cut would get one), no whole pieces looked up before merging, no dropout (candidates left out
// come back with the next merge, on whichever side), no stale candidates, and no dropped characters
// (they move all that follows in their piece).
//
//     CUT_BITS     [129 characters before][129 behind, 3 words]: 1: a cut. ASCII and U+2581
//     CUT_PAIRS    x << 32 | y for all others: 1: no cut. Hash table; UINT64_MAX: empty
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base.h"
#include "tokenizer/image.h"
#include "tokenizer/space_mark.h"

enum { BTK_CUT_CLASSES = 129, BTK_CUT_ROW_WORDS = 3 };

#define BTK_CUT_NO_CLASS UINT32_MAX

static inline uint32_t btk_cut_class(uint32_t code_point)
{
    return code_point < 0x80                         ? code_point
           : code_point == BTK_SPACE_MARK_CODE_POINT ? 0x80
                                                     : BTK_CUT_NO_CLASS;
}

// Is there a cut between two characters?
bool btk_bpe_is_cut(const struct btk_image *image, uint32_t left, uint32_t right);

// The first cut of a piece behind its byte `begin`, where a character begins; or its end.
size_t btk_bpe_next_cut(const struct btk_image *image, struct btk_bytes piece, size_t begin);

// The token of a character beyond ASCII, for BPE of characters; BTK_NO_TOKEN.
uint32_t btk_bpe_find_char(const struct btk_image *image, uint32_t code_point, uint32_t place);
