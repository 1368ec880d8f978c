// SPDX-License-Identifier: Apache-2.0
// A form of a pattern that does not depend on how it is spelt.
//
// Patterns with the same form match the same; some that match the same have different forms. What
// is the same: the order and the writing of classes, of alternatives that begin differently, of
// common beginnings ('s|'t and '[st]); (?i:...) and its letters written out; needless groups;
// counts (xx*, x{1,}, x+); possessive and greedy where nothing could be given back.
#pragma once

#include "common/buffer.h"
#include "tokenizer/compile/regex_ast.h"

// Appends the form of the tree (bytes, no text). *tree becomes one that is spelt this way and means
// the same. -ENOMEM.
BTK_MUST_USE int btk_regex_canonical(struct btk_arena *arena, struct btk_regex_node **tree,
                                     struct btk_buffer *out);
