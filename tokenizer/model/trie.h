// SPDX-License-Identifier: Apache-2.0
// Walking a trie of an image: its edges are in one table of hashes, of the same kind as the characters
// of BPE.
#pragma once

#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/lookup_hash.h"

// What stands behind a key; UINT32_MAX (BTK_NO_NODE, BTK_NO_TOKEN): nothing. One slot is empty.
static inline uint32_t btk_edge_find(const struct btk_edge_slot *slots, uint64_t mask, uint32_t key)
{
    for (uint64_t at = btk_edge_hash(key);; at++) {
        const struct btk_edge_slot slot = slots[at & mask];
        if (slot.key == key) return slot.child;
        if (slot.key == UINT32_MAX) return UINT32_MAX;
    }
}

// The child of a node; BTK_NO_NODE.
static inline uint32_t btk_trie_follow(const struct btk_image *image, uint32_t node, uint8_t byte)
{
    return btk_edge_find(image->trie_edges, image->trie_edge_mask, node << 8 | byte);
}
