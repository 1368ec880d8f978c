// SPDX-License-Identifier: Apache-2.0
// print_pieces PATTERN [--kernels SET]: where a pattern cuts the texts of standard input, for
// tests/differential/patterns.py.
//
// A text is its length in bytes, four bytes with the lowest first, and then its bytes, which are
// valid UTF-8. The answer is a line with the ends of its pieces.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "kernels/pretok/pretok.h"
#include "tests/kernels/patterns.h"

enum { BATCH = 100 };

static void print_pieces(btk_pretok_next_fn *next, const struct btk_kernels *kernels,
                         struct btk_bytes text)
{
    static struct btk_pretok pretok;
    struct btk_piece pieces[BATCH];
    btk_pretok_init(&pretok, kernels, text);
    for (size_t count; (count = next(&pretok, pieces, BATCH)) != 0;)
        for (size_t i = 0; i < count; i++) printf(" %u-%u", pieces[i].begin, pieces[i].end);
    printf("\n");
}

static int print_texts(btk_pretok_next_fn *next, const struct btk_kernels *kernels)
{
    uint8_t head[4];
    while (fread(head, 1, sizeof head, stdin) == sizeof head) {
        const size_t length =
            (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        // Of its own size, so that a sanitizer sees what is read behind it.
        uint8_t *text = malloc(length + !length);
        if (!text || fread(text, 1, length, stdin) != length
            || btk_utf8_valid_prefix(text, length) != length)
        {
            fprintf(stderr, "print_pieces: not a text\n");
            free(text);
            return 1;
        }
        print_pieces(next, kernels, (struct btk_bytes){text, length});
        free(text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct btk_kernels *kernels = NULL;
    struct btk_error error = {0};
    const char *const set = argc == 4 && strcmp(argv[2], "--kernels") == 0 ? argv[3] : NULL;
    btk_pretok_next_fn *const next = argc >= 2 ? pattern_find(argv[1]) : NULL;
    if (!next || (argc != 2 && !set)) {
        fprintf(stderr, "usage: print_pieces PATTERN [--kernels SET]\n");
        return 2;
    }
    if (btk_kernels_select(set, &kernels, &error) != 0) {
        fprintf(stderr, "print_pieces: %s\n", error.message);
        return 2;
    }
    return print_texts(next, kernels);
}
