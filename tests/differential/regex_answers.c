// SPDX-License-Identifier: Apache-2.0
// Answers for regex_sweep.py: each line of the input is "oniguruma" or "tiktoken", a pattern and a
// text, apart by spaces, the last two in hexadecimal. Answers with a line: the pieces as
// "begin-end" (a match) or "begin+end" (a gap), or "! code message".
//
// With --canonical the pattern is brought into its canonical form before it is run: that must not
// change an answer. With --recognize the answer is the number of the pattern that it is known as.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/compile/regex_canonical.h"
#include "tokenizer/compile/regex_compile.h"
#include "tokenizer/compile/regex_parse.h"
#include "tokenizer/compile/regex_print.h"
#include "tokenizer/compile/regex_recognize.h"
#include "tokenizer/regex.h"

static struct btk_bytes from_hex(char *hex)
{
    const size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        hex[i] = (char)strtoul(digits, NULL, 16);
    }
    return (struct btk_bytes){(const uint8_t *)hex, length};
}

static void print_pieces(struct btk_regex *regex, struct btk_bytes text)
{
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    int status;
    btk_regex_walk_init(&walk, regex, text);
    while ((status = btk_regex_walk_next(&walk, &piece)) > 0)
        printf("%zu%c%zu ", piece.begin, piece.is_match ? '-' : '+', piece.end);
    if (status < 0) printf("! %d", -status);
    printf("\n");
}

static int rewrite_canonical(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                             struct btk_buffer *out, struct btk_error *error)
{
    struct btk_arena arena;
    struct btk_regex_node *tree;
    struct btk_buffer form;
    btk_arena_init(&arena);
    btk_buffer_init(&form);
    int status = btk_regex_parse(pattern, dialect, &arena, &tree, error);
    if (!status) status = btk_regex_canonical(&arena, &tree, &form);
    if (!status) status = btk_regex_print(tree, out);
    btk_buffer_clear(&form);
    btk_arena_clear(&arena);
    return status;
}

static struct btk_regex *make_regex(enum btk_regex_dialect dialect, struct btk_bytes pattern,
                                    bool is_canonical)
{
    struct btk_regex *regex = NULL;
    struct btk_buffer rewritten;
    struct btk_error error = {0};
    btk_buffer_init(&rewritten);
    int status = is_canonical ? rewrite_canonical(pattern, dialect, &rewritten, &error)
                              : btk_regex_compile(pattern, dialect, &rewritten, NULL, &error);
    if (!status)
        status =
            btk_regex_new((struct btk_bytes){rewritten.data, rewritten.length}, &regex, &error);
    if (getenv("BTK_REGEX_SHOW"))
        fprintf(stderr, "%.*s\n", (int)rewritten.length, (const char *)rewritten.data);
    btk_buffer_clear(&rewritten);
    if (status < 0) printf("! %d %s\n", -status, error.message);
    return regex;
}

// The pattern of the line before is kept: a sweep has many texts for each.
static struct btk_regex *get_regex(enum btk_regex_dialect dialect, char *hex, bool is_canonical)
{
    static struct btk_regex *regex;
    static char *known;
    static enum btk_regex_dialect known_dialect;
    if (regex && known && known_dialect == dialect && strcmp(known, hex) == 0) return regex;
    btk_regex_free(&regex);
    free(known);
    known = strdup(hex);
    known_dialect = dialect;
    regex = make_regex(dialect, from_hex(hex), is_canonical);
    return regex;
}

int main(int argc, char **argv)
{
    const bool is_canonical = argc > 1 && strcmp(argv[1], "--canonical") == 0;
    const bool recognizes = argc > 1 && strcmp(argv[1], "--recognize") == 0;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) > 0) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        char *rest = line;
        const char *const name = strsep(&rest, " ");
        char *const pattern = strsep(&rest, " ");
        if (!pattern || !rest) return EXIT_FAILURE;
        const enum btk_regex_dialect dialect =
            strcmp(name, "tiktoken") == 0 ? BTK_REGEX_TIKTOKEN : BTK_REGEX_ONIGURUMA;
        if (recognizes) {
            printf("%d\n", (int)btk_regex_recognize(from_hex(pattern), dialect));
        } else {
            struct btk_regex *const regex = get_regex(dialect, pattern, is_canonical);
            if (regex) print_pieces(regex, from_hex(rest));
        }
        fflush(stdout);
    }
    free(line);
    return EXIT_SUCCESS;
}
