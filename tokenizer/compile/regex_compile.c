// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_compile.h"

#include <errno.h>

#include "tokenizer/compile/regex_parse.h"
#include "tokenizer/compile/regex_print.h"

int btk_regex_compile(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                      struct btk_buffer *out, size_t *out_match_bytes_min, struct btk_error *error)
{
    struct btk_arena arena;
    struct btk_regex_node *tree;
    btk_arena_init(&arena);
    int status = btk_regex_parse(pattern, dialect, &arena, &tree, error);
    if (!status) {
        if (out_match_bytes_min) *out_match_bytes_min = btk_regex_match_bytes_min(tree);
        status = btk_regex_print(tree, out);
        if (status < 0)
            btk_error_set(error, -status, BTK_NO_OFFSET,
                          status == -E2BIG ? "regular expression: too long when written out"
                                           : "regular expression: no memory");
    }
    btk_arena_clear(&arena);
    return status;
}
