// SPDX-License-Identifier: Apache-2.0
// From a tree of nodes to the double array of an image (model/trie.h).
//
// Ownership: all in the caller's memory. Threads: one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buffer.h"

// From a node to one with a higher number.
struct btk_tree_edge {
    uint32_t parent;
    uint32_t child;
    uint8_t byte;
};

struct btk_tree {
    struct btk_tree_edge *edges; // sorted here by parent, then by byte
    uint32_t edge_count;
    const uint32_t *tokens; // of each node, or BTK_NO_TOKEN; node 0 is a root
    uint32_t node_count;
    uint32_t other_root; // a second one; 0: there is none
};

// Appends struct btk_trie_unit[] to an empty buffer. `out_slots`: of each node. -ENOMEM.
BTK_MUST_USE int btk_trie_array_build(struct btk_tree *tree, struct btk_buffer *out_units,
                                      uint32_t *out_slots);
