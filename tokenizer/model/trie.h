// SPDX-License-Identifier: Apache-2.0
// Walking a trie of an image, and looking characters up.
//
// A trie is a double array (Aoe 1989): the child of a node for a byte stands at the node's base plus the
// byte, if that unit says that it is a child of this node. All that a walk asks of a node stands in its unit,
// a quarter of a cache line. There are 256 units behind every base.
#pragma once

#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/lookup_hash.h"

// What stands behind a key; UINT32_MAX (BTK_NO_TOKEN): nothing. One slot is empty.
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
    const uint32_t child = image->trie[node].base + byte;
    return image->trie[child].check == node ? child : BTK_NO_NODE;
}
