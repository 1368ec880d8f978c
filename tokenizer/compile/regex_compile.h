// SPDX-License-Identifier: Apache-2.0
// From a pattern as it stands in a file to one that tokenizer/regex.h can run.
#pragma once

#include "common/buffer.h"
#include "common/error.h"
#include "tokenizer/compile/regex_ast.h"

// Appends the rewritten pattern: every class a row of code points as the reference's engine has
// them, case folded the reference's way, places between words spelt out; it means to Debian's
// Oniguruma what `pattern` means to the reference. *out_match_bytes_min, unless it is NULL: bytes that
// every match has. -EINVAL, -ENOTSUP (the error says what and where), -E2BIG, -ENOMEM.
BTK_MUST_USE int btk_regex_compile(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                                   struct btk_buffer *out, size_t *out_match_bytes_min,
                                   struct btk_error *error);
