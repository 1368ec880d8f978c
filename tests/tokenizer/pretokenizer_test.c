// SPDX-License-Identifier: Apache-2.0
// Every pre-tokenizer, against what tokenizers 0.23.3 answered (pretokenizer_cases.h), and what a file
// may not say.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "kernels/pretok/pretok.h"
#include "tests/tokenizer/pretokenizer_cases.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/image_format.h"

enum { ROOM = 20000 };

// One unknown token a piece: so offsets and word_ids show the pieces.
static char *words_json(const char *pretokenizer)
{
    struct btk_buffer json;
    btk_buffer_init(&json);
    cr_assert_eq(
        btk_buffer_printf(&json,
                          "{\"added_tokens\":[{\"content\":\"<m>\",\"normalized\":false}],"
                          "\"normalizer\":null,\"pre_tokenizer\":%s,\"decoder\":null,\"model\":{"
                          "\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
                          "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":10000,"
                          "\"vocab\":{\"[UNK]\":0}}}",
                          pretokenizer),
        0);
    cr_assert_eq(btk_buffer_append(&json, "", 1), 0);
    return (char *)json.data;
}

static size_t encode(struct btk_tokenizer *tokenizer, const char *text, size_t bytes,
                     struct btk_encoding *encoding)
{
    struct btk_scratch *scratch;
    struct btk_error_info error = {0};
    const struct btk_encode_options options = {.add_special_tokens = false};
    cr_assert_eq(btk_scratch_new(tokenizer, &scratch, &error), 0, "%s", error.message);
    cr_assert_eq(btk_encode(tokenizer, scratch, text, bytes, &options, encoding, &error), 0, "%s",
                 error.message);
    btk_scratch_free(&scratch);
    return encoding->count;
}

static void print_pieces(struct btk_buffer *line, const struct btk_encoding *encoding)
{
    for (size_t i = 0; i < encoding->count; i++)
        cr_assert_eq(btk_buffer_printf(line, "%s%u-%u", i ? " " : "", encoding->offsets[2 * i],
                                       encoding->offsets[2 * i + 1]),
                     0);
    cr_assert_eq(btk_buffer_append(line, "", 1), 0);
}

static void expect_case(const struct pretokenizer_case *wanted)
{
    static uint32_t ids[ROOM], offsets[2 * ROOM], word_ids[ROOM];
    struct btk_encoding encoding = {
        .capacity = ROOM, .ids = ids, .offsets = offsets, .word_ids = word_ids};
    struct btk_tokenizer *tokenizer = btk_small_open(words_json(wanted->pretokenizer));
    struct btk_buffer line;
    btk_buffer_init(&line);
    encode(tokenizer, wanted->text, strlen(wanted->text), &encoding);
    print_pieces(&line, &encoding);
    cr_expect_str_eq((const char *)line.data, wanted->pieces, "%s\n%s\n  ours:   %s\n  theirs: %s",
                     wanted->pretokenizer, wanted->text, (const char *)line.data, wanted->pieces);
    for (uint32_t i = 0; i < encoding.count; i++) cr_expect_eq(word_ids[i], i);
    btk_buffer_clear(&line);
    btk_tokenizer_close(&tokenizer);
}

Test(pretokenizer, pieces_are_those_of_the_reference)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(pretokenizer_cases); i++)
        expect_case(&pretokenizer_cases[i]);
}

// --- The bytes that a byte-level model reads

struct bytes_case {
    const char *normalizer;
    const char *pretokenizer;
    const char *text;
    const char *bytes; // one token each
};

