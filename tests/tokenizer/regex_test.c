// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/regex.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/utf8.h"
#include "kernels/pretok/pattern_sources.h"
#include "tokenizer/compile/regex_canonical.h"
#include "tokenizer/compile/regex_compile.h"
#include "tokenizer/compile/regex_parse.h"
#include "tokenizer/compile/regex_recognize.h"

#define ONIGURUMA BTK_REGEX_ONIGURUMA
#define TIKTOKEN  BTK_REGEX_TIKTOKEN

struct regex_case {
    enum btk_regex_dialect dialect;
    const char *pattern, *text;
    const char *matches; // those that are not empty, '|' between them; NULL: refused
};

struct class_case {
    enum btk_regex_dialect dialect;
    const char *pattern;
    uint64_t digest;
};

#include "tests/tokenizer/regex_cases.h"

static struct btk_bytes bytes_of(const char *text)
{
    return (struct btk_bytes){(const uint8_t *)text, strlen(text)};
}

// NULL: refused, with a reason.
static struct btk_regex *compile(const char *pattern, enum btk_regex_dialect dialect)
{
    struct btk_buffer rewritten;
    struct btk_regex *regex = NULL;
    struct btk_error error = {0};
    btk_buffer_init(&rewritten);
    int status = btk_regex_compile(bytes_of(pattern), dialect, &rewritten, NULL, &error);
    if (!status)
        status =
            btk_regex_new((struct btk_bytes){rewritten.data, rewritten.length}, &regex, &error);
    btk_buffer_clear(&rewritten);
    if (status < 0) {
        cr_expect_eq(error.code, -status);
        cr_expect(error.message[0] != 0);
    }
    return regex;
}

static int join_matches(struct btk_regex *regex, struct btk_bytes text, struct btk_buffer *out)
{
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    int status;
    btk_regex_walk_init(&walk, regex, text);
    while ((status = btk_regex_walk_next(&walk, &piece)) > 0) {
        if (!piece.is_match || piece.begin == piece.end) continue;
        cr_assert_eq(btk_buffer_printf(out, "%s%.*s", out->length ? "|" : "",
                                       (int)(piece.end - piece.begin), text.data + piece.begin),
                     0);
    }
    return status;
}

Test(regex, finds_what_the_engine_of_each_dialect_found)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(regex_cases); i++) {
        const struct regex_case *const c = &regex_cases[i];
        struct btk_regex *regex = compile(c->pattern, c->dialect);
        struct btk_buffer found;
        btk_buffer_init(&found);
        if (!c->matches) {
            cr_expect_null(regex, "%s is refused", c->pattern);
        } else if (!regex) {
            cr_expect_fail("%s is refused", c->pattern);
        } else {
            cr_expect_eq(join_matches(regex, bytes_of(c->text), &found), 0);
            cr_expect(found.length == strlen(c->matches)
                          && (!found.length || memcmp(found.data, c->matches, found.length) == 0),
                      "dialect %d, %s: %.*s, not %s", (int)c->dialect, c->pattern,
                      (int)found.length, (const char *)found.data, c->matches);
        }
        btk_buffer_clear(&found);
        btk_regex_free(&regex);
    }
}

// --- Classes

static struct btk_bytes every_character(void)
{
    static uint8_t text[4 * 0x110000];
    static size_t length;
    for (uint32_t code = 0; length == 0 || code < 0x110000; code++) {
        if (code >= 0x110000) break;
        if (code < 0xd800 || code > 0xdfff) length += btk_utf8_encode(code, text + length);
    }
    return (struct btk_bytes){text, length};
}

static uint64_t digest_of(struct btk_regex *regex, struct btk_bytes text)
{
    struct btk_hash_stream *const stream = btk_hash_stream_new(0);
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    size_t length;
    btk_regex_walk_init(&walk, regex, text);
    while (btk_regex_walk_next(&walk, &piece) > 0) {
        if (!piece.is_match) continue;
        for (size_t at = piece.begin; at < piece.end; at += length) {
            const uint32_t code = btk_utf8_decode(text.data + at, &length);
            btk_hash_stream_update(stream, &code, sizeof code);
        }
    }
    const uint64_t digest = btk_hash_stream_digest(stream);
    btk_hash_stream_free(stream);
    return digest;
}

Test(regex, a_class_has_the_code_points_that_it_has_for_the_engine)
{
    const struct btk_bytes text = every_character();
    for (size_t i = 0; i < BTK_ARRAY_COUNT(class_cases); i++) {
        const struct class_case *const c = &class_cases[i];
        char pattern[64];
        snprintf(pattern, sizeof pattern, "%s+", c->pattern);
        struct btk_regex *regex = compile(pattern, c->dialect);
        cr_assert_not_null(regex, "%s", c->pattern);
        cr_expect_eq(digest_of(regex, text), c->digest, "%s in dialect %d", c->pattern,
                     (int)c->dialect);
        btk_regex_free(&regex);
    }
}

// --- Walks

