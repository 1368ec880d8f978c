// SPDX-License-Identifier: Apache-2.0
// The steps to the canonical form; nobody but regex_canonical.c and its parts includes this.
#pragma once

#include "common/buffer.h"
#include "tokenizer/compile/regex_ast.h"

// regex_canonical.c: appends what a node is, without its siblings. -ENOMEM.
BTK_MUST_USE int btk_regex_serialize(const struct btk_regex_node *node, struct btk_buffer *out);
// < 0, 0 or > 0, by the serialized form. False when there is no memory.
BTK_MUST_USE bool btk_regex_compare(const struct btk_regex_node *a, const struct btk_regex_node *b,
                                    int *out_order);

// regex_simplify.c: all steps that look at one node and its children. Returns NULL when there is no
// memory. The result has no siblings.
struct btk_regex_node *btk_regex_simplify(struct btk_arena *arena, struct btk_regex_node *node);

// regex_choice.c: order, sets and common beginnings of alternatives, which are simple already.
struct btk_regex_node *btk_regex_simplify_choice(struct btk_arena *arena,
                                                 struct btk_regex_node *choice);

// regex_follow.c: what may come first in a node. False: that is not known. Sets *out_is_nullable
// when the node can match nothing (and then cannot fail).
bool btk_regex_first(struct btk_arena *arena, const struct btk_regex_node *node,
                     struct btk_code_set *out_set, bool *out_is_nullable);
// Possessive repetitions and atomic groups become greedy ones where nothing can be given back.
BTK_MUST_USE bool btk_regex_relax(struct btk_arena *arena, struct btk_regex_node **tree);
