// SPDX-License-Identifier: Apache-2.0
// What comes behind a repetition, and whether a letter that it gave back could ever help.
#include "tokenizer/compile/regex_simplify.h"

// The nodes behind a place: siblings, then what is behind their parent. NULL: the end of the
// pattern, or of an atomic group or a look-around, where the match is made.
struct follow {
    const struct btk_regex_node *rest;
    const struct follow *outer;
    bool is_unknown; // in a loop, which may come again
};

static bool first_of_row(struct btk_arena *arena, const struct btk_regex_node *row,
                         struct btk_code_set *out_set, bool *out_is_nullable)
{
    *out_is_nullable = true;
    for (; row && *out_is_nullable; row = row->next) {
        struct btk_code_set set = {0};
        if (!btk_regex_first(arena, row, &set, out_is_nullable)
            || !btk_code_set_union(arena, *out_set, set, out_set))
            return false;
    }
    return true;
}

static bool first_of_choice(struct btk_arena *arena, const struct btk_regex_node *node,
                            struct btk_code_set *out_set, bool *out_is_nullable)
{
    *out_is_nullable = false;
    for (const struct btk_regex_node *child = node->child; child; child = child->next) {
        struct btk_code_set set = {0};
        bool is_nullable;
        if (!btk_regex_first(arena, child, &set, &is_nullable)
            || !btk_code_set_union(arena, *out_set, set, out_set))
            return false;
        *out_is_nullable |= is_nullable;
    }
    return true;
}

bool btk_regex_first(struct btk_arena *arena, const struct btk_regex_node *node,
                     struct btk_code_set *out_set, bool *out_is_nullable)
{
    struct btk_code_set set = {0};
    bool is_known = true;
    *out_is_nullable = false;
    switch (node->kind) {
    case BTK_REGEX_EMPTY: *out_is_nullable = true; break;
    case BTK_REGEX_SET: set = node->set; break;
    case BTK_REGEX_SEQUENCE:
        is_known = first_of_row(arena, node->child, &set, out_is_nullable);
        break;
    case BTK_REGEX_CHOICE: is_known = first_of_choice(arena, node, &set, out_is_nullable); break;
    case BTK_REGEX_REPEAT:
        is_known = btk_regex_first(arena, node->child, &set, out_is_nullable);
        *out_is_nullable |= node->repeat.min == 0;
        break;
    case BTK_REGEX_GROUP:
    case BTK_REGEX_ATOMIC:
        is_known = btk_regex_first(arena, node->child, &set, out_is_nullable);
        break;
    default: is_known = false; break;
    }
    *out_set = set;
    return is_known;
}

// Can what is behind fail at all?
static bool cannot_fail(struct btk_arena *arena, const struct follow *follow)
{
    for (; follow; follow = follow->outer) {
        struct btk_code_set set = {0};
        bool is_nullable;
        if (follow->is_unknown) return false;
        if (!first_of_row(arena, follow->rest, &set, &is_nullable) || !is_nullable) return false;
    }
    return true;
}

// Is a letter of `set` never the first of what is behind, and is there always something behind?
static bool begins_apart(struct btk_arena *arena, const struct follow *follow,
                         struct btk_code_set set)
{
    bool is_nullable = true;
    for (; follow && is_nullable; follow = follow->outer) {
        struct btk_code_set first = {0};
        if (follow->is_unknown || !first_of_row(arena, follow->rest, &first, &is_nullable)
            || !btk_code_set_disjoint(first, set))
            return false;
    }
    return !is_nullable;
}

static bool relax(struct btk_arena *arena, struct btk_regex_node **place,
                  const struct follow *follow);

static bool relax_row(struct btk_arena *arena, struct btk_regex_node *node,
                      const struct follow *follow)
{
    for (struct btk_regex_node **place = &node->child; *place; place = &(*place)->next) {
        const struct follow behind = {.rest = (*place)->next, .outer = follow};
        if (!relax(arena, place, &behind)) return false;
    }
    return true;
}

static bool relax_choice(struct btk_arena *arena, struct btk_regex_node *node,
                         const struct follow *follow)
{
    for (struct btk_regex_node **place = &node->child; *place; place = &(*place)->next)
        if (!relax(arena, place, follow)) return false;
    return true;
}

static bool relax_repeat(struct btk_arena *arena, struct btk_regex_node *node,
                         const struct follow *follow)
{
    const struct follow again = {.outer = follow, .is_unknown = true};
    const bool is_possessive = node->repeat.mode == BTK_REGEX_POSSESSIVE;
    const bool is_once = node->repeat.max == 1 && !is_possessive;
    if (is_possessive
        && (cannot_fail(arena, follow)
            || (node->child->kind == BTK_REGEX_SET
                && begins_apart(arena, follow, node->child->set))))
        node->repeat.mode = BTK_REGEX_GREEDY;
    return relax(arena, &node->child, is_once ? follow : &again);
}

// `place` may be a sibling of others: the chain stays whole.
static bool relax(struct btk_arena *arena, struct btk_regex_node **place,
                  const struct follow *follow)
{
    struct btk_regex_node *const node = *place;
    switch (node->kind) {
    case BTK_REGEX_SEQUENCE: return relax_row(arena, node, follow);
    case BTK_REGEX_CHOICE: return relax_choice(arena, node, follow);
    case BTK_REGEX_REPEAT: return relax_repeat(arena, node, follow);
    case BTK_REGEX_GROUP: return relax(arena, &node->child, follow);
    case BTK_REGEX_LOOK:
        // A look-behind is read towards its end, which is given.
        return node->look.is_behind || relax(arena, &node->child, NULL);
    case BTK_REGEX_ATOMIC:
        if (cannot_fail(arena, follow)) {
            node->child->next = node->next;
            *place = node->child;
            return relax(arena, place, follow);
        }
        return relax(arena, &node->child, NULL);
    default: return true;
    }
}

bool btk_regex_relax(struct btk_arena *arena, struct btk_regex_node **tree)
{
    return relax(arena, tree, NULL);
}
