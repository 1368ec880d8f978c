// SPDX-License-Identifier: Apache-2.0
// Patterns that stand for one character of a set need no regular expression.
#pragma once

#include "common/buffer.h"
#include "tokenizer/compile/regex_ast.h"

// Does `pattern` match one character of a set, whatever stands around it? Then appends the set
// (tokenizer/code_map.h) to `out`, *out_page_count its pages, *out_bytes_min the bytes that the
// shortest of its characters has. False, and `out` as it was: it does not, it is no pattern, its set
// is too scattered for a map, or there is no memory; the general way will tell.
bool btk_compile_code_map(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                          struct btk_buffer *out, uint32_t *out_page_count, size_t *out_bytes_min);
