// SPDX-License-Identifier: Apache-2.0
// A tree as a pattern for Debian's Oniguruma that asks no table of the library.
#pragma once

#include "common/buffer.h"
#include "tokenizer/compile/regex_ast.h"

// A pattern that would be longer than this is refused.
#define BTK_REGEX_REWRITTEN_BYTES_MAX (8u << 20)

// Appends the pattern. -ENOMEM, -E2BIG.
BTK_MUST_USE int btk_regex_print(const struct btk_regex_node *tree, struct btk_buffer *out);
