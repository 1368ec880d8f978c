// SPDX-License-Identifier: Apache-2.0
// Where texts may be cut, and why some tokenizers have no such place. That the parts give what the whole
// gives is for check_text_cuts.c to find out.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/unicode_normal.h"
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/compile/cut_relation.h"
#include "tokenizer/engine.h"
#include "tokenizer/text_cut.h"

#define BYTE_LEVEL "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}"

static const struct btk_image *image_of(const struct btk_tokenizer *tokenizer)
{
    return &tokenizer->image;
}

static struct btk_bytes bytes(const char *text)
{
    return (struct btk_bytes){(const uint8_t *)text, strlen(text)};
}

// Is the place behind `left` a cut?
static bool cuts(const struct btk_tokenizer *tokenizer, const char *left, const char *right)
{
    char text[64];
    snprintf(text, sizeof text, "%s%s", left, right);
    return btk_text_is_cut(image_of(tokenizer), bytes(text), strlen(left));
}

static void expect_reason(char *json, const char *part)
{
    struct btk_tokenizer *tokenizer = btk_small_open(json);
    const char *const reason = btk_text_cut_reason(image_of(tokenizer));
    cr_expect_not_null(reason, "there are cuts, not: %s", part);
    if (reason) cr_expect_not_null(strstr(reason, part), "%s", reason);
    cr_expect_eq(btk_text_next_cut(image_of(tokenizer), bytes("a b c"), 1), 5);
    btk_tokenizer_close(&tokenizer);
}

// A BPE of characters that may be cut (model/bpe_cut.h): "ab" and U+2581 "a" are joined.
static char *bpe_of_chars(const char *members)
{
    static const char model[] =
        "\"model\":{\"type\":\"BPE\",\"unk_token\":\"?\",\"vocab\":{\"?\":0,\"a\":1,\"b\":2,"
        "\"\\u2581\":3,\"ab\":4,\"\\u2581a\":5,\" \":6,\"\\n\":7},\"merges\":[\"a b\","
        "\"\\u2581 a\"]}}";
    char *const json = malloc(strlen(members) + sizeof model + 1);
    cr_assert_not_null(json);
    sprintf(json, "{%s%s", members, model);
    return json;
}

#define METASPACE(scheme)                                                                          \
    "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":"    \
    "\"" scheme "\",\"split\":false},"

Test(text_cut, a_word_ends_before_a_space_and_spaces_do_not)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json("", "null", BYTE_LEVEL));
    cr_expect_null(btk_text_cut_reason(image_of(tokenizer)));
    cr_expect(cuts(tokenizer, "word", " "));
    cr_expect(cuts(tokenizer, "1984", ","));
    cr_expect(cuts(tokenizer, "\u4e2d", "\u3002"));
    cr_expect_not(cuts(tokenizer, " ", " "));
    cr_expect_not(cuts(tokenizer, " ", "word"));
    cr_expect_not(cuts(tokenizer, "'", "s"));
    cr_expect_not(cuts(tokenizer, "wo", "rd"));
    cr_expect_not(btk_text_cuts_move_offsets(image_of(tokenizer)));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, a_search_begins_anywhere_and_stays_inside)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json("", "null", BYTE_LEVEL));
    const struct btk_image *const image = image_of(tokenizer);
    const struct btk_bytes text = bytes("\u00e9\u00e9 ab");
    cr_expect_eq(btk_text_next_cut(image, text, 0), 0);
    cr_expect_eq(btk_text_next_cut(image, text, 1), 4);
    cr_expect_eq(btk_text_next_cut(image, text, 4), 4);
    cr_expect_eq(btk_text_next_cut(image, text, 5), 7);
    cr_expect_eq(btk_text_next_cut(image, text, 7), 7);
    cr_expect_eq(btk_text_next_cut(image, text, 100), 7);
    cr_expect_eq(btk_text_next_cut(image, bytes(""), 0), 0);
    cr_expect_eq(btk_text_next_cut(image, bytes(""), 1), 0);
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, beside_what_is_not_utf_8_is_none)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json("", "null", BYTE_LEVEL));
    cr_expect_not(cuts(tokenizer, "a\xc3", " "));
    cr_expect_not(cuts(tokenizer, "\xa9", " "));
    cr_expect_not(cuts(tokenizer, "\x80\x80\x80\x80\x80", " "));
    cr_expect_not(cuts(tokenizer, "a", "\xff"));
    cr_expect_not(cuts(tokenizer, "a", "\xe4\xb8"));
    cr_expect(cuts(tokenizer,
                   "\xff"
                   "a",
                   " \xff"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, what_looks_at_the_ends_of_a_text_has_none)
{
    static const char *const normalizers[] = {
        "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": false}",
        "{\"type\": \"Strip\", \"strip_left\": false, \"strip_right\": true}",
        "{\"type\": \"Prepend\", \"prepend\": \"x\"}",
        "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"\\\\A\"}, \"content\": \"x\"}",
        "{\"type\": \"Replace\", \"pattern\": {\"String\": \"\"}, \"content\": \"x\"}",
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(normalizers); i++)
        expect_reason(btk_small_bpe_json("", normalizers[i], BYTE_LEVEL), "the ends of a text");
}