// The 256 bytes are ids 0 to 255.
static void expect_bytes(const struct bytes_case *wanted)
{
    static uint32_t ids[ROOM];
    struct btk_encoding encoding = {.capacity = ROOM, .ids = ids};
    struct btk_tokenizer *tokenizer =
        btk_small_open(btk_small_bpe_json("", wanted->normalizer, wanted->pretokenizer));
    const size_t count = encode(tokenizer, wanted->text, strlen(wanted->text), &encoding);
    cr_expect_eq(count, strlen(wanted->bytes), "%s: %zu", wanted->pretokenizer, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(ids[i], (uint8_t)wanted->bytes[i], "%s: byte %zu is %u", wanted->pretokenizer,
                     i, ids[i]);
    btk_tokenizer_close(&tokenizer);
}

#define BYTE_LEVEL(space, regex)                                                                   \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":" #space                                         \
    ",\"trim_offsets\":false,\"use_regex\":" #regex "}"
#define SEQUENCE(members) "{\"type\":\"Sequence\",\"pretokenizers\":[" members "]}"

Test(pretokenizer, a_model_reads_the_bytes_whatever_stands_between)
{
    static const struct bytes_case cases[] = {
        {"null", BYTE_LEVEL(true, true), "x \xc3\xa9", " x \xc3\xa9"},
        {"null", SEQUENCE(BYTE_LEVEL(false, true) ",{\"type\":\"Whitespace\"}"), "a b", "a b"},
        {"null", SEQUENCE("{\"type\":\"Punctuation\"}," BYTE_LEVEL(true, false)), "x,y", " x , y"},
        // U+00B2, which is the byte 0xb2 of the alphabet, is a number.
        {"null",
         SEQUENCE(BYTE_LEVEL(false, false) ",{\"type\":\"Digits\",\"individual_digits\":true}"),
         "\xec\xb2\xbc", "\xec\xb2\xbc"},
        {"null", SEQUENCE(BYTE_LEVEL(false, false) "," BYTE_LEVEL(false, false)), "\xc3\xa9 ",
         "\xc3\x83\xc2\xa9\xc4\xa0"},
        {"null",
         SEQUENCE(BYTE_LEVEL(false, false) ",{\"type\":\"Metaspace\",\"replacement\":\"\xc4\xa0\","
                                           "\"prepend_scheme\":\"always\"}"),
         "a b", " a b"},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) expect_bytes(&cases[i]);
}

Test(pretokenizer, words_count_pieces_and_added_tokens)
{
    static uint32_t ids[16], word_ids[16];
    static const uint32_t wanted[] = {0, 1, 2, 3, 4};
    struct btk_encoding encoding = {.capacity = 16, .ids = ids, .word_ids = word_ids};
    struct btk_tokenizer *tokenizer = btk_small_open(
        words_json(SEQUENCE("{\"type\":\"WhitespaceSplit\"},{\"type\":\"Punctuation\"}")));
    const char text[] = "a.b<m> c";
    cr_expect_eq(encode(tokenizer, text, strlen(text), &encoding), 5);
    cr_expect_arr_eq(word_ids, wanted, sizeof wanted);
    btk_tokenizer_close(&tokenizer);
}

// --- What has code of its own

#define QWEN2                                                                                      \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}"                \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define SPLIT(regex, behavior, invert)                                                             \
    "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" regex "\"},\"behavior\":\"" behavior           \
    "\",\"invert\":" invert "}"
#define DIGITS(is_individual) "{\"type\":\"Digits\",\"individual_digits\":" #is_individual "}"

static void expect_kind(const char *pretokenizer, uint32_t kind, uint32_t pattern)
{
    struct btk_buffer image = btk_small_image(btk_small_bpe_json("", "null", pretokenizer));
    struct btk_image_header header;
    memcpy(&header, image.data, sizeof header);
    cr_expect_eq(header.config.pretokenizer, kind, "%s: %u", pretokenizer,
                 header.config.pretokenizer);
    cr_expect_eq(header.config.pattern, pattern, "%s: %u", pretokenizer, header.config.pattern);
    cr_expect(header.config.flags & BTK_PIPELINE_MODEL_READS_BYTES);
    btk_buffer_clear(&image);
}

Test(pretokenizer, lists_that_are_known_go_to_a_walk_of_their_own)
{
    static const struct {
        const char *pretokenizer;
        uint32_t kind, pattern;
    } known[] = {
        {SEQUENCE(SPLIT(QWEN2, "Isolated", "false") "," BYTE_LEVEL(false, false)),
         BTK_PRETOKENIZER_BYTE_LEVEL, BTK_PATTERN_QWEN2},
        {SEQUENCE(SPLIT(QWEN2, "Removed", "true") "," SEQUENCE(BYTE_LEVEL(false, false))),
         BTK_PRETOKENIZER_BYTE_LEVEL, BTK_PATTERN_QWEN2},
        {SEQUENCE(DIGITS(true) "," BYTE_LEVEL(false, true)), BTK_PRETOKENIZER_BYTE_LEVEL,
         BTK_PATTERN_STARCODER},
        {SEQUENCE("{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}," BYTE_LEVEL(
             false, true) "," DIGITS(false) "," SPLIT("[0-9][0-9][0-9]", "Isolated", "false")),
         BTK_PRETOKENIZER_BYTE_LEVEL, BTK_PATTERN_FALCON},
        {SEQUENCE(SPLIT(QWEN2, "Removed", "false") "," BYTE_LEVEL(false, false)),
         BTK_PRETOKENIZER_STEPS, 0},
        {SEQUENCE(SPLIT(QWEN2, "Isolated", "false") "," BYTE_LEVEL(true, false)),
         BTK_PRETOKENIZER_STEPS, 0},
        {SEQUENCE(DIGITS(false) "," BYTE_LEVEL(false, true)), BTK_PRETOKENIZER_STEPS, 0},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known); i++)
        expect_kind(known[i].pretokenizer, known[i].kind, known[i].pattern);
}

