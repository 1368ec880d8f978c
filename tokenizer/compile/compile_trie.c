// SPDX-License-Identifier: Apache-2.0
// The trie of WordPiece and Unigram, and that of symbols of BPE.
//
// WordPiece has two roots, for the beginnings of words (node 0) and for what continues them. A token
// that begins with the continuing prefix stands under both: the reference looks up the bare text at
// the beginning of a word.
#include <string.h>

#include "tokenizer/compile/compiler.h"
#include "tokenizer/model/trie.h"
#include "tokenizer/space_mark.h"

struct trie_builder {
    struct btk_compiler *compiler;
    struct btk_edge_slot *slots; // in the section
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
    if (btk_buffer_append(&builder->compiler->sections[BTK_SECTION_TRIE_TOKENS], &no_token,
                          sizeof no_token)
        < 0)
        return btk_compiler_no_memory(builder->compiler);
    *out_node = builder->node_count++;
    return 0;
}

// All edges into a table of twice as many slots.
static int enlarge(struct trie_builder *builder)
{
    struct btk_compiler *const compiler = builder->compiler;
    struct btk_buffer old = compiler->sections[BTK_SECTION_TRIE_EDGES];
    btk_buffer_init(&compiler->sections[BTK_SECTION_TRIE_EDGES]);
    uint64_t mask = 0;
    const int status = btk_compiler_table(compiler, BTK_SECTION_TRIE_EDGES,
                                          sizeof(struct btk_edge_slot), builder->mask + 1, &mask);
    struct btk_edge_slot *const slots = (void *)compiler->sections[BTK_SECTION_TRIE_EDGES].data;
    for (uint64_t i = 0; i <= builder->mask && !status; i++) {
        if (builder->slots[i].key == UINT32_MAX) continue;
        uint64_t at = btk_edge_hash(builder->slots[i].key);
        while (slots[at & mask].key != UINT32_MAX) at++;
        slots[at & mask] = builder->slots[i];
    }
    btk_buffer_clear(&old);
    builder->slots = slots;
    builder->mask = mask;
    return status;
}

static int follow(struct trie_builder *builder, uint32_t *in_out_node, uint8_t byte)
{
    const uint32_t key = *in_out_node << 8 | byte;
    uint64_t at = btk_edge_hash(key);
    while (builder->slots[at & builder->mask].key != UINT32_MAX) {
        if (builder->slots[at & builder->mask].key == key) {
            *in_out_node = builder->slots[at & builder->mask].child;
            return 0;
        }
        at++;
    }
    uint32_t child = 0;
    const int status = add_node(builder, &child);
    if (status < 0) return status;
    builder->slots[at & builder->mask] = (struct btk_edge_slot){key, child};
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
    uint32_t *const tokens = (void *)builder->compiler->sections[BTK_SECTION_TRIE_TOKENS].data;
    if (text.length) tokens[node] = id;
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
static int append_marks(const struct trie_builder *builder)
{
    struct btk_buffer *const marks = &builder->compiler->sections[BTK_SECTION_TRIE_MARKS];
    for (uint32_t i = 0; i < builder->node_count; i++) {
        uint32_t node = i;
        for (size_t at = 0; at < btk_space_mark.length && node != BTK_NO_NODE; at++)
            node =
                btk_edge_find(builder->slots, builder->mask, node << 8 | btk_space_mark.data[at]);
        if (btk_buffer_append(marks, &node, sizeof node) < 0)
            return btk_compiler_no_memory(builder->compiler);
    }
    return 0;
}

int btk_compile_trie(struct btk_compiler *compiler)
{
    struct trie_builder builder = {.compiler = compiler};
    int status = btk_compiler_table(compiler, BTK_SECTION_TRIE_EDGES, sizeof(struct btk_edge_slot),
                                    compiler->config.token_count, &builder.mask);
    if (status < 0) return status;
    builder.slots = (void *)compiler->sections[BTK_SECTION_TRIE_EDGES].data;
    uint32_t root;
    status = add_node(&builder, &root);
    if (!status) status = add_node(&builder, &compiler->config.continuation_root);
    for (uint32_t id = 0; id < compiler->config.token_count && !status; id++)
        status = insert_token(&builder, id);
    return !status && compiler->config.model == BTK_MODEL_UNIGRAM ? append_marks(&builder) : status;
}
