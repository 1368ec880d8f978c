// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_ast.h"

struct btk_regex_node *btk_regex_node_new(struct btk_arena *arena, enum btk_regex_kind kind,
                                          struct btk_regex_node *child)
{
    struct btk_regex_node *const node = btk_arena_allocate(arena, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    node->child = child;
    return node;
}

struct btk_regex_node *btk_regex_node_set(struct btk_arena *arena, struct btk_code_set set)
{
    struct btk_regex_node *const node = btk_regex_node_new(arena, BTK_REGEX_SET, NULL);
    if (node) node->set = set;
    return node;
}

struct btk_regex_node *btk_regex_node_look(struct btk_arena *arena, struct btk_regex_node *child,
                                           bool is_behind, bool is_negated)
{
    if (!child) return NULL;
    struct btk_regex_node *const node = btk_regex_node_new(arena, BTK_REGEX_LOOK, child);
    if (!node) return NULL;
    node->look.is_behind = is_behind;
    node->look.is_negated = is_negated;
    return node;
}

struct btk_regex_node *btk_regex_node_assertion(struct btk_arena *arena,
                                                enum btk_regex_assertion assertion)
{
    struct btk_regex_node *const node = btk_regex_node_new(arena, BTK_REGEX_ASSERTION, NULL);
    if (node) node->assertion = assertion;
    return node;
}

struct btk_regex_node *btk_regex_node_pair(struct btk_arena *arena, enum btk_regex_kind kind,
                                           struct btk_regex_node *first,
                                           struct btk_regex_node *second)
{
    if (!first || !second) return NULL;
    first->next = second;
    return btk_regex_node_new(arena, kind, first);
}

bool btk_regex_tree_has(const struct btk_regex_node *node, enum btk_regex_kind kind)
{
    if (node->kind == kind) return true;
    for (const struct btk_regex_node *child = node->child; child; child = child->next)
        if (btk_regex_tree_has(child, kind)) return true;
    return false;
}
