// SPDX-License-Identifier: Apache-2.0
// The parser of regular expressions: pattern -> tree, in two dialects.
#pragma once

#include "common/error.h"
#include "tokenizer/compile/regex_ast.h"

// A tree of the pattern, with case folded: no CHAR and no SCOPE is left. The tree lives in `arena`.
// -EINVAL: no pattern of this dialect, -ENOTSUP: a construct that we do not have, -ENOMEM; the
// error's offset is the byte in the pattern.
BTK_MUST_USE int btk_regex_parse(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                                 struct btk_arena *arena, struct btk_regex_node **out,
                                 struct btk_error *error);