static void expect_walk(const char *pattern, const char *text, const char *expected)
{
    struct btk_regex *regex = compile(pattern, ONIGURUMA);
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    char pieces[256] = "";
    size_t length = 0;
    cr_assert_not_null(regex);
    btk_regex_walk_init(&walk, regex, bytes_of(text));
    while (btk_regex_walk_next(&walk, &piece) > 0)
        length += (size_t)snprintf(pieces + length, sizeof pieces - length, "%zu%c%zu ",
                                   piece.begin, piece.is_match ? '-' : '+', piece.end);
    cr_expect_str_eq(pieces, expected, "%s in '%s': %s", pattern, text, pieces);
    btk_regex_free(&regex);
}

Test(regex, a_walk_gives_matches_and_the_gaps_between_them)
{
    expect_walk("b+", "abbcb", "0+1 1-3 3+4 4-5 ");
    expect_walk("b", "aa", "0+2 ");
    expect_walk("a+", "aa", "0-2 ");
}

Test(regex, a_walk_gives_empty_matches_but_not_where_a_match_ended)
{
    expect_walk("x*", "axb", "0-0 0+1 1-2 2+3 3-3 ");
    expect_walk("", "\xc3\xa9z", "0-0 0+2 2-2 2+3 3-3 ");
    expect_walk("$", "a\nb", "0+1 1-1 1+3 3-3 ");
}

Test(regex, the_empty_text_is_one_empty_gap)
{
    expect_walk("a", "", "0+0 ");
    expect_walk("", "", "0+0 ");
}

Test(regex, find_begins_where_it_is_told)
{
    struct btk_regex *regex = compile("(?<=a)b|^c", ONIGURUMA);
    size_t begin, end;
    cr_assert_not_null(regex);
    cr_assert_eq(btk_regex_find(regex, bytes_of("abc"), 1, &begin, &end), 1);
    cr_expect_eq(begin, 1);
    cr_expect_eq(end, 2);
    begin = 7;
    cr_expect_eq(btk_regex_find(regex, bytes_of("abc"), 2, &begin, &end), 0);
    cr_expect_eq(begin, 7, "what is not found leaves its outputs");
    btk_regex_free(&regex);
    btk_regex_free(&regex);
    btk_regex_free(NULL);
}

// --- Bounds

// What the walk over `count` units and the tail ends with: the pieces' number, or an error.
static int walk_over(const char *pattern, enum btk_regex_dialect dialect, const char *unit,
                     size_t count, const char *tail)
{
    struct btk_regex *regex = compile(pattern, dialect);
    struct btk_buffer text;
    struct btk_regex_walk walk;
    struct btk_regex_piece piece;
    int pieces = 0, status;
    cr_assert_not_null(regex, "%s", pattern);
    btk_buffer_init(&text);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(btk_buffer_append(&text, unit, strlen(unit)), 0);
    cr_assert_eq(btk_buffer_append(&text, tail, strlen(tail)), 0);
    btk_regex_walk_init(&walk, regex, (struct btk_bytes){text.data, text.length});
    while ((status = btk_regex_walk_next(&walk, &piece)) > 0) pieces++;
    btk_buffer_clear(&text);
    btk_regex_free(&regex);
    return status < 0 ? status : pieces;
}

Test(regex, a_match_that_takes_too_many_steps_back_ends_with_etime)
{
    cr_expect_eq(walk_over("(?:a|a)*[bc]", ONIGURUMA, "a", 60, "dc"), -ETIME);
    cr_expect_eq(walk_over("(?:a|aa)+[bc]", TIKTOKEN, "a", 60, "dc"), -ETIME);
    cr_expect_eq(walk_over("(?:.*?,){3,}z", ONIGURUMA, "a,", 20000, ".z"), -ETIME);
}

Test(regex, a_text_that_takes_too_many_steps_ends_with_etime)
{
    // Each looks at all that is left, and takes one letter of it.
    static const char *const patterns[] = {"a*[bc]|a", "a*+[bc]|a", "a(?=a*+)", "(?>a*b?)d|a",
                                           "a(?!a*b)"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(patterns); i++)
        cr_expect_eq(walk_over(patterns[i], ONIGURUMA, "a", 100000, ".bd"), -ETIME, "%s",
                     patterns[i]);
}

Test(regex, long_runs_are_no_trouble_where_nothing_is_in_vain)
{
    const char *const pattern = "\\p{L}+|\\s+(?!\\S)|\\s+|.";
    cr_expect_eq(walk_over(pattern, ONIGURUMA, "a", 1000000, ""), 1);
    cr_expect_eq(walk_over(pattern, ONIGURUMA, " ", 1000000, "a"), 3);
    cr_expect_eq(walk_over("(?:a*)*b", ONIGURUMA, "a", 5000, "b"), 1);
}

Test(regex, patterns_that_are_too_long_or_too_deep_are_refused)
{
    static char deep[2 * 5000 + 1], classes[5 * 12000 + 1], longest[70001];
    memset(deep, '(', 5000);
    memset(deep + 5000, ')', 5000);
    cr_expect_null(compile(deep, ONIGURUMA));
    memset(deep, '[', 5000);
    memset(deep + 5000, ']', 5000);
    cr_expect_null(compile(deep, TIKTOKEN));
    for (int i = 0; i < 12000; i++) memcpy(classes + 5 * i, "\\p{L}", 5);
    cr_expect_null(compile(classes, ONIGURUMA));
    memset(longest, 'a', 70000);
    cr_expect_null(compile(longest, ONIGURUMA));
}

