// SPDX-License-Identifier: Apache-2.0
// Every normalizer: its text, the place of each of its characters. Expected: what the reference gave
// (normalizer_cases.h; tests/differential/normalizers.py asks it about more).
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/utf8.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/engine.h"

struct normalizer_case {
    const char *normalizer; // of itself and of the cases behind it; NULL: as before
    const char *text;
    size_t text_bytes;
    const char *normal; // NULL: refused
    size_t normal_bytes;
    const char *places; // of characters: "begin-end begin-end ..."
};

#define NORMALIZER(json)           {.normalizer = json},
#define CASE(text, normal, places) {NULL, text, sizeof text - 1, normal, sizeof normal - 1, places},
#define REFUSED(text)              {NULL, text, sizeof text - 1, NULL, 0, NULL},

static const struct normalizer_case cases[] = {
#include "tests/tokenizer/normalizer_cases.h"
};

struct fixture {
    struct btk_tokenizer *tokenizer;
    struct btk_normalizer *normalizer;
};

static void close_fixture(struct fixture *fixture)
{
    btk_normalizer_free(&fixture->normalizer);
    btk_tokenizer_close(&fixture->tokenizer);
}

// BertNormalizer alone has code of its own: with a step that does nothing it is one of steps.
static void open_fixture(struct fixture *fixture, const char *normalizer)
{
    struct btk_buffer json;
    struct btk_error error;
    const struct btk_kernels *kernels;
    btk_buffer_init(&json);
    cr_assert_eq(btk_buffer_printf(&json,
                                   "{\"type\": \"Sequence\", \"normalizers\": [%s, {\"type\": "
                                   "\"Replace\", \"pattern\": {\"String\": \"@@@\"}, \"content\": "
                                   "\"\"}]}%c",
                                   normalizer, 0),
                 0);
    fixture->tokenizer = btk_small_open(
        btk_small_bpe_json("", (const char *)json.data, "{\"type\": \"ByteLevel\"}"));
    btk_buffer_clear(&json);
    cr_assert_eq(btk_kernels_select(NULL, &kernels, &error), 0);
    cr_assert_eq(
        btk_normalizer_new(&fixture->tokenizer->image, kernels, &fixture->normalizer, &error), 0);
}

static struct btk_span span_of(const char *text, size_t bytes)
{
    const uint8_t *const data = (const uint8_t *)text;
    return (struct btk_span){.text = {data, bytes}, .readable_end = data + bytes};
}

// Without maps a byte stands for all of its character.
static void format_places(const struct btk_span *span, char *out)
{
    *out = '\0';
    for (size_t at = 0, bytes; at < span->text.length; at += bytes) {
        bytes = btk_utf8_length(span->text.data[at]);
        out += sprintf(out, "%s%u-%u", at ? " " : "", btk_span_source_begin(span, at),
                       btk_span_source_end(span, at + bytes - 1));
    }
}

static void expect_case(struct btk_normalizer *normalizer, const char *name,
                        const struct normalizer_case *wanted)
{
    const struct btk_span source = span_of(wanted->text, wanted->text_bytes);
    struct btk_span found;
    char places[2048];
    for (int wants_maps = 0; wants_maps < 2; wants_maps++) {
        const int status = btk_normalizer_run(normalizer, &source, wants_maps, &found);
        cr_expect_eq(status, wanted->normal ? 0 : -EDOM, "%.200s: \"%s\"", name, wanted->text);
        if (status || !wanted->normal) return;
        cr_expect(found.text.length == wanted->normal_bytes
                      && memcmp(found.text.data, wanted->normal, wanted->normal_bytes) == 0,
                  "%.200s: \"%s\" is \"%.*s\"", name, wanted->text, (int)found.text.length,
                  (const char *)found.text.data);
    }
    format_places(&found, places);
    cr_expect_str_eq(places, wanted->places, "%.200s: \"%s\": %s, not %s", name, wanted->text,
                     places, wanted->places);
}