Test(text_cut, what_is_not_understood_has_none)
{
    expect_reason(btk_small_bpe_json("",
                                     "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"a+ b\"},"
                                     "\"content\": \"x\"}",
                                     BYTE_LEVEL),
                  "joins nothing");
    expect_reason(btk_small_bpe_json("", "null",
                                     "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"a+ b\"},"
                                     "\"behavior\": \"Isolated\", \"invert\": false}"),
                  "no place is known");
    expect_reason(btk_small_bpe_json("", "null", "{\"type\": \"FixedLength\", \"length\": 3}"),
                  "no place is known");
    expect_reason(btk_small_bpe_json("", "null", "{\"type\": \"UnicodeScripts\"}"),
                  "no place is known");
    expect_reason(btk_small_bpe_json("", "null", "null"), "as one piece");
}

Test(text_cut, a_model_that_draws_has_none)
{
    expect_reason(strdup("{\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"type\":\"BPE\","
                         "\"dropout\":0.5,\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},"
                         "\"merges\":[\"a b\"]}}"),
                  "draws");
}

Test(text_cut, a_mark_before_pieces_that_are_others_by_then_leaves_none)
{
    expect_reason(btk_small_bpe_json("", "null",
                                     "{\"type\": \"Sequence\", \"pretokenizers\": [" BYTE_LEVEL
                                     ", {\"type\": \"Metaspace\", \"replacement\": \"_\","
                                     "\"prepend_scheme\": \"first\"}]}"),
                  "puts a character before");
}

