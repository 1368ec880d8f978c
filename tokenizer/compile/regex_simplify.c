// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_simplify.h"

static bool is_set_repeat(const struct btk_regex_node *node)
{
    return node && node->kind == BTK_REGEX_REPEAT && node->child->kind == BTK_REGEX_SET;
}

static bool is_forever(const struct btk_regex_node *node)
{
    return node->repeat.max == BTK_REGEX_FOREVER;
}

// Sequences within a sequence and choices within a choice are one; what matches nothing is left out
// of a sequence.
static void flatten(struct btk_regex_node *node)
{
    struct btk_regex_node **place = &node->child;
    while (*place) {
        struct btk_regex_node *const child = *place;
        const bool is_dropped = node->kind == BTK_REGEX_SEQUENCE && child->kind == BTK_REGEX_EMPTY;
        if (child->kind != node->kind && !is_dropped) {
            place = &child->next;
            continue;
        }
        *place = child->child ? child->child : child->next;
        if (!child->child) continue;
        struct btk_regex_node *last = child->child;
        while (last->next) last = last->next;
        last->next = child->next;
    }
}

static uint32_t add_counts(uint32_t a, uint32_t b)
{
    if (a == BTK_REGEX_FOREVER || b == BTK_REGEX_FOREVER) return BTK_REGEX_FOREVER;
    return a + b;
}

// "x" and "x*" side by side are "x+".
static bool join_letter(struct btk_regex_node *letter)
{
    struct btk_regex_node *const repeat = letter->next;
    if (letter->kind != BTK_REGEX_SET || !is_set_repeat(repeat)) return false;
    if (!btk_code_set_equal(letter->set, repeat->child->set)) return false;
    repeat->repeat.min = add_counts(repeat->repeat.min, 1);
    repeat->repeat.max = add_counts(repeat->repeat.max, 1);
    return true;
}

// Greedy "s*c+" with every c among s: s takes all but the last c, so that c+ is c.
static void shorten_after_superset(struct btk_regex_node *node)
{
    struct btk_regex_node *const repeat = node->next;
    if (!is_set_repeat(node) || !is_set_repeat(repeat)) return;
    if (!is_forever(node) || !is_forever(repeat) || repeat->repeat.min != 1) return;
    if (node->repeat.mode != BTK_REGEX_GREEDY || repeat->repeat.mode != BTK_REGEX_GREEDY) return;
    if (!btk_code_set_within(repeat->child->set, node->child->set)) return;
    repeat->repeat.max = 1;
}

static void join_neighbours(struct btk_regex_node *sequence)
{
    struct btk_regex_node **place = &sequence->child;
    while (*place) {
        if (join_letter(*place)) {
            *place = (*place)->next;
            continue;
        }
        shorten_after_superset(*place);
        if ((*place)->next && (*place)->next->kind == BTK_REGEX_REPEAT
            && (*place)->next->repeat.min == 1 && (*place)->next->repeat.max == 1)
        {
            struct btk_regex_node *const once = (*place)->next;
            once->child->next = once->next;
            (*place)->next = once->child;
        }
        place = &(*place)->next;
    }
}

static struct btk_regex_node *simplify_repeat(struct btk_regex_node *node)
{
    const uint32_t min = node->repeat.min, max = node->repeat.max;
    struct btk_regex_node *const child = node->child;
    if (child->kind == BTK_REGEX_EMPTY) return child;
    if (max == 0) {
        node->kind = BTK_REGEX_EMPTY;
        node->child = NULL;
        return node;
    }
    if (min == 1 && max == 1 && node->repeat.mode != BTK_REGEX_POSSESSIVE) return child;
    if (min == max && child->kind == BTK_REGEX_SET) node->repeat.mode = BTK_REGEX_GREEDY;
    return min == 1 && max == 1 && child->kind == BTK_REGEX_SET ? child : node;
}

// (?>x+) is x++, and of what goes no way back nothing is cut off.
static struct btk_regex_node *simplify_atomic(struct btk_regex_node *node)
{
    struct btk_regex_node *const child = node->child;
    if (child->kind == BTK_REGEX_SET || child->kind == BTK_REGEX_EMPTY
        || child->kind == BTK_REGEX_ATOMIC)
        return child;
    if (child->kind != BTK_REGEX_REPEAT || child->repeat.mode == BTK_REGEX_LAZY) return node;
    child->repeat.mode = BTK_REGEX_POSSESSIVE;
    return child;
}

static struct btk_regex_node *simplify_sequence(struct btk_regex_node *node)
{
    flatten(node);
    join_neighbours(node);
    if (node->child && !node->child->next) return node->child;
    if (!node->child) node->kind = BTK_REGEX_EMPTY;
    return node;
}

struct btk_regex_node *btk_regex_simplify(struct btk_arena *arena, struct btk_regex_node *node)
{
    for (struct btk_regex_node **place = &node->child; *place; place = &(*place)->next) {
        struct btk_regex_node *const next = (*place)->next;
        (*place)->next = NULL;
        struct btk_regex_node *const child = btk_regex_simplify(arena, *place);
        if (!child) return NULL;
        child->next = next;
        *place = child;
    }
    struct btk_regex_node *simple = node;
    switch (node->kind) {
    case BTK_REGEX_SEQUENCE: simple = simplify_sequence(node); break;
    case BTK_REGEX_CHOICE:
        flatten(node);
        simple = btk_regex_simplify_choice(arena, node);
        break;
    case BTK_REGEX_REPEAT: simple = simplify_repeat(node); break;
    case BTK_REGEX_ATOMIC: simple = simplify_atomic(node); break;
    default: break;
    }
    if (simple) simple->next = NULL;
    return simple;
}
