// SPDX-License-Identifier: Apache-2.0
// The trie of WordPiece and Unigram, and that of symbols of BPE.
//
// WordPiece has two roots, for the beginnings of words (node 0) and for what continues them. A token
// that begins with the continuing prefix stands under both: the reference looks up the bare text at
// the beginning of a word.
#include <stdlib.h>
#include <string.h>

#include "tokenizer/compile/compiler.h"
#include "tokenizer/compile/trie_array.h"
#include "tokenizer/model/trie.h"
#include "tokenizer/space_mark.h"

struct trie_builder {
    struct btk_compiler *compiler;
    struct btk_buffer edges;     // struct btk_tree_edge
    struct btk_buffer tokens;    // uint32_t of each node
    struct btk_edge_slot *slots; // of edges: node << 8 | byte -> node
    uint64_t mask;
    uint32_t node_count;
};

enum { NODE_LIMIT = 1 << 24 }; // a node and a byte are one 32-bit key

static int add_node(struct trie_builder *builder, uint32_t *out_node)
{
    static const uint32_t no_token = BTK_NO_TOKEN;
    if (builder->node_count == NODE_LIMIT - 1)
        return btk_compiler_refuse(builder->compiler, "model.vocab",
                                   "its tokens are too long for a trie of %d nodes", NODE_LIMIT);
    if (btk_buffer_append(&builder->tokens, &no_token, sizeof no_token) < 0)
        return btk_compiler_no_memory(builder->compiler);
    *out_node = builder->node_count++;
    return 0;
}

static int reset_slots(struct trie_builder *builder, uint64_t slot_count)
{
    struct btk_edge_slot *const slots = malloc(slot_count * sizeof *slots);
    if (!slots) return btk_compiler_no_memory(builder->compiler);
    memset(slots, 0xff, slot_count * sizeof *slots);
    free(builder->slots);
    builder->slots = slots;
    builder->mask = slot_count - 1;
    return 0;
}

static uint64_t find_slot(const struct trie_builder *builder, uint32_t key)
{
    uint64_t at = btk_edge_hash(key);
    while (builder->slots[at & builder->mask].key != UINT32_MAX
           && builder->slots[at & builder->mask].key != key)
        at++;
    return at & builder->mask;
}

// All edges into a table of twice as many slots.
static int enlarge(struct trie_builder *builder)
{
    const struct btk_tree_edge *const edges = (const void *)builder->edges.data;
    const int status = reset_slots(builder, 2 * (builder->mask + 1));
    for (size_t i = 0; i < builder->edges.length / sizeof *edges && !status; i++) {
        const uint32_t key = edges[i].parent << 8 | edges[i].byte;
        builder->slots[find_slot(builder, key)] = (struct btk_edge_slot){key, edges[i].child};
    }
    return status;
}

static int follow(struct trie_builder *builder, uint32_t *in_out_node, uint8_t byte)
{
    const uint32_t parent = *in_out_node, key = parent << 8 | byte;
    struct btk_edge_slot *const slot = &builder->slots[find_slot(builder, key)];
    if (slot->key == key) {
        *in_out_node = slot->child;
        return 0;
    }
    uint32_t child = 0;
    const int status = add_node(builder, &child);
    if (status < 0) return status;
    const struct btk_tree_edge edge = {parent, child, byte};
    if (btk_buffer_append(&builder->edges, &edge, sizeof edge) < 0)
        return btk_compiler_no_memory(builder->compiler);
    *slot = (struct btk_edge_slot){key, child};
    *in_out_node = child;
    return 2 * (uint64_t)builder->node_count > builder->mask ? enlarge(builder) : 0;
}

static int insert(struct trie_builder *builder, uint32_t root, struct btk_bytes text, uint32_t id)
{
    uint32_t node = root;
    for (size_t i = 0; i < text.length; i++) {
        const int status = follow(builder, &node, text.data[i]);
        if (status < 0) return status;
    }
    if (text.length) ((uint32_t *)(void *)builder->tokens.data)[node] = id;
    return 0;
}

static int insert_token(struct trie_builder *builder, uint32_t id)
{
    const struct btk_compiler *const compiler = builder->compiler;
    const struct btk_bytes text = compiler->tokens[id].text;
    const struct btk_bytes prefix = compiler->prefix;
    if (!btk_compiler_is_model_token(compiler, id)) return 0;
    if (compiler->config.model == BTK_MODEL_BPE && !btk_compiler_is_symbol(compiler, id)) return 0;
    const int status = insert(builder, 0, text, id);
    if (status < 0 || compiler->config.model != BTK_MODEL_WORDPIECE || text.length <= prefix.length)
        return status;
    if (prefix.length && memcmp(text.data, prefix.data, prefix.length) != 0) return 0;
    return insert(builder, compiler->config.continuation_root,
                  (struct btk_bytes){text.data + prefix.length, text.length - prefix.length}, id);
}

// Words of Unigram begin with U+2581, and texts may have long runs of it: three steps are one.
static void fill_marks(struct btk_trie_unit *units, const uint32_t *slots, uint32_t node_count)
{
    const struct btk_image view = {.trie = units};
    for (uint32_t i = 0; i < node_count; i++) {
        uint32_t node = slots[i];
        for (size_t at = 0; at < btk_space_mark.length && node != BTK_NO_NODE; at++)
            node = btk_trie_follow(&view, node, btk_space_mark.data[at]);
        units[slots[i]].mark = node;
    }
}

static int build_array(struct trie_builder *builder)
{
    struct btk_compiler *const compiler = builder->compiler;
    struct btk_buffer *const section = &compiler->sections[BTK_SECTION_TRIE];
    uint32_t *const slots =
        btk_arena_allocate(&compiler->arena, builder->node_count * sizeof *slots);
    struct btk_tree tree = {
        .edges = (void *)builder->edges.data,
        .edge_count = (uint32_t)(builder->edges.length / sizeof(struct btk_tree_edge)),
        .tokens = (const void *)builder->tokens.data,
        .node_count = builder->node_count,
        .other_root = compiler->config.continuation_root,
    };
    if (!slots || btk_trie_array_build(&tree, section, slots) < 0)
        return btk_compiler_no_memory(compiler);
    if (compiler->config.model == BTK_MODEL_UNIGRAM)
        fill_marks((void *)section->data, slots, builder->node_count);
    return 0;
}

static int build_tree(struct trie_builder *builder)
{
    struct btk_image_config *const config = &builder->compiler->config;
    uint64_t slot_count = 16;
    while (slot_count < 2 * (uint64_t)config->token_count) slot_count *= 2;
    uint32_t root;
    int status = reset_slots(builder, slot_count);
    if (!status) status = add_node(builder, &root);
    if (!status) status = add_node(builder, &config->continuation_root);
    for (uint32_t id = 0; id < config->token_count && !status; id++)
        status = insert_token(builder, id);
    return status;
}

int btk_compile_trie(struct btk_compiler *compiler)
{
    struct trie_builder builder = {.compiler = compiler};
    btk_buffer_init(&builder.edges);
    btk_buffer_init(&builder.tokens);
    int status = build_tree(&builder);
    if (!status) status = build_array(&builder);
    btk_buffer_clear(&builder.edges);
    btk_buffer_clear(&builder.tokens);
    free(builder.slots);
    return status;
}
