// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/trie_array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/image_format.h"

enum {
    BYTES = 256,
    TRIES_MAX = 32, // free slots that are tried before the search begins further on
};

struct array {
    struct btk_buffer *buffer;
    struct btk_trie_unit *units;
    uint32_t count;      // a whole node fits behind the last base
    uint32_t first_free; // nothing before it is looked at any more
};

static int grow(struct array *array, uint64_t count)
{
    if (count <= array->count) return 0;
    count = btk_max_size(count, array->count + array->count / 2 + 4096ull);
    if (count > UINT32_MAX) return -ENOMEM;
    const size_t bytes = count * sizeof *array->units;
    if (btk_buffer_reserve(array->buffer, bytes - array->buffer->length) < 0) return -ENOMEM;
    array->units = (void *)array->buffer->data;
    for (uint64_t i = array->count; i < count; i++)
        array->units[i] = (struct btk_trie_unit){
            .check = BTK_NO_NODE, .token = BTK_NO_TOKEN, .mark = BTK_NO_NODE};
    array->count = (uint32_t)count;
    array->buffer->length = bytes;
    return 0;
}

static bool is_free(const struct array *array, uint64_t slot)
{
    return slot >= array->count || array->units[slot].check == BTK_NO_NODE;
}

static bool fits(const struct array *array, uint32_t base, const struct btk_tree_edge *edges,
                 size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_free(array, (uint64_t)base + edges[i].byte)) return false;
    return true;
}

static uint32_t next_free(const struct array *array, uint32_t slot)
{
    while (!is_free(array, slot)) slot++;
    return slot;
}

// Where the children of a node fit: the first of them on a free slot. Where many slots are free and none
// does, the area before is left alone from then on, so that all of it takes time with its length.
static uint32_t find_base(struct array *array, const struct btk_tree_edge *edges, size_t count)
{
    const uint32_t first = edges[0].byte + 1u; // no base is 0 or less
    uint32_t slot = next_free(array, array->first_free > first ? array->first_free : first);
    for (unsigned tries = 0; !fits(array, slot - edges[0].byte, edges, count); tries++) {
        if (tries == TRIES_MAX) array->first_free = slot;
        slot = next_free(array, slot + 1);
    }
    return slot - edges[0].byte;
}

static int put_children(struct array *array, const struct btk_tree *tree,
                        const struct btk_tree_edge *edges, size_t count, uint32_t *slots)
{
    const uint32_t parent = slots[edges[0].parent];
    const uint32_t base = find_base(array, edges, count);
    if (grow(array, (uint64_t)base + BYTES) < 0) return -ENOMEM;
    array->units[parent].base = base;
    for (size_t i = 0; i < count; i++) {
        const uint32_t slot = base + edges[i].byte;
        array->units[slot].check = parent;
        array->units[slot].token = tree->tokens[edges[i].child];
        slots[edges[i].child] = slot;
    }
    array->first_free = next_free(array, array->first_free);
    return 0;
}

static int compare_edges(const void *a, const void *b)
{
    const struct btk_tree_edge *const left = a, *const right = b;
    if (left->parent != right->parent) return left->parent < right->parent ? -1 : 1;
    return (int)left->byte - (int)right->byte;
}

// Nobody leads to a root, and nobody else is put there.
static void put_root(struct array *array, const struct btk_tree *tree, uint32_t node,
                     uint32_t *slots)
{
    array->units[node].check = BTK_NO_NODE - 1;
    array->units[node].token = tree->tokens[node];
    slots[node] = node;
}

int btk_trie_array_build(struct btk_tree *tree, struct btk_buffer *out_units, uint32_t *out_slots)
{
    struct array array = {.buffer = out_units};
    if (grow(&array, (uint64_t)tree->other_root + BYTES) < 0) return -ENOMEM;
    put_root(&array, tree, 0, out_slots);
    if (tree->other_root) put_root(&array, tree, tree->other_root, out_slots);
    qsort(tree->edges, tree->edge_count, sizeof *tree->edges, compare_edges);
    for (uint32_t i = 0, end; i < tree->edge_count; i = end) {
        for (end = i; end < tree->edge_count && tree->edges[end].parent == tree->edges[i].parent;)
            end++;
        const int status = put_children(&array, tree, tree->edges + i, end - i, out_slots);
        if (status < 0) return status;
    }
    return 0;
}
