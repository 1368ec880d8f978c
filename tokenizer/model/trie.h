// SPDX-License-Identifier: Apache-2.0
// Walking a trie of an image: its edges are in one table of hashes.
#pragma once

#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/lookup_hash.h"

// The child of a node; BTK_NO_NODE.
static inline uint32_t btk_trie_follow(const struct btk_image *image, uint32_t node, uint8_t byte)
{
    const uint32_t key = node << 8 | byte;
    for (uint64_t at = btk_edge_hash(key);; at++) {
        const struct btk_edge_slot slot = image->trie_edges[at & image->trie_edge_mask];
        if (slot.key == key) return slot.child;
        if (slot.key == UINT32_MAX) return BTK_NO_NODE;
    }
}
