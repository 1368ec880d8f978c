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

static bool may_be_empty(const struct btk_regex_node *node)
{
    bool all = true, any = false;
    if (node->kind == BTK_REGEX_SET || node->kind == BTK_REGEX_CHAR) return false;
    if (node->kind == BTK_REGEX_REPEAT && node->repeat.min == 0) return true;
    if (!node->child || node->kind == BTK_REGEX_LOOK) return true;
    for (const struct btk_regex_node *child = node->child; child; child = child->next) {
        const bool is_empty = may_be_empty(child);
        all &= is_empty;
        any |= is_empty;
    }
    return node->kind == BTK_REGEX_CHOICE ? any : all;
}

static void drop_groups(struct btk_regex_node **place, bool keeps_quirks, bool in_loop)
{
    struct btk_regex_node *node = *place;
    while (node->kind == BTK_REGEX_GROUP && !(keeps_quirks && in_loop && may_be_empty(node))) {
        node->child->next = node->next;
        *place = node = node->child;
    }
    in_loop |= node->kind == BTK_REGEX_REPEAT;
    for (struct btk_regex_node **child = &node->child; *child; child = &(*child)->next)
        drop_groups(child, keeps_quirks, in_loop);
}

void btk_regex_drop_groups(struct btk_regex_node **tree, bool keeps_quirks)
{
    drop_groups(tree, keeps_quirks, false);
}

// More is not of interest.
enum { MATCH_BYTES_MAX = 1 << 20 };

static size_t code_point_bytes(uint32_t code_point)
{
    return 1 + (size_t)(code_point > 0x7f) + (code_point > 0x7ff) + (code_point > 0xffff);
}

static size_t bytes_min_of_children(const struct btk_regex_node *node, bool is_choice)
{
    size_t sum = 0, least = SIZE_MAX;
    for (const struct btk_regex_node *child = node->child; child; child = child->next) {
        const size_t bytes = btk_regex_match_bytes_min(child);
        sum = btk_min_size(sum + bytes, MATCH_BYTES_MAX);
        least = btk_min_size(least, bytes);
    }
    return is_choice ? least : sum;
}

size_t btk_regex_match_bytes_min(const struct btk_regex_node *node)
{
    // The match may begin anywhere behind it.
    if (btk_regex_tree_has(node, BTK_REGEX_KEEP)) return 0;
    switch (node->kind) {
    case BTK_REGEX_CHAR: return 1;
    case BTK_REGEX_SET: return node->set.count ? code_point_bytes(node->set.ranges[0].first) : 1;
    case BTK_REGEX_SEQUENCE:
    case BTK_REGEX_GROUP:
    case BTK_REGEX_SCOPE:
    case BTK_REGEX_ATOMIC: return bytes_min_of_children(node, false);
    case BTK_REGEX_CHOICE: return node->child ? bytes_min_of_children(node, true) : 0;
    case BTK_REGEX_REPEAT:
        return btk_min_size(node->repeat.min * bytes_min_of_children(node, false), MATCH_BYTES_MAX);
    default: return 0;
    }
}
