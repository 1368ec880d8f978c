// SPDX-License-Identifier: Apache-2.0
// Letters that ignore case become sets, the way each engine does it.
//
// regex-syntax folds letter by letter. Oniguruma knows letters that fold to two or three (U+00DF to
// "ss"): such a letter matches what it folds to, and two or three letters of the pattern that stand
// side by side match a letter that folds to them. It goes through such a row from the left and takes
// three before two before one; in a look-behind it takes only one.
#include <stddef.h>

#include "tokenizer/compile/regex_parser.h"

enum { MULTI_MAX = 3 };

// Is `code_point` the fold `fold`, or a single letter that folds to it?
static bool folds_to(uint32_t code_point, uint32_t fold)
{
    uint32_t other = fold;
    do {
        if (other == code_point) return true;
        other = btk_unicode_fold_next(BTK_ENGINE_ONIGURUMA, other);
    } while (other != fold);
    return false;
}

static size_t multi_length(const uint32_t *multi)
{
    return multi[3] ? 3 : 2;
}

static bool same_fold(const uint32_t *a, const uint32_t *b)
{
    return a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

// A set of one letter with its other cases.
static struct btk_regex_node *cases(struct btk_arena *arena, enum btk_unicode_engine engine,
                                    uint32_t code_point, bool ignore_case)
{
    struct btk_code_set set, other;
    if (!btk_code_set_range(arena, code_point, code_point, &set)) return NULL;
    uint32_t next = code_point;
    while (ignore_case && (next = btk_unicode_fold_next(engine, next)) != code_point)
        if (!btk_code_set_range(arena, next, next, &other)
            || !btk_code_set_union(arena, set, other, &set))
            return NULL;
    return btk_regex_node_set(arena, set);
}

// The letters that a letter folds to, each with its cases.
static struct btk_regex_node *spelt_out(struct btk_arena *arena, const uint32_t *multi)
{
    struct btk_regex_node *const row = btk_regex_node_new(arena, BTK_REGEX_SEQUENCE, NULL);
    struct btk_regex_node **tail = row ? &row->child : NULL;
    for (size_t i = 1; tail && i <= multi_length(multi); i++) {
        *tail = cases(arena, BTK_ENGINE_ONIGURUMA, multi[i], true);
        tail = *tail ? &(*tail)->next : NULL;
    }
    return tail ? row : NULL;
}

// All letters that fold as `multi` does.
static bool unfolded(struct btk_arena *arena, const uint32_t *multi, struct btk_code_set *out)
{
    struct btk_code_set set = {0}, letter;
    const uint32_t *other;
    for (size_t i = 0; (other = btk_unicode_multi_fold(i)); i++)
        if (same_fold(other, multi)
            && (!btk_code_set_range(arena, other[0], other[0], &letter)
                || !btk_code_set_union(arena, set, letter, &set)))
            return false;
    *out = set;
    return true;
}

// What stands for `multi`, spelt in letters or as one.
static struct btk_regex_node *either(struct btk_arena *arena, const uint32_t *multi)
{
    struct btk_code_set set;
    if (!unfolded(arena, multi, &set)) return NULL;
    return btk_regex_node_pair(arena, BTK_REGEX_CHOICE, spelt_out(arena, multi),
                               btk_regex_node_set(arena, set));
}

static size_t row_length(const struct btk_regex_node *node)
{
    size_t length = 0;
    for (; node && length < MULTI_MAX; node = node->next, length++)
        if (node->kind != BTK_REGEX_CHAR || !node->character.ignore_case) break;
    return length;
}

// The fold that the first `length` letters of a row make together, or NULL.
static const uint32_t *row_fold(const struct btk_regex_node *node, size_t length)
{
    const uint32_t *multi;
    for (size_t i = 0; (multi = btk_unicode_multi_fold(i)); i++) {
        if (multi_length(multi) != length) continue;
        const struct btk_regex_node *letter = node;
        size_t same = 0;
        while (same < length && folds_to(letter->character.code_point, multi[same + 1])) {
            letter = letter->next;
            same++;
        }
        if (same == length) return multi;
    }
    return NULL;
}

static const uint32_t *own_fold(uint32_t code_point)
{
    const uint32_t *multi;
    for (size_t i = 0; (multi = btk_unicode_multi_fold(i)); i++)
        if (multi[0] == code_point) return multi;
    return NULL;
}

// What the letters at the front of a row become; *out_length are taken.
static struct btk_regex_node *fold_letters(struct btk_arena *arena, enum btk_unicode_engine engine,
                                           const struct btk_regex_node *node, bool is_behind,
                                           size_t *out_length)
{
    const bool is_multi =
        engine == BTK_ENGINE_ONIGURUMA && node->character.ignore_case && !is_behind;
    for (size_t length = is_multi ? row_length(node) : 0; length >= 2; length--) {
        const uint32_t *const multi = row_fold(node, length);
        *out_length = length;
        if (multi) return either(arena, multi);
    }
    const uint32_t *const multi = is_multi ? own_fold(node->character.code_point) : NULL;
    *out_length = 1;
    if (multi) return either(arena, multi);
    return cases(arena, engine, node->character.code_point, node->character.ignore_case);
}

static bool fold_children(struct btk_arena *arena, enum btk_unicode_engine engine,
                          struct btk_regex_node *node, bool is_behind);

static bool fold_node(struct btk_arena *arena, enum btk_unicode_engine engine,
                      struct btk_regex_node **place, bool is_behind, size_t *out_length)
{
    struct btk_regex_node *const node = *place;
    struct btk_regex_node *folded = node;
    *out_length = 1;
    if (node->kind == BTK_REGEX_CHAR) {
        folded = fold_letters(arena, engine, node, is_behind, out_length);
    } else {
        const bool is_inside = is_behind || (node->kind == BTK_REGEX_LOOK && node->look.is_behind);
        if (!fold_children(arena, engine, node, is_inside)) return false;
        if (node->kind == BTK_REGEX_SCOPE) folded = node->child;
    }
    if (!folded) return false;
    struct btk_regex_node *rest = node;
    for (size_t i = 0; i < *out_length; i++) rest = rest->next;
    folded->next = rest;
    *place = folded;
    return true;
}

// Sequences in sequences become one, so that rows of letters are seen as Oniguruma sees them.
static void flatten(struct btk_regex_node *sequence)
{
    struct btk_regex_node **place = &sequence->child;
    while (*place) {
        struct btk_regex_node *const node = *place;
        if (node->kind != BTK_REGEX_SEQUENCE) {
            place = &node->next;
            continue;
        }
        *place = node->child ? node->child : node->next;
        if (!node->child) continue;
        struct btk_regex_node *last = node->child;
        while (last->next) last = last->next;
        last->next = node->next;
    }
}

static bool fold_children(struct btk_arena *arena, enum btk_unicode_engine engine,
                          struct btk_regex_node *node, bool is_behind)
{
    size_t length;
    if (node->kind == BTK_REGEX_SEQUENCE) flatten(node);
    for (struct btk_regex_node **place = &node->child; *place; place = &(*place)->next)
        if (!fold_node(arena, engine, place, is_behind, &length)) return false;
    return true;
}

bool btk_regex_fold(struct btk_arena *arena, enum btk_unicode_engine engine,
                    struct btk_regex_node **tree)
{
    size_t length;
    return fold_node(arena, engine, tree, false, &length);
}

struct btk_regex_node *btk_regex_fold_class(struct btk_arena *arena, struct btk_code_set set)
{
    struct btk_code_set folded;
    if (!btk_code_set_fold(arena, BTK_ENGINE_ONIGURUMA, set, &folded)) return NULL;
    struct btk_regex_node *const one = btk_regex_node_set(arena, folded);
    struct btk_regex_node *choice = one, **tail = one ? &one->next : NULL;
    const uint32_t *multi, *before = NULL;
    for (size_t i = 0; tail && (multi = btk_unicode_multi_fold(i)); before = multi, i++) {
        if (!btk_code_set_has(folded, multi[0]) || (before && same_fold(before, multi))) continue;
        if (choice == one) choice = btk_regex_node_new(arena, BTK_REGEX_CHOICE, one);
        *tail = choice ? spelt_out(arena, multi) : NULL;
        tail = *tail ? &(*tail)->next : NULL;
    }
    return tail ? choice : NULL;
}