Test(normalizer, each_one_gives_the_text_and_the_places_of_the_reference)
{
    struct fixture fixture = {0};
    const char *name = NULL;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) {
        if (!cases[i].normalizer) {
            expect_case(fixture.normalizer, name, &cases[i]);
            continue;
        }
        if (name) close_fixture(&fixture);
        name = cases[i].normalizer;
        open_fixture(&fixture, name);
    }
    close_fixture(&fixture);
}

#define NFC  "{\"type\": \"NFC\"}"
#define NFKC "{\"type\": \"NFKC\"}"
#define LLAMA                                                                                      \
    "{\"type\": \"Prepend\", \"prepend\": \"_\"}, {\"type\": \"Replace\", \"pattern\": "           \
    "{\"String\": \" \"}, \"content\": \"___\"}"
#define ROOM 64 // bytes, behind a text of 64 KiB

static char *repeat(const char *part, size_t bytes)
{
    const size_t part_bytes = strlen(part);
    char *const text = malloc(bytes + ROOM);
    cr_assert_not_null(text);
    for (size_t at = 0; at < bytes + ROOM; at++) text[at] = part[at % part_bytes];
    return text;
}

Test(normalizer, what_changes_nothing_copies_nothing)
{
    struct fixture fixture;
    const char text[] = "plain, caf\xc3\xa9, \xed\x95\x9c\xea\xb5\xad, a\xcc\x81";
    const struct btk_span source = span_of(text, sizeof text - 5);
    struct btk_span found;
    open_fixture(&fixture, NFC ", " NFKC);
    cr_assert_eq(btk_normalizer_run(fixture.normalizer, &source, true, &found), 0);
    cr_expect_eq(found.text.data, source.text.data);
    cr_expect_null(found.begins);
    close_fixture(&fixture);
}

Test(normalizer, texts_of_64_kib_need_no_memory_and_longer_ones_give_it_back)
{
    struct fixture fixture;
    struct btk_span found;
    char *const spaces = repeat(" ", 1 << 20);
    open_fixture(&fixture, LLAMA);
    const struct btk_span usual = span_of(spaces, 64 << 10), large = span_of(spaces, 1 << 20);
    cr_expect_eq(btk_normalizer_run(fixture.normalizer, &usual, true, &found), 0);
    cr_expect_eq(found.text.length, 3 * (64u << 10) + 1);
    cr_expect_eq(btk_normalizer_spill_count(fixture.normalizer), 0);
    // Once without maps: the next call must not take the text's room for that of the maps.
    for (int wants_maps = 0; wants_maps < 2; wants_maps++) {
        cr_expect_eq(btk_normalizer_run(fixture.normalizer, &large, wants_maps, &found), 0);
        cr_expect_eq(found.text.length, 3 * (1u << 20) + 1);
    }
    cr_expect_gt(btk_normalizer_spill_count(fixture.normalizer), 0);
    btk_normalizer_release(fixture.normalizer);
    cr_expect_eq(btk_normalizer_run(fixture.normalizer, &usual, true, &found), 0);
    free(spaces);
    close_fixture(&fixture);
}

