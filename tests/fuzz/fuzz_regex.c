// SPDX-License-Identifier: Apache-2.0
// Patterns made of parts, and any bytes, in both dialects: see README.md.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/rounds.h"
#include "tests/fuzz/target.h"
#include "tokenizer/compile/regex_canonical.h"
#include "tokenizer/compile/regex_compile.h"
#include "tokenizer/compile/regex_parse.h"
#include "tokenizer/compile/regex_print.h"
#include "tokenizer/compile/regex_recognize.h"
#include "tokenizer/regex.h"

enum { PATTERN_BYTES_MAX = 96, TEXT_BYTES_MAX = 200 };

static const char *const parts[] = {
    "a",       "b",         "s",    "\xc3\x9f", "\xe4\xb8\xad", " ",       ".",     "\\s",  "\\S",
    "\\w",     "\\d",       "\\n",  "\\p{L}",   "\\P{N}",       "\\p{^M}", "[",     "]",    "[^",
    "&&",      "--",        "a-z",  "-",        "[:alpha:]",    "(",       ")",     "(?:",  "(?i:",
    "(?>",     "(?=",       "(?!",  "(?<=",     "(?<!",         "(?i)",    "|",     "*",    "+",
    "?",       "{1,3}",     "{2}",  "{,2}",     "{3,1}",        "++",      "*?",    "^",    "$",
    "\\b",     "\\B",       "\\A",  "\\z",      "\\Z",          "\\G",     "\\K",   "\\R",  "\\1",
    "(?<n>",   "\\k<n>",    "\\x{", "}",        "\\xe4",        "\\u00e9", "\\101", "(?x)", " #",
    "{",       "\\",        "ss",   "\xc5\xbf", "'s|'t",        "(?#",     "[]",    "\\h",  "(?m)",
    "\\p{Lu}", "[a&&[^b]]",
};
static const char *const text_parts[] = {"a",
                                         "b",
                                         "s",
                                         "S",
                                         "1",
                                         " ",
                                         "\n",
                                         "\r",
                                         "\xc3\x9f",
                                         "\xc5\xbf",
                                         "'s",
                                         "aa",
                                         "\xe4\xb8\xad",
                                         "\xcc\x81",
                                         ".",
                                         "\xe2\x80\x8d",
                                         "ss",
                                         "\xf0\x9f\x98\x80"};

// Bytes choose parts: a pattern that is likely to be one.
static size_t join(const char *const *list, size_t count, const uint8_t *data, size_t size,
                   uint8_t *out, size_t capacity)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        const char *const part = list[data[i] % count];
        const size_t bytes = strlen(part);
        if (length + bytes > capacity) break;
        memcpy(out + length, part, bytes);
        length += bytes;
    }
    return length;
}

// All pieces, hashed; is_out: it took too many steps.
static uint64_t walk(struct btk_regex *regex, struct btk_bytes text, bool *is_out)
{
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    uint64_t hash = 0;
    size_t covered = 0, count = 0;
    int status;
    btk_regex_walk_init(&walk, regex, text);
    while ((status = btk_regex_walk_next(&walk, &piece)) > 0) {
        CHECK(piece.begin <= piece.end && piece.end <= text.length, "a piece outside of the text");
        CHECK(++count <= 3 * text.length + 3, "pieces without an end");
        if (piece.begin > covered || piece.end < covered) hash ^= 1; // \K moves a match's begin
        covered = piece.end;
        hash =
            hash * UINT64_C(0x100000001b3) ^ (piece.begin << 20 ^ piece.end << 1 ^ piece.is_match);
    }
    CHECK(status == 0 || status == -ETIME, "a status that there is not");
    *is_out = status < 0;
    return hash;
}

static struct btk_regex *new_regex(const struct btk_buffer *rewritten)
{
    struct btk_regex *regex = NULL;
    struct btk_error error = {0};
    const int status =
        btk_regex_new((struct btk_bytes){rewritten->data, rewritten->length}, &regex, &error);
    CHECK(status == 0 || (status == -error.code && error.message[0]), "a refusal says why");
    return regex;
}

// The canonical form must not change an answer.
static void check_canonical(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                            struct btk_bytes text, uint64_t hash)
{
    struct btk_arena arena;
    struct btk_regex_node *tree;
    struct btk_buffer form, rewritten;
    bool is_out = true;
    btk_arena_init(&arena);
    btk_buffer_init(&form);
    btk_buffer_init(&rewritten);
    CHECK(btk_regex_parse(pattern, dialect, &arena, &tree, NULL) == 0, "parsed before");
    CHECK(btk_regex_canonical(&arena, &tree, &form) == 0, "canonical form");
    CHECK(btk_regex_print(tree, &rewritten) == 0, "print");
    struct btk_regex *regex = new_regex(&rewritten);
    if (regex) {
        const uint64_t own = walk(regex, text, &is_out);
        CHECK(is_out || own == hash, "the canonical form means another thing");
    }
    btk_regex_free(&regex);
    btk_buffer_clear(&form);
    btk_buffer_clear(&rewritten);
    btk_arena_clear(&arena);
}

static void check_pattern(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                          struct btk_bytes text)
{
    struct btk_buffer rewritten;
    struct btk_error error = {0};
    bool is_out = true;
    btk_buffer_init(&rewritten);
    const int status = btk_regex_compile(pattern, dialect, &rewritten, NULL, &error);
    CHECK(status == 0 || (status == -error.code && error.message[0]), "a refusal says why");
    struct btk_regex *regex = status ? NULL : new_regex(&rewritten);
    if (regex) {
        const uint64_t hash = walk(regex, text, &is_out);
        if (!is_out) check_canonical(pattern, dialect, text, hash);
    }
    btk_regex_free(&regex);
    btk_buffer_clear(&rewritten);
}

// A byte of flags, a byte that says how many of the rest are the pattern's, the rest the text's.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t pattern[PATTERN_BYTES_MAX], text[TEXT_BYTES_MAX];
    if (size < 2) return 0;
    const bool is_raw = data[0] & 2;
    const size_t wanted = btk_min_size(data[1] % PATTERN_BYTES_MAX, size - 2);
    size_t length = btk_min_size(wanted, sizeof pattern);
    if (is_raw)
        memcpy(pattern, data + 2, length);
    else
        length = join(parts, BTK_ARRAY_COUNT(parts), data + 2, wanted, pattern, sizeof pattern);
    const size_t text_length = join(text_parts, BTK_ARRAY_COUNT(text_parts), data + 2 + wanted,
                                    size - 2 - wanted, text, sizeof text);
    check_pattern((struct btk_bytes){pattern, length},
                  data[0] & 1 ? BTK_REGEX_TIKTOKEN : BTK_REGEX_ONIGURUMA,
                  (struct btk_bytes){text, text_length});
    return 0;
}

#ifndef BTK_LIBFUZZER
static bool run_round(struct random *random)
{
    uint8_t data[160];
    const size_t size = 4 + next(random) % (sizeof data - 4);
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)next(random);
    data[0] = (uint8_t)(next(random) % 8 == 0 ? 2 : 0) | (uint8_t)(next(random) % 2);
    data[1] = (uint8_t)(next(random) % 16);
    LLVMFuzzerTestOneInput(data, size);
    return true;
}

int main(int argc, char **argv)
{
    return run_rounds(argc, argv, 3600, 20000, run_round);
}
#endif