Test(text_cut, a_space_before_the_text_leaves_those_before_a_space)
{
    struct btk_tokenizer *tokenizer = btk_small_open(
        btk_small_bpe_json("", "null", "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}"));
    cr_expect(cuts(tokenizer, "word", " "));
    cr_expect_not(cuts(tokenizer, "word", "."));
    cr_expect_not(cuts(tokenizer, "word", "\n"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, a_space_that_stays_one_is_before_no_other)
{
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_bpe_json("", "{\"type\": \"BertNormalizer\"}",
                                          "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}"));
    cr_expect(cuts(tokenizer, "word", " "));
    cr_expect_not(cuts(tokenizer, "word", "\n"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, lists_of_steps_cut_where_one_does)
{
    struct btk_tokenizer *tokenizer = btk_small_open(
        btk_small_bpe_json("", "null",
                           "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digits\","
                           "\"individual_digits\": false}, {\"type\": \"WhitespaceSplit\"},"
                           "{\"type\": \"Punctuation\", \"behavior\": \"MergedWithNext\"},"
                           "{\"type\": \"FixedLength\"}]}"));
    cr_expect(cuts(tokenizer, "a", "1"));
    cr_expect(cuts(tokenizer, "a", " "));
    cr_expect(cuts(tokenizer, " ", " "));
    cr_expect(cuts(tokenizer, "\n", "a"));
    cr_expect(cuts(tokenizer, "a", "."));
    cr_expect_not(cuts(tokenizer, ".", "a"));
    cr_expect_not(cuts(tokenizer, "1", "2"));
    cr_expect_not(cuts(tokenizer, "a", "b"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, a_step_that_must_see_both_sides_hides_those_behind_it)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json(
        "", "null",
        "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"pattern\":"
        "{\"String\": \"a.b\"}, \"behavior\": \"Isolated\", \"invert\": false},"
        "{\"type\": \"Punctuation\"}]}"));
    cr_expect(cuts(tokenizer, "x", "."));
    cr_expect(cuts(tokenizer, ".", "x"));
    cr_expect_not(cuts(tokenizer, "a", "."));
    cr_expect_not(cuts(tokenizer, ".", "b"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, normalizers_keep_places_that_they_do_not_join)
{
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_bpe_json("", "{\"type\": \"NFC\"}", BYTE_LEVEL));
    cr_expect(cuts(tokenizer, "e", " "));
    cr_expect(cuts(tokenizer, "\u4e2d", "\u3002"));
    cr_expect_not(cuts(tokenizer, "e", "\u0301"));
    cr_expect_not(cuts(tokenizer, "\u212b", " ")); // becomes another letter, or who knows what
    btk_tokenizer_close(&tokenizer);
    tokenizer = btk_small_open(btk_small_bpe_json(
        "",
        "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Replace\", \"pattern\":"
        "{\"String\": \"b.\"}, \"content\": \"\"}, {\"type\": \"Lowercase\"}]}",
        BYTE_LEVEL));
    cr_expect(cuts(tokenizer, "A", " "));
    cr_expect(cuts(tokenizer, "a", ","));
    cr_expect_not(cuts(tokenizer, "b", "."));
    cr_expect_not(cuts(tokenizer, "b", " ")); // it may go away with what follows it
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, a_letter_may_become_one_with_the_mark_behind_it)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json(
        "{\"content\": \"'\u00e9\", \"normalized\": true}", "{\"type\": \"NFC\"}", BYTE_LEVEL));
    cr_expect(cuts(tokenizer, ".", "1"));
    cr_expect_not(cuts(tokenizer, "'", "e"));
    btk_tokenizer_close(&tokenizer);
}

// The kind of what the first of two characters becomes, or that it has no partner.
static void expect_first(uint32_t first, uint32_t composed)
{
    const uint32_t class = btk_text_cut_class(first);
    const enum btk_unicode_kind kind = btk_unicode_kind(first);
    if (first < 0x80)
        cr_expect_eq(btk_text_cut_class(composed), btk_text_cut_class_of(BTK_TEXT_CUT_FOLDS, kind));
    else if (btk_cut_class_level(class) < BTK_TEXT_CUT_CHANGES)
        cr_expect(kind == BTK_KIND_UPPER || kind == BTK_KIND_LOWER || kind == BTK_KIND_LETTER
                      || kind == BTK_KIND_SYMBOL || kind == BTK_KIND_KANA_LETTER
                      || kind == BTK_KIND_KANA_PUNCTUATION,
                  "U+%04x", first);
}

Test(text_cut, what_is_composed_is_of_known_kinds)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        uint32_t parts[BTK_UNICODE_DECOMPOSED_MAX];
        const size_t count = btk_unicode_decompose(c, parts);
        uint32_t first = parts[0];
        for (size_t i = 1; i < count && first; i++) {
            const uint32_t composed = btk_unicode_compose(first, parts[i]);
            if (composed) expect_first(first, composed);
            first = composed;
        }
    }
}

Test(text_cut, none_is_inside_of_an_added_token)
{
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_bpe_json("{\"content\": \"to be\", \"normalized\": false},"
                                          "{\"content\": \"o, \\u4e2d\", \"normalized\": true}",
                                          "null", BYTE_LEVEL));
    cr_expect(cuts(tokenizer, "a", " "));
    cr_expect(cuts(tokenizer, "a", ","));
    cr_expect_not(cuts(tokenizer, "o", " "));
    cr_expect_not(cuts(tokenizer, "o", ","));
    cr_expect_not(cuts(tokenizer, ",", " "));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, none_is_beside_what_an_added_token_asks_for)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_wordpiece_json("", ""));
    cr_expect(cuts(tokenizer, ".", "a"));
    cr_expect(cuts(tokenizer, " ", " "));
    btk_tokenizer_close(&tokenizer);
    tokenizer = btk_small_open(btk_small_wordpiece_json(
        "{\"content\": \".\", \"single_word\": true, \"normalized\": false}", ""));
    cr_expect_not(cuts(tokenizer, ".", "a"));
    cr_expect_not(cuts(tokenizer, "a", "."));
    cr_expect(cuts(tokenizer, ".", " "));
    btk_tokenizer_close(&tokenizer);
    tokenizer = btk_small_open(btk_small_wordpiece_json(
        "{\"content\": \"<m>\", \"lstrip\": true, \"normalized\": false}", ""));
    cr_expect_not(cuts(tokenizer, " ", " "));
    cr_expect_not(cuts(tokenizer, "\n", "<"));
    cr_expect(cuts(tokenizer, " ", "a"));
    cr_expect(cuts(tokenizer, "a", " "));
    btk_tokenizer_close(&tokenizer);
    tokenizer = btk_small_open(btk_small_wordpiece_json(
        "{\"content\": \"<m>\", \"rstrip\": true, \"normalized\": false}", ""));
    cr_expect_not(cuts(tokenizer, " ", " "));
    cr_expect_not(cuts(tokenizer, ">", "\n"));
    cr_expect(cuts(tokenizer, "a", " "));
    cr_expect(cuts(tokenizer, " ", "a"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, a_text_that_is_shown_twice_has_none)
{
    expect_reason(btk_small_bpe_json("", "null",
                                     BYTE_LEVEL
                                     ", \"post_processor\": {\"type\": \"TemplateProcessing\","
                                     "\"single\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}},"
                                     "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}],"
                                     "\"pair\": [{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}},"
                                     "{\"Sequence\": {\"id\": \"B\", \"type_id\": 0}}],"
                                     "\"special_tokens\": {}}"),
                  "show the text once");
}

Test(text_cut, a_space_that_a_normalizer_puts_there_is_none_of_the_text)
{
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json(
        "", "{\"type\": \"BertNormalizer\"}",
        "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"WhitespaceSplit\"},"
        "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"first\"}]}"));
    cr_expect(cuts(tokenizer, "a", " "));
    cr_expect_not(cuts(tokenizer, "a", "\u4e2d"));
    btk_tokenizer_close(&tokenizer);
}

