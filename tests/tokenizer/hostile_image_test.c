// SPDX-License-Identifier: Apache-2.0
// Images that were made by hand: each has one number that would lead the engine outside, and a
// checksum that fits. btk_image_verify() has to say no.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/decoder/step_kind.h"
#include "tokenizer/image.h"

// A copy of the right alignment that may be written to.
static struct btk_image_header *copy_image(char *json)
{
    struct btk_buffer image = btk_small_image(json);
    struct btk_image_header *const header =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(image.length, BTK_IMAGE_ALIGNMENT));
    cr_assert_not_null(header);
    memcpy(header, image.data, image.length);
    btk_buffer_clear(&image);
    return header;
}

static struct btk_image_header *wordpiece(void)
{
    return copy_image(
        btk_small_wordpiece_json("{\"content\": \"<m>\", \"normalized\": false}", ""));
}

static struct btk_image_header *bpe(void)
{
    return copy_image(btk_small_bpe_json("", "null", "{\"type\": \"ByteLevel\"}"));
}

// A BPE of characters with all that one can have; `options` stand in the model.
static struct btk_image_header *bpe_of_chars(const char *options)
{
    char *const json = malloc(4096);
    snprintf(json, 4096,
             "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"byte_fallback\":true%s,"
             "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"\\u00e9\":3,\"ab\":4,\"a\\u00e9\":5,"
             "\"<0xC3>\":6,\"<0xA9>\":7,\"\":8},\"merges\":[\"a b\",\"a \\u00e9\"%s]}}",
             options, options[0] == ' ' ? ",\"a \"" : "");
    return copy_image(json);
}

static struct btk_image_header *unigram(void)
{
    static const char json[] =
        "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":true,\"vocab\":["
        "[\"<unk>\",0],[\"a\",-1.5],[\"ab\",-2],[\"<0xC3>\",-3]]}}";
    return copy_image(strdup(json));
}

static void *section(struct btk_image_header *header, enum btk_section which)
{
    return (uint8_t *)header + header->sections[which].offset;
}

static int verify(struct btk_image_header *header, struct btk_error *error)
{
    header->checksum =
        btk_hash_xxh3((uint8_t *)header + sizeof *header, header->bytes - sizeof *header, 0);
    return btk_image_verify(header, header->bytes, error);
}

static void expect_refused(struct btk_image_header *header, const char *part)
{
    struct btk_error error;
    cr_expect_eq(verify(header, &error), -EPROTO);
    cr_expect_not_null(strstr(error.message, part), "%s", error.message);
    free(header);
}

Test(hostile_image, what_the_compiler_makes_is_sound)
{
    struct btk_image_header *const headers[] = {wordpiece(), bpe(), bpe_of_chars(""),
                                                bpe_of_chars(" "), unigram()};
    struct btk_error error;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        cr_expect_eq(verify(headers[i], &error), 0);
        free(headers[i]);
    }
}

// A list of pre-tokenizers that has each kind of number.
static struct btk_image_header *steps(void)
{
    return copy_image(btk_small_bpe_json(
        "", "null",
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"FixedLength\"},"
        "{\"type\":\"Metaspace\",\"replacement\":\"_\"},"
        "{\"type\":\"CharDelimiterSplit\",\"delimiter\":\"\\u00e9\"},"
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false},{\"type\":\"Whitespace\"}]}"));
}

