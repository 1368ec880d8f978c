// SPDX-License-Identifier: Apache-2.0
// Alternatives: two that begin with different letters may change places, and stand by their form
// then; sets side by side are one set; what begins with the same set begins with it once.
#include "tokenizer/compile/regex_simplify.h"

// More are left as they stand: the work grows with the square.
enum { ALTERNATIVES_MAX = 64 };

struct alternative {
    struct btk_regex_node *node;
    struct btk_code_set first;
    bool is_known; // first is, and it matches a letter at least
};

static size_t read_alternatives(struct btk_arena *arena, const struct btk_regex_node *choice,
                                struct alternative out[ALTERNATIVES_MAX])
{
    size_t count = 0;
    for (struct btk_regex_node *node = choice->child; node; node = node->next) {
        bool is_nullable = false;
        if (count == ALTERNATIVES_MAX) return 0;
        out[count].node = node;
        out[count].is_known =
            btk_regex_first(arena, node, &out[count].first, &is_nullable) && !is_nullable;
        count++;
    }
    return count;
}

// May the alternative at `from` stand before all that are left of those ahead of it?
static bool may_move(const struct alternative *all, const bool *is_taken, size_t from)
{
    for (size_t i = 0; i < from; i++)
        if (!is_taken[i]
            && !(all[i].is_known && all[from].is_known
                 && btk_code_set_disjoint(all[i].first, all[from].first)))
            return false;
    return true;
}

// The least by form comes first, of those that may.
static bool take_least(const struct alternative *all, bool *is_taken, size_t count, size_t *out)
{
    bool has_one = false;
    int order;
    for (size_t i = 0; i < count; i++) {
        if (is_taken[i] || !may_move(all, is_taken, i)) continue;
        if (has_one && !btk_regex_compare(all[i].node, all[*out].node, &order)) return false;
        if (!has_one || order < 0) *out = i;
        has_one = true;
    }
    is_taken[*out] = true;
    return true;
}

static bool sort_alternatives(struct btk_arena *arena, struct btk_regex_node *choice)
{
    struct alternative all[ALTERNATIVES_MAX];
    bool is_taken[ALTERNATIVES_MAX] = {false};
    const size_t count = read_alternatives(arena, choice, all);
    struct btk_regex_node **tail = &choice->child;
    for (size_t i = 0; i < count; i++) {
        size_t least = 0;
        if (!take_least(all, is_taken, count, &least)) return false;
        *tail = all[least].node;
        tail = &all[least].node->next;
    }
    if (count) *tail = NULL;
    return true;
}

static bool merge_sets(struct btk_arena *arena, struct btk_regex_node *choice)
{
    for (struct btk_regex_node *node = choice->child; node && node->next;) {
        struct btk_regex_node *const next = node->next;
        if (node->kind != BTK_REGEX_SET || next->kind != BTK_REGEX_SET) {
            node = next;
            continue;
        }
        if (!btk_code_set_union(arena, node->set, next->set, &node->set)) return false;
        node->next = next->next;
    }
    return true;
}

// The set that an alternative begins with, or NULL.
static struct btk_regex_node *leading_set(struct btk_regex_node *node)
{
    if (node->kind == BTK_REGEX_SET) return node;
    if (node->kind == BTK_REGEX_SEQUENCE && node->child->kind == BTK_REGEX_SET) return node->child;
    return NULL;
}

static bool begins_like(struct btk_regex_node *node, const struct btk_regex_node *set)
{
    const struct btk_regex_node *const own = leading_set(node);
    return own && btk_code_set_equal(own->set, set->set);
}

// What is behind the leading set, a node without siblings.
static struct btk_regex_node *behind_set(struct btk_arena *arena, struct btk_regex_node *node)
{
    struct btk_regex_node *const rest = node->kind == BTK_REGEX_SEQUENCE ? node->child->next : NULL;
    if (!rest) return btk_regex_node_new(arena, BTK_REGEX_EMPTY, NULL);
    return rest->next ? btk_regex_node_new(arena, BTK_REGEX_SEQUENCE, rest) : rest;
}

// Neighbours that begin with the same set become that set and a choice of the rests.
static bool factor(struct btk_arena *arena, struct btk_regex_node *choice)
{
    for (struct btk_regex_node **place = &choice->child; *place; place = &(*place)->next) {
        struct btk_regex_node *const first = *place;
        struct btk_regex_node *const set = leading_set(first);
        if (!set || !first->next || !begins_like(first->next, set)) continue;
        struct btk_regex_node *const rests = btk_regex_node_new(arena, BTK_REGEX_CHOICE, NULL);
        struct btk_regex_node **tail = rests ? &rests->child : NULL;
        struct btk_regex_node *node = first;
        while (tail && node && begins_like(node, set)) {
            struct btk_regex_node *const next = node->next;
            *tail = behind_set(arena, node);
            tail = *tail ? &(*tail)->next : NULL;
            node = next;
        }
        struct btk_regex_node *const head = btk_regex_node_set(arena, set->set);
        struct btk_regex_node *const simple = tail ? btk_regex_simplify(arena, rests) : NULL;
        struct btk_regex_node *const joined =
            btk_regex_node_pair(arena, BTK_REGEX_SEQUENCE, head, simple);
        struct btk_regex_node *const whole = joined ? btk_regex_simplify(arena, joined) : NULL;
        if (!whole) return false;
        whole->next = node;
        *place = whole;
    }
    return true;
}

// "x|" is "x?", "|x" is "x??".
static struct btk_regex_node *make_optional(struct btk_arena *arena, struct btk_regex_node *choice)
{
    struct btk_regex_node **place = &choice->child;
    while ((*place)->next) place = &(*place)->next;
    const bool is_lazy = choice->child->kind == BTK_REGEX_EMPTY;
    if (!choice->child->next || (!is_lazy && (*place)->kind != BTK_REGEX_EMPTY)) return choice;
    if (is_lazy)
        choice->child = choice->child->next;
    else
        *place = NULL;
    struct btk_regex_node *const optional =
        btk_regex_node_new(arena, BTK_REGEX_REPEAT, choice->child->next ? choice : choice->child);
    if (!optional) return NULL;
    optional->repeat.max = 1;
    optional->repeat.mode = is_lazy ? BTK_REGEX_LAZY : BTK_REGEX_GREEDY;
    return optional;
}

struct btk_regex_node *btk_regex_simplify_choice(struct btk_arena *arena,
                                                 struct btk_regex_node *choice)
{
    if (!sort_alternatives(arena, choice) || !merge_sets(arena, choice) || !factor(arena, choice)
        || !sort_alternatives(arena, choice) || !merge_sets(arena, choice))
        return NULL;
    if (!choice->child->next) return choice->child;
    return make_optional(arena, choice);
}
