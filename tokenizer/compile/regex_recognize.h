// SPDX-License-Identifier: Apache-2.0
// Patterns that have a matcher of their own (kernels/pretok), known by what they mean.
#pragma once

#include "kernels/pretok/pretok.h"
#include "tokenizer/compile/regex_ast.h"

// The pattern whose sources (kernels/pretok/pattern_sources.h) mean what `pattern` means, or
// BTK_PATTERN_COUNT: none does, or there was no memory to find out. What is spelt like a source
// takes no time, anything else some milliseconds.
enum btk_pattern btk_regex_recognize(struct btk_bytes pattern, enum btk_regex_dialect dialect);