Test(text_cut, a_model_with_cuts_of_its_own_is_asked)
{
    struct btk_tokenizer *tokenizer = btk_small_open(
        bpe_of_chars("\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
                     "\"content\":\"\\u2581\"},"));
    cr_expect_eq(image_of(tokenizer)->config->text_cuts, BTK_TEXT_CUTS_INSIDE_MARKED_WORDS);
    cr_expect(cuts(tokenizer, "a", " "));
    cr_expect(cuts(tokenizer, " ", "b"));
    cr_expect(cuts(tokenizer, "b", "a"));
    cr_expect_not(cuts(tokenizer, "a", "b"));
    cr_expect_not(cuts(tokenizer, " ", "a"));
    cr_expect_not(cuts(tokenizer, "x", " ")); // unknown ones are fused
    btk_tokenizer_close(&tokenizer);
    tokenizer = btk_small_open(bpe_of_chars(METASPACE("first")));
    cr_expect(cuts(tokenizer, "a", " "));
    cr_expect_not(cuts(tokenizer, "b", "a"));
    btk_tokenizer_close(&tokenizer);
    expect_reason(bpe_of_chars("\"normalizer\":{\"type\":\"Lowercase\"},\"pre_tokenizer\":"
                               "{\"type\":\"Split\",\"pattern\":{\"String\":\"ab\"},"
                               "\"behavior\":\"Removed\",\"invert\":true},"),
                  "no place is known"); // what is no match is no piece
    expect_reason(bpe_of_chars("\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"\\u2581\"},"),
                  "the ends of a text");
    expect_reason(bpe_of_chars("\"added_tokens\":[{\"content\":\" x\",\"normalized\":"
                               "false}]," METASPACE("first")),
                  "an added token");
}

Test(text_cut, trimming_leaves_no_offsets_rather_than_no_cuts)
{
    static const char trims[] =
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}, \"post_processor\":"
        "{\"type\": \"ByteLevel\", \"trim_offsets\": true, \"add_prefix_space\": true}";
    static const char trims_first[] =
        BYTE_LEVEL ", \"post_processor\":"
                   "{\"type\": \"ByteLevel\", \"trim_offsets\": true, \"add_prefix_space\": true}";
    struct btk_tokenizer *tokenizer = btk_small_open(btk_small_bpe_json("", "null", trims));
    cr_expect(btk_text_cuts_move_offsets(image_of(tokenizer)));
    cr_expect(cuts(tokenizer, "a", " "));
    btk_tokenizer_close(&tokenizer);
    tokenizer = btk_small_open(btk_small_bpe_json("", "null", trims_first));
    cr_expect_not(btk_text_cuts_move_offsets(image_of(tokenizer)));
    cr_expect_not(cuts(tokenizer, "a", " "));
    cr_expect(cuts(tokenizer, "a", "."));
    btk_tokenizer_close(&tokenizer);
}

// --- Patterns: that a piece ends there is tried with all of them

enum { UNITS_MAX = 5, PIECES_MAX = 256, TRIES = 60000 };