// --- Long texts

static void expect_words(const char *pretokenizer, size_t count, bool has_places)
{
    const size_t bytes = 6 * count;
    char *const text = malloc(bytes);
    uint32_t *const ids = malloc((count + 64) * sizeof *ids);
    uint32_t *const offsets = malloc((count + 64) * 2 * sizeof *offsets);
    cr_assert(text && ids && offsets);
    for (size_t i = 0; i < count; i++) memcpy(text + 6 * i, "words ", 6);
    text[bytes - 1] = 's';
    struct btk_encoding encoding = {
        .capacity = count + 64, .ids = ids, .offsets = has_places ? offsets : NULL};
    struct btk_tokenizer *tokenizer = btk_small_open(words_json(pretokenizer));
    cr_assert_eq(encode(tokenizer, text, bytes, &encoding), count, "%s: %zu", pretokenizer,
                 encoding.count);
    for (size_t i = 0; has_places && i < count; i += 97)
        cr_expect(offsets[2 * i] / 6 == i - (offsets[2 * i] % 6 == 5)
                      && offsets[2 * i + 1] / 6 >= i,
                  "%s: %zu is %u-%u", pretokenizer, i, offsets[2 * i], offsets[2 * i + 1]);
    btk_tokenizer_close(&tokenizer);
    free(text);
    free(ids);
    free(offsets);
}

Test(pretokenizer, a_long_text_has_the_pieces_of_its_words)
{
    static const char *const lists[] = {
        "{\"type\":\"Whitespace\"}",
        "{\"type\":\"WhitespaceSplit\"}",
        "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\"}",
        "{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"first\"}",
        SEQUENCE("{\"type\":\"Digits\",\"individual_digits\":true},{\"type\":\"Whitespace\"}"),
        "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\" \"}",
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(lists); i++)
        for (unsigned has_places = 0; has_places < 2; has_places++) {
            expect_words(lists[i], 5000, has_places);
            expect_words(lists[i], 60000, has_places);
        }
}

// --- What is refused

static void expect_refused(const char *pretokenizer, const char *part)
{
    char *const json = words_json(pretokenizer);
    struct btk_buffer image;
    struct btk_error error = {0};
    btk_buffer_init(&image);
    cr_expect_lt(
        btk_compile_json((struct btk_bytes){(const uint8_t *)json, strlen(json)}, &image, &error),
        0, "%s", pretokenizer);
    cr_expect_not_null(strstr(error.message, part), "%s: %s", pretokenizer, error.message);
    btk_buffer_clear(&image);
    free(json);
}

Test(pretokenizer, what_the_reference_does_not_load_is_refused)
{
    static const char *const refusals[][2] = {
        {"{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"xy\"}", "one character"},
        {"{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"\"}", "one character"},
        {"{\"type\":\"CharDelimiterSplit\"}", "delimiter"},
        {"{\"type\":\"Digits\"}", "individual_digits"},
        {"{\"type\":\"Punctuation\",\"behavior\":\"isolated\"}", "MergedWithNext"},
        {"{\"type\":\"Punctuation\",\"behavior\":null}", "behavior"},
        {"{\"type\":\"Split\",\"pattern\":{\"String\":\"x\"},\"behavior\":\"Removed\"}", "invert"},
        {"{\"type\":\"Split\",\"pattern\":\"x\",\"behavior\":\"Removed\",\"invert\":false}",
         "pattern"},
        {"{\"type\":\"Split\",\"pattern\":{\"String\":\"x\",\"Regex\":\"y\"},"
         "\"behavior\":\"Removed\",\"invert\":false}",
         "pattern"},
        {"{\"type\":\"Metaspace\"}", "replacement"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"ab\"}", "one character"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"add_prefix_space\":false}",
         "does not match"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"str_rep\":5}", "str_rep"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":null}",
         "prepend_scheme"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"_\",\"prepend_scheme\":\"First\"}",
         "first, never or always"},
        {"{\"type\":\"FixedLength\",\"length\":0}", "above 0"}, // dies at the first text there
        {"{\"type\":\"FixedLength\",\"length\":null}", "above 0"},
        {"{\"type\":\"Sequence\"}", "pretokenizers"},
        {"{\"type\":\"Sequence\",\"pretokenizers\":[null]}", "object"},
        {"{\"type\":\"Foo\"}", "UnicodeScripts"},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(refusals); i++)
        expect_refused(refusals[i][0], refusals[i][1]);
}