Test(hostile_image, numbers_of_steps_stay_inside)
{
    static const struct {
        unsigned step, number;
        uint32_t value;
        const char *part;
    } faults[] = {
        {0, 0, 0, "pieces of no length"},    {1, 0, 0x110000, "no such character"},
        {1, 0, 0xd800, "no such character"}, {1, 1, 3, "no such scheme"},
        {2, 0, 5, "no such behaviour"},      {3, 1, 1000, "no such pattern"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct btk_image_header *const header = steps();
        struct btk_step *const list = section(header, BTK_SECTION_PRETOKENIZER_STEPS);
        list[faults[i].step].numbers[faults[i].number] = faults[i].value;
        expect_refused(header, faults[i].part);
    }
}

Test(hostile_image, steps_are_known_and_bytes_come_last)
{
    struct btk_image_header *header = steps();
    struct btk_step *list = section(header, BTK_SECTION_PRETOKENIZER_STEPS);
    list[0].kind = 0;
    expect_refused(header, "no such step");
    header = steps();
    list = section(header, BTK_SECTION_PRETOKENIZER_STEPS);
    list[0].kind = list[6].kind; // bytes
    expect_refused(header, "goes on after its bytes");
    header = steps();
    header->config.pattern = 1000;
    expect_refused(header, "pattern is unknown");
    header = steps();
    header->config.pretokenizer = 4;
    expect_refused(header, "pre-tokenizer is unknown");
}

Test(hostile_image, what_is_looked_for_is_utf8)
{
    struct btk_image_header *const header = steps();
    const struct btk_step *const list = section(header, BTK_SECTION_PRETOKENIZER_STEPS);
    uint8_t *const data = section(header, BTK_SECTION_STEP_DATA);
    data[list[2].data_begin] = 0xff;
    expect_refused(header, "is not UTF-8");
}

// A set of three pages and two bitmaps, in a normalizer and in a pre-tokenizer.
static struct btk_image_header *sets(void)
{
    return copy_image(btk_small_bpe_json(
        "",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[\u0220-\u0230]\"},\"content\":\"xyz\"}",
        "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"[\u0220-\u0230]\"},\"behavior\":\"Isolated\","
        "\"invert\":false}"));
}

Test(hostile_image, sets_lead_to_their_own_bitmaps)
{
    static const enum btk_section places[] = {BTK_SECTION_NORMALIZER_STEPS,
                                              BTK_SECTION_PRETOKENIZER_STEPS};
    static const unsigned pages_at[] = {2, 1};
    for (unsigned i = 0; i < 2; i++) {
        struct btk_image_header *header = sets();
        struct btk_step *list = section(header, places[i]);
        cr_assert_eq(list[0].numbers[pages_at[i]], 3);
        ((uint8_t *)section(header, BTK_SECTION_STEP_DATA))[list[0].data_begin + 1] = 2;
        expect_refused(header, "step");
        header = sets();
        list = section(header, places[i]);
        list[0].numbers[pages_at[i]] = 4; // no whole number of bitmaps is left
        expect_refused(header, "step");
        header = sets();
        list = section(header, places[i]);
        list[0].numbers[pages_at[i]] = UINT32_MAX;
        expect_refused(header, "step");
    }
    struct btk_image_header *const header = sets();
    ((struct btk_step *)section(header, BTK_SECTION_NORMALIZER_STEPS))[0].numbers[0] = UINT32_MAX;
    expect_refused(header, "step");
}

// Its characters have two bytes; if they had three, there would be room for what comes of them.
Test(hostile_image, a_set_that_lies_about_its_characters_is_found_when_one_stands_there)
{
    struct btk_image_header *const header = sets();
    ((struct btk_step *)section(header, BTK_SECTION_NORMALIZER_STEPS))[0].numbers[1] = 3;
    cr_assert_eq(verify(header, NULL), 0);
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_scratch *scratch = NULL;
    cr_assert_eq(btk_tokenizer_attach(header, header->bytes, true, &tokenizer, NULL), 0);
    cr_assert_eq(btk_scratch_new(tokenizer, &scratch, NULL), 0);
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    uint32_t ids[64];
    struct btk_encoding columns = {.capacity = 64, .ids = ids};
    cr_expect_eq(btk_encode(tokenizer, scratch, "a\xc8\xa5", 3, &options, &columns, NULL), -EPROTO);
    btk_scratch_free(&scratch);
    btk_tokenizer_close(&tokenizer);
    free(header);
}

Test(hostile_image, tables_of_characters_have_ids_and_room)
{
    struct btk_image_header *header = bpe_of_chars("");
    struct btk_edge_slot *const chars = section(header, BTK_SECTION_CHAR_IDS);
    size_t at = 0;
    while (chars[at].key == UINT32_MAX) at++;
    chars[at].child = 99;
    expect_refused(header, "character ids");
    header = bpe_of_chars("");
    memset(section(header, BTK_SECTION_CHAR_IDS), 0, header->sections[BTK_SECTION_CHAR_IDS].bytes);
    expect_refused(header, "character ids\" is full");
    header = bpe_of_chars("");
    memset(section(header, BTK_SECTION_CUT_PAIRS), 0,
           header->sections[BTK_SECTION_CUT_PAIRS].bytes);
    expect_refused(header, "cut pairs\" is full");
    header = bpe_of_chars("");
    ((uint32_t *)section(header, BTK_SECTION_FALLBACK_IDS))[5] = 99;
    expect_refused(header, "fallback ids");
}

Test(hostile_image, options_of_models_are_what_the_tables_were_made_for)
{
    struct btk_image_header *header = bpe_of_chars("");
    header->config.dropout = 1.5f;
    expect_refused(header, "dropout");
    header = bpe_of_chars("");
    header->config.dropout = __builtin_nanf("");
    expect_refused(header, "dropout");
    header = bpe_of_chars("");
    header->config.model_flags |= BTK_MODEL_COUNTS_ALPHABET;
    expect_refused(header, "alphabet");
    header = bpe_of_chars(",\"end_of_word_suffix\":\"b\"");
    header->config.suffix_bytes = 2;
    expect_refused(header, "affixes");
    header = bpe_of_chars("");
    header->config.suffix_bytes = BTK_AFFIX_BYTES_LIMIT + 1;
    expect_refused(header, "affixes");
    header = bpe_of_chars("");
    header->config.model_flags &= ~(uint32_t)BTK_MODEL_HAS_CUTS;
    expect_refused(header, "cut bits");
    header = bpe_of_chars("");
    header->config.model_flags &= ~(uint32_t)BTK_MODEL_PACKED_MERGES;
    expect_refused(header, "rank ids");
    header = bpe_of_chars("");
    header->config.rank_count = 1;
    expect_refused(header, "rank ids");
    header = bpe_of_chars("");
    *(uint64_t *)section(header, BTK_SECTION_MERGES) = 99;
    expect_refused(header, "no such id or rank");
    header = bpe_of_chars("");
    header->config.merge_token_bits = 32;
    expect_refused(header, "no room for ranks");
    header = bpe();
    ((uint32_t *)section(header, BTK_SECTION_BYTE_IDS))[7] = BTK_NO_TOKEN;
    expect_refused(header, "lacks a byte");
    header = bpe();
    header->config.model_flags |= BTK_MODEL_HAS_CUTS;
    expect_refused(header, "cut");
    header = bpe_of_chars("");
    header->config.rank_count = BTK_TOKEN_LIMIT + 1;
    expect_refused(header, "rank ids");
    header = bpe_of_chars(" ");
    ((uint32_t *)section(header, BTK_SECTION_RANK_IDS))[1] = 99;
    expect_refused(header, "rank ids");
    header = unigram();
    header->config.model = BTK_MODEL_WORDLEVEL;
    expect_refused(header, "scores");
    header = wordpiece();
    header->config.model = 9;
    expect_refused(header, "model is unknown");
}

Test(hostile_image, texts_are_cut_in_a_known_way_by_a_whole_table)
{
    struct btk_image_header *header = bpe();
    header->config.text_cuts = BTK_TEXT_CUTS_COUNT;
    expect_refused(header, "in no known way");
    header = unigram();
    header->config.no_text_cuts = BTK_NO_TEXT_CUTS_COUNT;
    expect_refused(header, "in no known way");
    header = bpe();
    header->config.text_cuts = BTK_TEXT_CUTS_INSIDE_WORDS;
    expect_refused(header, "where words may be cut");
    header = bpe();
    header->config.text_cuts = BTK_TEXT_CUTS_NONE;
    expect_refused(header, "text cuts\" has the wrong length");
    header = bpe();
    header->sections[BTK_SECTION_TEXT_CUTS].bytes -= 8;
    expect_refused(header, "text cuts\" has the wrong length");
    header = unigram();
    header->config.text_cuts = BTK_TEXT_CUTS_BETWEEN_WORDS;
    expect_refused(header, "text cuts\" has the wrong length");
}

// A copy of bytes that another section shares would change both.
Test(hostile_image, what_is_decoded_is_utf8_and_no_longer_than_it_says)
{
    struct btk_image_header *header = wordpiece();
    *(uint8_t *)section(header, BTK_SECTION_DECODED_TEXT) = 0xc3;
    expect_refused(header, "\"decoded text\" is not UTF-8");
    header = wordpiece();
    header->config.decoded_bytes_max = 3;
    expect_refused(header, "\"decoded text\" has a text of another length");
    header = wordpiece();
    header->config.shown_bytes_max = 3;
    expect_refused(header, "longest token");
}

Test(hostile_image, steps_of_decoders_are_known_and_their_strings_inside)
{
    struct btk_image_header *header = wordpiece();
    struct btk_step *list = section(header, BTK_SECTION_DECODER_STEPS);
    list[0].kind = 0;
    expect_refused(header, "\"decoder steps\" has no such step");
    header = wordpiece();
    list = section(header, BTK_SECTION_DECODER_STEPS);
    list[0].kind = BTK_DECODE_KIND_END;
    expect_refused(header, "\"decoder steps\" has no such step");
    header = wordpiece();
    list = section(header, BTK_SECTION_DECODER_STEPS);
    list[0].numbers[0] = list[0].data_bytes + 1;
    expect_refused(header, "a string longer than its data");
    header = wordpiece();
    list = section(header, BTK_SECTION_DECODER_STEPS);
    *((uint8_t *)section(header, BTK_SECTION_STEP_DATA) + list[0].data_begin) = 0xff;
    expect_refused(header, "\"decoder steps\" is not UTF-8");
    header = wordpiece();
    list = section(header, BTK_SECTION_DECODER_STEPS);
    list[0].kind = BTK_DECODE_STRIP; // "##"
    expect_refused(header, "\"decoder steps\" has no character");
}

Test(hostile_image, the_longest_token_is_as_long_as_it_says)
{
    struct btk_image_header *const header = wordpiece();
    header->config.token_bytes_max = 4;
    expect_refused(header, "longest token");
    struct btk_image_header *const other = bpe();
    other->config.model_bytes_max = 3;
    expect_refused(other, "longest token");
}

Test(hostile_image, tokens_are_utf8)
{
    struct btk_image_header *const header = wordpiece();
    *(uint8_t *)section(header, BTK_SECTION_TOKEN_TEXT) = 0xc3;
    expect_refused(header, "token text");
}

Test(hostile_image, each_byte_has_a_token_that_exists_or_none)
{
    struct btk_image_header *const header = bpe();
    uint32_t *const ids = section(header, BTK_SECTION_BYTE_IDS);
    ids['x'] = BTK_NO_TOKEN - 1;
    expect_refused(header, "byte ids");
}

Test(hostile_image, pieces_of_the_table_are_of_tokens_that_end_inside_of_them)
{
    static const struct {
        uint32_t layout, id;
    } faults[] = {
        {0, 0},                  // no tokens
        {2, 0},                  // two, and the first ends nowhere
        {1 | 1u << 2, 0},        // one, and one more ends
        {2 | 1u << (2 + 15), 0}, // the first ends behind the piece
        {1, 1u << 24},           // one that there is not
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct btk_image_header *const header = bpe();
        struct btk_short_piece *const pieces = section(header, BTK_SECTION_PIECES);
        memset(pieces[0].words, 0xff, sizeof pieces[0].words);
        memcpy(pieces[0].words, "ab", 2);
        pieces[0].layout = faults[i].layout;
        pieces[0].ids[0] = faults[i].id;
        pieces[0].ids[1] = pieces[0].ids[2] = 0;
        expect_refused(header, "has no such piece");
    }
    struct btk_image_header *const header = bpe();
    header->sections[BTK_SECTION_PIECES].bytes -= sizeof(struct btk_short_piece);
    expect_refused(header, "\"pieces\" has the wrong length");
}

Test(hostile_image, edges_of_the_tries_lead_on)
{
    static const struct btk_trie_unit faults[] = {
        {.base = UINT32_MAX, .token = BTK_NO_TOKEN, .mark = BTK_NO_NODE},
        {.token = BTK_NO_TOKEN - 1, .mark = BTK_NO_NODE},
        {.token = BTK_NO_TOKEN, .mark = BTK_NO_NODE - 1},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(faults); i++) {
        struct btk_image_header *const header = i % 2 ? wordpiece() : unigram();
        *(struct btk_trie_unit *)section(header, BTK_SECTION_TRIE) = faults[i];
        expect_refused(header, "\"trie\" has no such");
    }
    struct btk_image_header *const header = unigram();
    header->sections[BTK_SECTION_TRIE].bytes -= 8;
    expect_refused(header, "\"trie\" has the wrong length");
    struct btk_image_header *const other = wordpiece();
    struct btk_added_edge *const edges = section(other, BTK_SECTION_RAW_EDGES);
    edges[1].node = 0;
    expect_refused(other, "raw edges");
}

// Lengths that do not add up to the piece: only a crafted image can have them, and no check of
// tokens alone finds them. The engine stays inside of the piece.
static struct btk_image_header *with_step(const char *normalizer)
{
    return copy_image(btk_small_bpe_json("", normalizer, "{\"type\": \"ByteLevel\"}"));
}

#define REPLACE "{\"type\": \"Replace\", \"pattern\": {\"String\": \"a\"}, \"content\": \"b\"}"

Test(hostile_image, a_step_of_the_normalizer_is_one_that_there_is)
{
    struct btk_image_header *header = with_step(REPLACE);
    struct btk_step *step = section(header, BTK_SECTION_NORMALIZER_STEPS);
    step->kind = 200;
    expect_refused(header, "normalizer steps");
    header = with_step("{\"type\": \"Nmt\"}");
    step = section(header, BTK_SECTION_NORMALIZER_STEPS);
    step->numbers[0] = 100;
    expect_refused(header, "normalizer steps");
    header = with_step(REPLACE);
    header->config.normalizer = 100;
    expect_refused(header, "normalizer is unknown");
}

Test(hostile_image, what_a_normalizer_writes_is_utf8_and_inside)
{
    struct btk_image_header *header = with_step(REPLACE);
    struct btk_step *const step = section(header, BTK_SECTION_NORMALIZER_STEPS);
    step->numbers[0] = step->data_bytes + 1;
    expect_refused(header, "normalizer steps");
    header = with_step(REPLACE);
    uint8_t *const data = section(header, BTK_SECTION_STEP_DATA);
    data[1] = 0xff;
    expect_refused(header, "normalizer steps");
    header = with_step("{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"BAAAAAAEAAA=\"}");
    struct btk_step *const charsmap = section(header, BTK_SECTION_NORMALIZER_STEPS);
    charsmap->numbers[0] = UINT32_MAX;
    expect_refused(header, "normalizer steps");
}

Test(hostile_image, a_normal_form_has_a_token_and_its_text_is_inside)
{
    const char *const added = "{\"content\": \"FOO\"}, {\"content\": \"BAR\"}";
    for (int i = 0; i < 3; i++) {
        struct btk_image_header *const header = copy_image(btk_small_wordpiece_json(added, ""));
        struct btk_normal_form *const forms = section(header, BTK_SECTION_NORMAL_FORMS);
        if (i == 0) forms[1].id = forms[0].id;
        if (i == 1) forms[1].id = UINT32_MAX;
        if (i == 2) forms[1].bytes = UINT32_MAX;
        expect_refused(header, "normal forms");
    }
}

Test(hostile_image, offsets_stay_inside_of_the_text)
{
    struct btk_image_header *const header = bpe();
    uint32_t *const ids_of_ranks = section(header, BTK_SECTION_RANK_IDS);
    for (uint32_t i = 0; i < header->config.rank_count; i++)
        if (ids_of_ranks[i] == 256) ids_of_ranks[i] = 257;
    struct btk_error checked;
    cr_assert_eq(verify(header, &checked), 0);
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_error_info error;
    cr_assert_eq(btk_tokenizer_attach(header, header->bytes, true, &tokenizer, NULL), 0);
    cr_assert_eq(btk_scratch_new(tokenizer, &scratch, NULL), 0);
    uint32_t ids[64], offsets[128];
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    struct btk_encoding encoding = {.capacity = 64, .ids = ids, .offsets = offsets};
    for (int round = 0; round < 2; round++) { // the second comes from the cache
        cr_assert_eq(
            btk_encode(tokenizer, scratch, "ababx\xc3\xa9", 7, &options, &encoding, &error), 0);
        for (size_t i = 0; i < 2 * encoding.count; i++) cr_expect_leq(offsets[i], 6);
    }
    btk_scratch_free(&scratch);
    btk_tokenizer_close(&tokenizer);
    free(header);
}

// Where a match began or ended within a character, what stands beside it would be no text.
Test(hostile_image, added_tokens_begin_and_end_between_characters)
{
    static const char added[] = "{\"content\": \"\\u00c9x\", \"normalized\": false}";
    struct btk_image_header *header = copy_image(btk_small_wordpiece_json(added, ""));
    struct btk_added_node *nodes = section(header, BTK_SECTION_RAW_NODES);
    nodes[1].token = 0;
    expect_refused(header, "divides a character");
    header = copy_image(btk_small_wordpiece_json(added, ""));
    struct btk_added_edge *edges = section(header, BTK_SECTION_RAW_EDGES);
    edges[0].byte = 0x89;
    expect_refused(header, "divides a character");
    header = copy_image(btk_small_wordpiece_json(added, ""));
    nodes = section(header, BTK_SECTION_RAW_NODES);
    nodes[0].edge_count = 2;
    expect_refused(header, "has no such edge");
}
