// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_canonical.h"

#include <errno.h>
#include <string.h>

#include "tokenizer/compile/regex_simplify.h"

static int put_numbers(struct btk_buffer *out, const uint32_t *numbers, size_t count)
{
    return btk_buffer_append(out, numbers, count * sizeof *numbers);
}

// A node's kind and numbers, then its children, then an end.
int btk_regex_serialize(const struct btk_regex_node *node, struct btk_buffer *out)
{
    uint32_t head[4] = {node->kind};
    int status = 0;
    switch (node->kind) {
    case BTK_REGEX_SET:
        head[1] = (uint32_t)node->set.count;
        status = put_numbers(out, head, 2);
        if (status < 0 || !node->set.count) return status;
        return btk_buffer_append(out, node->set.ranges, node->set.count * sizeof *node->set.ranges);
    case BTK_REGEX_REPEAT:
        head[1] = node->repeat.min;
        head[2] = node->repeat.max;
        head[3] = node->repeat.mode;
        break;
    case BTK_REGEX_LOOK:
        head[1] = node->look.is_behind;
        head[2] = node->look.is_negated;
        break;
    case BTK_REGEX_ASSERTION: head[1] = node->assertion; break;
    case BTK_REGEX_GROUP:
    case BTK_REGEX_BACKREF: head[1] = node->group; break;
    default: break;
    }
    status = put_numbers(out, head, 4);
    for (const struct btk_regex_node *child = node->child; child && !status; child = child->next)
        status = btk_regex_serialize(child, out);
    head[0] = UINT32_MAX;
    return status < 0 ? status : put_numbers(out, head, 1);
}

bool btk_regex_compare(const struct btk_regex_node *a, const struct btk_regex_node *b,
                       int *out_order)
{
    struct btk_buffer x, y;
    btk_buffer_init(&x);
    btk_buffer_init(&y);
    const bool is_made = !btk_regex_serialize(a, &x) && !btk_regex_serialize(b, &y);
    if (is_made) {
        *out_order = memcmp(x.data, y.data, btk_min_size(x.length, y.length));
        if (!*out_order) *out_order = (x.length > y.length) - (x.length < y.length);
    }
    btk_buffer_clear(&x);
    btk_buffer_clear(&y);
    return is_made;
}

int btk_regex_canonical(struct btk_arena *arena, struct btk_regex_node **tree,
                        struct btk_buffer *out)
{
    // What is relaxed may be simplified again: "x++" behind "x*", say.
    for (int round = 0; round < 3; round++) {
        *tree = btk_regex_simplify(arena, *tree);
        if (!*tree || !btk_regex_relax(arena, tree)) return -ENOMEM;
    }
    return btk_regex_serialize(*tree, out);
}