static const uint32_t units[] = {
    ' ',     ' ',     '\n',    '\r',    '\t',   'a',    'A',    'e',    's',    't',    'l',
    'r',     'Q',     '\'',    '\'',    '1',    '2',    '9',    '.',    ',',    '!',    '/',
    '(',     '|',     '<',     '>',     '$',    '+',    '_',    '-',    '`',    0x01,   0x1c,
    0x7f,    0xa0,    0xb2,    0xb5,    0xc5,   0xe9,   0x17f,  0x1c5,  0x2b0,  0x301,  0x345,
    0x3b1,   0x416,   0x5d0,   0x600,   0x60c,  0x661,  0x6d4,  0x915,  0x94d,  0x964,  0xe01,
    0xe33,   0x1100,  0x1161,  0x11a8,  0x200b, 0x200d, 0x2019, 0x2026, 0x2028, 0x2032, 0x212b,
    0x2160,  0x2581,  0x2603,  0x2e80,  0x2f00, 0x3000, 0x3001, 0x3002, 0x3005, 0x3007, 0x3021,
    0x3042,  0x3099,  0x309b,  0x30a0,  0x30a2, 0x30fb, 0x30fc, 0x3400, 0x4e00, 0x4e3c, 0x9fa5,
    0x9fff,  0xac00,  0xd7a3,  0xe000,  0xfa0e, 0xfe0f, 0xff0c, 0xff11, 0xff21, 0xff9e, 0x1d400,
    0x1f44d, 0x20000, 0x2ffff, 0xe0001,
};

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

static size_t put_units(uint64_t *random, size_t count, uint8_t *out)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += btk_utf8_encode(units[draw(random, BTK_ARRAY_COUNT(units))], out + length);
    return length;
}

static btk_pretok_next_fn *const patterns[] = {
#define PATTERN(name, NAME, source) btk_pretok_##name##_next,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

static size_t split(unsigned pattern, struct btk_bytes text, struct btk_piece pieces[PIECES_MAX])
{
    static struct btk_pretok pretok;
    size_t count = 0, more;
    btk_pretok_init(&pretok, &btk_kernels_scalar, text);
    while ((more = patterns[pattern](&pretok, pieces + count, PIECES_MAX - count)) != 0)
        count += more;
    return count;
}

// Pieces of both parts, as they stand in the whole.
static bool gives_the_same(unsigned pattern, struct btk_bytes text, size_t cut)
{
    struct btk_piece whole[PIECES_MAX], parts[PIECES_MAX];
    const struct btk_bytes right = {text.data + cut, text.length - cut};
    const size_t count = split(pattern, text, whole);
    const size_t left_count = split(pattern, (struct btk_bytes){text.data, cut}, parts);
    struct btk_piece behind[PIECES_MAX];
    const size_t right_count = split(pattern, right, behind);
    if (left_count + right_count != count) return false;
    for (size_t i = 0; i < right_count; i++)
        parts[left_count + i] =
            (struct btk_piece){behind[i].begin + (uint32_t)cut, behind[i].end + (uint32_t)cut};
    return memcmp(whole, parts, count * sizeof *whole) == 0;
}

Test(text_cut, patterns_end_a_piece_where_it_is_said_that_they_do)
{
    for (unsigned pattern = 0; pattern < BTK_PATTERN_COUNT; pattern++) {
        uint64_t random = pattern;
        size_t tried = 0;
        for (size_t i = 0; i < TRIES; i++) {
            uint8_t text[(2 * UNITS_MAX + 2) * 4];
            size_t length = put_units(&random, draw(&random, UNITS_MAX), text);
            const uint32_t left = units[draw(&random, BTK_ARRAY_COUNT(units))];
            const uint32_t right = units[draw(&random, BTK_ARRAY_COUNT(units))];
            if (!btk_cut_of_pattern(pattern, btk_text_cut_class(left), btk_text_cut_class(right)))
                continue;
            length += btk_utf8_encode(left, text + length);
            const size_t cut = length;
            length += btk_utf8_encode(right, text + length);
            length += put_units(&random, draw(&random, UNITS_MAX), text + length);
            cr_assert(gives_the_same(pattern, (struct btk_bytes){text, length}, cut),
                      "pattern %u: U+%04x|U+%04x in \"%.*s\"", pattern, left, right, (int)length,
                      (const char *)text);
            tried++;
        }
        cr_expect_gt(tried, TRIES / 100, "pattern %u: %zu", pattern, tried);
    }
}