static double seconds_of(struct btk_normalizer *normalizer, const char *text, size_t bytes)
{
    struct timespec begin, end;
    struct btk_span found;
    const struct btk_span source = span_of(text, bytes);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    cr_expect_eq(btk_normalizer_run(normalizer, &source, true, &found), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    btk_normalizer_release(normalizer);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
}

// Marks of two classes in turn: all of the text is one run that has to be sorted.
Test(normalizer, a_text_of_marks_takes_no_more_than_n_log_n)
{
    enum { BYTES = 2 << 20 };
    struct fixture fixture;
    char *const marks = repeat("\xcc\x81\xcc\xa3", BYTES);
    open_fixture(&fixture, NFC ", " NFKC ", {\"type\": \"NFD\"}");
    const double half = seconds_of(fixture.normalizer, marks, BYTES / 2);
    const double whole = seconds_of(fixture.normalizer, marks, BYTES);
    cr_expect_lt(whole, 4 * half + 0.1, "%g s, half of it %g s", whole, half);
    free(marks);
    close_fixture(&fixture);
}

// --- How long a text may become: what btk_encode_bound() counts on

static void expect_growth(const char *kind, const char *pattern, const char *text, size_t most)
{
    struct fixture fixture;
    struct btk_span found;
    char normalizer[512];
    snprintf(normalizer, sizeof normalizer,
             "{\"type\": \"Replace\", \"pattern\": {\"%s\": \"%s\"}, \"content\": "
             "\"0123456789\"}",
             kind, pattern);
    open_fixture(&fixture, normalizer);
    char *const many = repeat(text, 1000 * strlen(text));
    const struct btk_span source = span_of(many, 1000 * strlen(text));
    cr_assert_eq(btk_normalizer_run(fixture.normalizer, &source, false, &found), 0);
    const size_t growth = fixture.tokenizer->normalizer_growth;
    cr_expect_leq(found.text.length, growth * source.text.length, "%s: %zu", pattern, growth);
    cr_expect_leq(growth, most, "%s: %zu", pattern, growth);
    free(many);
    close_fixture(&fixture);
}

Test(normalizer, the_bound_holds_for_what_replacing_makes_longer_and_is_not_far_from_it)
{
    expect_growth("String", "a", "a", 10);
    expect_growth("String", "ab", "ab", 5);
    expect_growth("String", "abc", "abcx", 4);
    expect_growth("String", "abcdefghijklm", "abcdefghijklm", 1);
    expect_growth("Regex", "[a-z]", "a", 10);
    expect_growth("Regex", "[\\\\x{AC00}-\\\\x{D7A3}]", "\xea\xb0\x80", 4);
    expect_growth("Regex", "(?:ab){3,}|[\\\\x{4E00}-\\\\x{9FFF}]{2}c?", "ababab", 2);
    expect_growth("Regex", "a|bc", "a", 10);
    expect_growth("Regex", "a*", "ba", 22);
    expect_growth("Regex", "(?=a)", "a", 22);
    expect_growth("Regex", "ab\\\\Kc?", "ab", 22);
    expect_growth("Regex", "(ab)\\\\1?", "abc", 5);
}

static void expect_refused(const char *normalizer, const char *part)
{
    char *const json = btk_small_bpe_json("", normalizer, "{\"type\": \"ByteLevel\"}");
    struct btk_tokenizer *tokenizer;
    struct btk_error_info error;
    cr_expect_lt(btk_tokenizer_open_json(json, strlen(json), &tokenizer, &error), 0);
    cr_expect_not_null(strstr(error.message, part), "%s", error.message);
    free(json);
}

Test(normalizer, what_is_wrong_in_a_file_is_said_with_its_place)
{
    expect_refused("{\"type\": \"Upper\"}", "normalizer: \"Upper\" is not supported");
    expect_refused("{\"type\": \"Sequence\", \"normalizers\": [" NFC ", {\"type\": \"Prepend\"}]}",
                   "normalizer.normalizers[1]: \"prepend\" is to be a string");
    expect_refused("{\"type\": \"Sequence\"}", "\"normalizers\" is to be an array");
    expect_refused("{\"type\": \"Strip\", \"strip_left\": 1}", "\"strip_left\" is to be true");
    expect_refused("{\"type\": \"Replace\", \"pattern\": \"a\", \"content\": \"b\"}",
                   "\"pattern\" is to be {\"String\"");
    expect_refused("{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(a\"}, \"content\": \"b\"}",
                   "normalizer.pattern.Regex");
    expect_refused("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"*\"}", "not base64");
    expect_refused("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"\"}",
                   "no whole double array");
    expect_refused("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"BAAAAAAAAAD/\"}",
                   "are not UTF-8");
}

Test(normalizer, a_charsmap_that_leads_out_of_itself_ends_the_text_and_nothing_else)
{
    struct fixture fixture;
    struct btk_span found;
    // One unit, whose children would be far behind it.
    open_fixture(&fixture, "{\"type\": \"Precompiled\", \"precompiled_charsmap\": "
                           "\"BAAAAAAEAAA=\"}");
    const struct btk_span source = span_of("a", 1);
    cr_expect_eq(btk_normalizer_run(fixture.normalizer, &source, true, &found), -EDOM);
    close_fixture(&fixture);
}

// --- BertNormalizer: maps that are not written, against maps that are

enum { BERT_TEXT_BYTES = 20000 };

struct bert_result {
    uint8_t text[4 * BERT_TEXT_BYTES + 128];
    uint32_t begins[4 * BERT_TEXT_BYTES + 128], ends[4 * BERT_TEXT_BYTES + 128];
    struct btk_bert_output output;
    size_t length;
};

static void run_bert(uint32_t flags, const uint8_t *text, size_t length, struct bert_result *result)
{
    static struct btk_bert bert;
    static struct btk_unicode_char chars[2 * BERT_TEXT_BYTES];
    const struct btk_kernels *kernels = NULL;
    cr_assert_eq(btk_kernels_select(NULL, &kernels, &(struct btk_error){0}), 0);
    btk_bert_init(&bert, kernels, flags);
    bert.keeps_characters = true;
    bert.chars = chars;
    result->output = (struct btk_bert_output){
        .text = result->text, .begins = result->begins, .ends = result->ends};
    result->length =
        btk_bert_normalize(&bert, (struct btk_bytes){text, length}, 0, &result->output);
}

static size_t fill_bert_text(uint8_t *out, uint32_t *random, unsigned spread)
{
    static const char *const characters[] = {
        "A",      "Q",      "\x01",         "\t",         " ",      ".",      "\u00e9",
        "\u00c4", "\u0130", "\u0301",       "\u0327",     "\u043f", "\u0419", "\u0424",
        "\u4e2d", "\uf900", "\xed\x95\x9c", "\u0e31",     "\u0939", "\u093f", "\u0958",
        "\u200b", "\u2003", "\ufffd",       "\u1e9e",     "\u212a", "\u304c", "\u3099",
        "\u1f82", "\uff21", "\U0001f600",   "\U00020000",
    };
    *random = *random * 1664525u + 1013904223u;
    const size_t end = (*random >> 8) % (*random >> 28 ? 300 : 18000);
    size_t length = 0;
    while (length < end) {
        *random = *random * 1664525u + 1013904223u;
        const unsigned kind = *random >> 16 & 0xff;
        const char *const character = kind < spread ? characters[kind % 32] : "x";
        memcpy(out + length, character, strlen(character));
        length += strlen(character);
    }
    return length;
}

// `moved` is the result for U+2003 and the text: a space that stands for three bytes.
static void expect_same_places(const struct bert_result *plain, const struct bert_result *moved)
{
    cr_assert(moved->output.has_moved);
    cr_assert_eq(moved->length, plain->length + 1);
    cr_assert_eq(memcmp(moved->text + 1, plain->text, plain->length), 0);
    for (size_t at = 0; at < plain->length;) {
        const size_t last = at + btk_utf8_length(plain->text[at]) - 1;
        const bool has_maps = plain->output.has_moved;
        const size_t begin = has_maps ? plain->begins[at] : at;
        const size_t end = has_maps ? plain->ends[last] : last + 1;
        cr_assert(moved->begins[at + 1] == begin + 3 && moved->ends[last + 1] == end + 3,
                  "byte %zu is %zu to %zu, expected %u to %u less 3", at, begin, end,
                  moved->begins[at + 1], moved->ends[last + 1]);
        at = last + 1;
    }
}

Test(normalizer, bert_says_the_same_places_whether_or_not_anything_has_moved_before)
{
    static uint8_t text[BERT_TEXT_BYTES] = "\u2003";
    static struct bert_result plain, moved;
    uint32_t random = 5, unmoved_count = 0;
    for (unsigned round = 0; round < 4000; round++) {
        const uint32_t flags = BTK_BERT_CLEAN_TEXT | (round & 1 ? BTK_BERT_CHINESE : 0)
                               | (round & 2 ? BTK_BERT_LOWERCASE : 0)
                               | (round & 4 ? BTK_BERT_STRIP_ACCENTS : 0);
        const size_t length = fill_bert_text(text + 3, &random, round / 8 % 5 * 20);
        run_bert(flags, text + 3, length, &plain);
        run_bert(flags, text, length + 3, &moved);
        expect_same_places(&plain, &moved);
        unmoved_count += !plain.output.has_moved;
    }
    cr_assert(unmoved_count > 400);
}
