// SPDX-License-Identifier: Apache-2.0
// Characters that byte-level BPE always puts together from their bytes, so that a piece may begin with
// them in place of two to four symbols each. Text beyond ASCII is mostly made of these.
//
// The bytes of a character c are merged one after the other, by ranks r1, r2, .. A merge that takes the
// first symbol of c together with what stands before it, or the last one with what stands behind it,
// would disturb that; so c counts as whole if, before each of its merges, all merges of the model that
// have its first symbol at their right, and all that have its last one at their left, have a higher rank
// than that merge (those of which the other part cannot stand beside a character, because it ends or begins
// within one, apart). Then whatever stands around c, its merges come first.
//
// That they are done even before all others changes nothing: only a merge that has c as a part could come
// too early then, and all of these have a higher rank than the last merge of c, or c does not count.
//
// Most characters have such merges only with ASCII around them (a space and the first byte of many): they
// count as whole where no ASCII stands beside them, and only merges with what ends and begins beyond
// ASCII are looked at.
//
//     WHOLE_CHARS   btk_edge_slot: code point -> id, or id | BTK_WHOLE_CHAR_NO_ASCII
//
// The conditions for the model are those of byte_cut.h.
#pragma once

#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/model/trie.h"

#define BTK_WHOLE_CHAR_NO_ASCII BTK_TOKEN_LIMIT

// The token of the character [at, at + length) of a piece; BTK_NO_TOKEN: it begins as bytes.
static inline uint32_t btk_whole_char_find(const struct btk_image *image, struct btk_bytes piece,
                                           size_t at, size_t length, uint32_t code_point)
{
    const uint32_t found = btk_edge_find(image->whole_chars, image->whole_char_mask, code_point);
    if (found < BTK_WHOLE_CHAR_NO_ASCII || found == BTK_NO_TOKEN) return found;
    const bool has_ascii = (at > 0 && piece.data[at - 1] < 0x80)
                           || (at + length < piece.length && piece.data[at + length] < 0x80);
    return has_ascii ? (uint32_t)BTK_NO_TOKEN : found - BTK_WHOLE_CHAR_NO_ASCII;
}
