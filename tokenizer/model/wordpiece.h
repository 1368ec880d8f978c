// SPDX-License-Identifier: Apache-2.0
// WordPiece of one word: the longest token that begins it, then the longest that continues, and so
// on; a word that cannot be finished is the unknown token as a whole.
//
// Source: the reference's models/wordpiece. It tries every end from the longest on; a trie gives the
// longest match in one walk.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"

// Encodes a word of at least one byte. `out_ids` and `out_places` (begin and end of each token) have
// room for one token a byte. -ENODATA: the word is unknown and there is no unknown token.
BTK_MUST_USE int btk_wordpiece_encode(const struct btk_image *image, struct btk_bytes word,
                                      uint32_t *out_ids, uint32_t *out_places, size_t *out_count);