// --- Known patterns

static const char *const pattern_names[] = {
#define PATTERN(name, NAME, source) #name,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
        "none"};

static const char *recognized(const char *pattern, enum btk_regex_dialect dialect)
{
    return pattern_names[btk_regex_recognize(bytes_of(pattern), dialect)];
}

Test(regex, every_source_is_known_however_it_is_wrapped)
{
    static const struct {
        const char *name;
        enum btk_regex_dialect dialect;
        const char *text;
    } sources[] = {
#define SOURCE(name, dialect, text) {#name, dialect, text},
        BTK_SOURCE_LIST(SOURCE)
#undef SOURCE
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(sources); i++) {
        char wrapped[5000];
        cr_expect_str_eq(recognized(sources[i].text, sources[i].dialect), sources[i].name);
        snprintf(wrapped, sizeof wrapped, "((?:%s))", sources[i].text);
        cr_expect_str_eq(recognized(wrapped, sources[i].dialect), sources[i].name, "%s", wrapped);
    }
}

Test(regex, a_pattern_is_known_by_what_it_means)
{
    // GPT-2, spelt anew.
    cr_expect_str_eq(
        recognized("'(?:ll|[tdsm]|re|ve)|(?: )?\\p{Letter}{1,}|\\x20?[\\p{Nl}\\p{No}\\p{Nd}]+"
                   "| ?[^\\p{N}\\p{L}\\s]++|\\s\\s*(?![^\\s])|[\\s]+",
                   ONIGURUMA),
        "gpt2");
    // Llama 3.
    cr_expect_str_eq(recognized("'(?i:s|t|re|ve|m|ll|d)|[^\\n\\p{N}\\r\\p{L}]?+\\p{L}++|\\p{N}{1,3}"
                                "| ?[^\\p{L}\\s\\p{N}]+[\\n\\r]*+|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
                                ONIGURUMA),
                     "cl100k");
}

Test(regex, a_pattern_that_means_another_thing_is_not_known)
{
    static const char *const patterns[] = {
        // Numbers of four, a class with less, an order that matters, case that matters.
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,4}"
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
        "| ?[^\\s\\p{L}\\p{Nd}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+(?!\\S)|\\s*[\\r\\n]+|\\s+",
        "'s|'t|'re|'ve|'m|'ll|'d|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "\\w+",
        "(",
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(patterns); i++)
        cr_expect_str_eq(recognized(patterns[i], ONIGURUMA), "none", "%s", patterns[i]);
}

static bool mean_the_same(const char *a, const char *b)
{
    const char *const patterns[2] = {a, b};
    struct btk_buffer forms[2];
    for (int i = 0; i < 2; i++) {
        struct btk_arena arena;
        struct btk_regex_node *tree = NULL;
        btk_buffer_init(&forms[i]);
        btk_arena_init(&arena);
        cr_assert_eq(btk_regex_parse(bytes_of(patterns[i]), ONIGURUMA, &arena, &tree, NULL), 0);
        cr_assert_eq(btk_regex_canonical(&arena, &tree, &forms[i]), 0);
        btk_arena_clear(&arena);
    }
    const bool same = forms[0].length == forms[1].length
                      && memcmp(forms[0].data, forms[1].data, forms[0].length) == 0;
    btk_buffer_clear(&forms[0]);
    btk_buffer_clear(&forms[1]);
    return same;
}

Test(regex, spelling_does_not_change_the_canonical_form)
{
    static const char *const same[][2] = {
        {"[\\r\\na]", "[a\\n\\r]"},
        {"a|b|[cd]", "[a-d]"},
        {"'s|'t|'re", "'(?:[ts]|re)"},
        {"(?i:ab)", "[Aa][bB]"},
        {"x{1,}", "xx*"},
        {"(?:(?:a))b", "ab"},
        {"a++", "a+"},
        {"a++b", "a+b"},
        {"(?>a+)b", "a+b"},
        {"\\s*[\\r\\n]+", "\\s*[\\n\\r]"},
        {"a|", "a?"},
        {"ab|cd", "cd|ab"},
        {"[^\\S]", "\\s"},
        {"\\p{L}", "[^\\P{Letter}]"},
        {"a{1}b{1,1}", "ab"},
    };
    static const char *const different[][2] = {
        {"ab|a", "a|ab"},           {"a++a", "a+a"}, {"a+", "a+?"},
        {"(?=a)", "(?!a)"},         {"^a", "\\Aa"},  {"a*b", "a+b"},
        {"(?>ab|a)c", "(?:ab|a)c"},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(same); i++)
        cr_expect(mean_the_same(same[i][0], same[i][1]), "%s and %s", same[i][0], same[i][1]);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(different); i++)
        cr_expect_not(mean_the_same(different[i][0], different[i][1]), "%s and %s", different[i][0],
                      different[i][1]);
}
