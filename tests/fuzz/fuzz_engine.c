// SPDX-License-Identifier: Apache-2.0
// Mutated tokenizers, images and texts through the engine: see README.md.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/utf8.h"
#include "kernels/kernels.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/rounds.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/compile/compile.h"
#include "tokenizer/image.h"

enum {
    ROOM_TOKENS_MAX = 1 << 22,
    ROOM_BYTES_MAX = 1 << 28,
    TEXT_BYTES_MAX = 40000,
    TEXTS_A_TOKENIZER = 24,
    COLUMNS = 8
};

// --- Tokenizers

static const char *const added_parts[] = {"{\"content\":\"<m>\"",
                                          "{\"content\":\" \"",
                                          "{\"content\":\"A\"",
                                          "{\"content\":\"\\n\"",
                                          "{\"content\":\"\\u4e2d\\u56fd\"",
                                          "{\"content\":\"\\u00c9\"",
                                          "{\"content\":\"ab\"",
                                          "{\"content\":\"  \"",
                                          "{\"content\":\"foo\"",
                                          "{\"content\":\"\\u0301\"",
                                          "{\"content\":\"<m\"",
                                          "{\"content\":\"##bar\""};
static const char *const flag_parts[] = {",\"lstrip\":true",      ",\"rstrip\":true",
                                         ",\"normalized\":false", ",\"single_word\":true",
                                         ",\"special\":true",     ",\"normalized\":true"};
static const char *const pretokenizers[] = {
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}",
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}",
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":false}",
};
static const char *const normalizers[] = {
    "null", "null", "{\"type\":\"BertNormalizer\"}",
    "{\"type\":\"BertNormalizer\",\"clean_text\":false,\"strip_accents\":true}"};
static const char *const processors[] = {
    "", "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"a\",4],\"sep\":[\"b\",5]},",
    "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"a\",4],\"sep\":[\"b\",5]},",
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\","
    "\"type_id\":1}},{\"SpecialToken\":{\"id\":\"a\",\"type_id\":2}},{\"Sequence\":{\"id\":\"A\","
    "\"type_id\":3}}],\"pair\":[{\"Sequence\":{\"id\":\"B\",\"type_id\":0}},{\"Sequence\":{\"id\":"
    "\"A\",\"type_id\":0}}],\"special_tokens\":{\"a\":{\"id\":\"a\",\"ids\":[99,4],\"tokens\":["
    "\"x\","
    "\"y\"]}}},",
    "\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\",\"trim_"
    "offsets\":"
    "true,\"add_prefix_space\":false},{\"type\":\"BertProcessing\",\"cls\":[\"a\",4],\"sep\":["
    "\"b\",5]},"
    "{\"type\":\"BertProcessing\",\"cls\":[\"a\",4],\"sep\":[\"b\",5]}]},"};

static void make_added(struct random *random, char *out, size_t capacity)
{
    size_t length = 0;
    out[0] = 0;
    for (size_t count = below(random, 4); count; count--) {
        length += (size_t)snprintf(out + length, capacity - length, "%s%s", length ? "," : "",
                                   added_parts[below(random, BTK_ARRAY_COUNT(added_parts))]);
        for (size_t flags = below(random, 4); flags; flags--)
            length += (size_t)snprintf(out + length, capacity - length, "%s",
                                       flag_parts[below(random, BTK_ARRAY_COUNT(flag_parts))]);
        length += (size_t)snprintf(out + length, capacity - length, "}");
    }
}

// One time in four, some bytes are others.
static void mutate(struct random *random, uint8_t *bytes, size_t length)
{
    static const char marks[] = "{}[]\",:0129-ablu\\#\xc3";
    if (below(random, 4)) return;
    for (size_t count = 1 + below(random, 4); count && length; count--)
        bytes[below(random, length)] = below(random, 3)
                                           ? (uint8_t)marks[below(random, sizeof marks - 1)]
                                           : (uint8_t)next(random);
}

static char *make_json(struct random *random)
{
    char added[1024];
    make_added(random, added, sizeof added);
    char *const json =
        below(random, 2)
            ? btk_small_wordpiece_json(added,
                                       processors[below(random, BTK_ARRAY_COUNT(processors))])
            : btk_small_bpe_json(added, normalizers[below(random, BTK_ARRAY_COUNT(normalizers))],
                                 pretokenizers[below(random, BTK_ARRAY_COUNT(pretokenizers))]);
    mutate(random, (uint8_t *)json, strlen(json));
    return json;
}

// Numbers of the image are changed and its checksum is mended: what verify lets through must be safe.
static void mutate_image(struct random *random, struct btk_image_header *header)
{
    if (below(random, 2)) return;
    for (size_t count = 1 + below(random, 3); count; count--) {
        const bool in_config = !below(random, 3);
        const struct btk_image_section section = header->sections[below(random, BTK_SECTION_COUNT)];
        uint32_t *const numbers = in_config ? (uint32_t *)(void *)&header->config
                                            : (uint32_t *)((uint8_t *)header + section.offset);
        const size_t limit = (in_config ? sizeof header->config : section.bytes) / sizeof *numbers;
        if (!limit) continue;
        uint32_t *const number = &numbers[below(random, limit)];
        const uint32_t choices[] = {0, UINT32_MAX, *number + 1, *number - 1,
                                    (uint32_t)next(random)};
        *number = choices[below(random, BTK_ARRAY_COUNT(choices))];
    }
    header->checksum =
        btk_hash_xxh3((uint8_t *)header + sizeof *header, header->bytes - sizeof *header, 0);
}

// An opened tokenizer and its memory; NULL: it was refused.
static struct btk_tokenizer *open_mutated(struct random *random, void **out_memory)
{
    char *const json = make_json(random);
    struct btk_buffer image;
    struct btk_error error;
    struct btk_error_info info;
    btk_buffer_init(&image);
    const struct btk_bytes text = {(const uint8_t *)json, strlen(json)};
    const int status = btk_compile_json(text, &image, &error);
    free(json);
    if (status < 0) {
        CHECK(error.code == -status && error.message[0], "a refusal says why");
        return NULL;
    }
    void *const memory =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(image.length, BTK_IMAGE_ALIGNMENT));
    CHECK(memory, "memory");
    memcpy(memory, image.data, image.length);
    const size_t bytes = image.length;
    btk_buffer_clear(&image);
    CHECK(btk_image_verify(memory, bytes, &error) == 0, "what the compiler makes is sound");
    mutate_image(random, memory);
    struct btk_tokenizer *tokenizer = NULL;
    if (btk_tokenizer_attach(memory, bytes, false, &tokenizer, &info) < 0) {
        free(memory);
        return NULL;
    }
    *out_memory = memory;
    return tokenizer;
}

// --- Texts

static const char *const text_parts[] = {" ",
                                         "  ",
                                         "\t",
                                         "\n",
                                         "A",
                                         "a",
                                         "b",
                                         "ab",
                                         "abab",
                                         "foo",
                                         "foobar",
                                         "FOO",
                                         "<m>",
                                         "<m",
                                         "\xc3\x89",
                                         "e\xcc\x81",
                                         "\xe4\xb8\xad",
                                         "\xe5\x9b\xbd",
                                         "\xed\x95\x9c",
                                         "\xc4\xb0",
                                         "\xf0\x9d\x85\xa0",
                                         "\xcc\x81",
                                         "\xcc\xa3\xcc\x81",
                                         "'s",
                                         "'",
                                         "1",
                                         "\xc2\xa0",
                                         "\xe3\x80\x80",
                                         "\xef\xbf\xbd",
                                         "\x01",
                                         "\xe2\x80\x8b",
                                         ".",
                                         "\xc5\xbf"};

static size_t make_text(struct random *random, uint8_t *out)
{
    const size_t wanted = below(random, 8) ? below(random, 200) : below(random, TEXT_BYTES_MAX);
    const size_t narrow = 1 + below(random, BTK_ARRAY_COUNT(text_parts));
    const size_t first = below(random, BTK_ARRAY_COUNT(text_parts));
    size_t length = 0;
    while (length < wanted) {
        const char *const part =
            text_parts[(first + below(random, narrow)) % BTK_ARRAY_COUNT(text_parts)];
        const size_t bytes = strlen(part);
        memcpy(out + length, part, bytes);
        length += bytes;
    }
    mutate(random, out, length);
    return length;
}

struct columns {
    struct btk_encoding encoding;
    void *memory;
};

static struct columns new_columns(size_t capacity, bool is_full)
{
    uint32_t *const memory = malloc(COLUMNS * capacity * sizeof *memory);
    CHECK(memory, "memory");
    struct columns columns = {.memory = memory, .encoding = {.capacity = capacity, .ids = memory}};
    if (!is_full) return columns;
    columns.encoding.offsets = memory + capacity;
    columns.encoding.sources = memory + 3 * capacity;
    columns.encoding.type_ids = memory + 5 * capacity;
    columns.encoding.word_ids = memory + 6 * capacity;
    columns.encoding.special_tokens_mask = (uint8_t *)(memory + 7 * capacity);
    return columns;
}

// The text that offsets speak of.
static size_t replaced_text(const uint8_t *text, size_t length, uint8_t *out)
{
    return btk_utf8_replace_invalid(out, text, length);
}

static void check_columns(const struct btk_tokenizer *tokenizer, const struct btk_scratch *scratch,
                          const struct btk_encoding *encoding, size_t length)
{
    struct btk_tokenizer_info info;
    btk_tokenizer_info(tokenizer, &info);
    for (size_t i = 0; i < encoding->count; i++) {
        const uint32_t *const offsets = &encoding->offsets[2 * i];
        const uint32_t *const source = &encoding->sources[2 * i];
        size_t bytes = 0;
        CHECK(encoding->ids[i] < info.token_count || encoding->special_tokens_mask[i] || !source[1],
              "an id that there is not");
        CHECK(offsets[0] <= offsets[1] && offsets[1] <= length, "offsets outside");
        CHECK(source[0] <= source[1] || !source[1], "sources outside");
        const char *const token =
            btk_token_text_in(tokenizer, scratch, encoding->ids[i], source, &bytes);
        CHECK(token && btk_utf8_valid_prefix((const uint8_t *)token, bytes) == bytes,
              "a token that is not UTF-8");
    }
}

static void check_decoded(const struct btk_tokenizer *tokenizer,
                          const struct btk_encoding *encoding, bool skip_special_tokens)
{
    const size_t bound = btk_decode_bound(tokenizer, encoding->count);
    if (bound > ROOM_BYTES_MAX) return; // what a hostile image says of its decoder
    char *const text = malloc(bound + 1);
    struct btk_error_info error;
    size_t bytes = 0;
    CHECK(text, "memory");
    CHECK(btk_decode(tokenizer, encoding->ids, encoding->count, skip_special_tokens, text, bound,
                     &bytes, &error)
              == 0,
          "decode has room");
    CHECK(btk_utf8_valid_prefix((uint8_t *)text, bytes) == bytes, "decoded text is UTF-8");
    free(text);
}

static void check_text(struct random *random, const struct btk_tokenizer *tokenizer,
                       struct btk_scratch *scratch, struct btk_scratch *other)
{
    static uint8_t text[TEXT_BYTES_MAX + 16], replaced[3 * sizeof text];
    struct btk_error_info error;
    const struct btk_encode_options options = {.add_special_tokens = below(random, 2),
                                               .offsets_unit = (uint8_t)below(random, 2),
                                               .invalid_utf8 = (uint8_t)below(random, 2)};
    const size_t length = make_text(random, text);
    // What steps of a hostile image could make of a text is more than they do.
    const size_t wanted = btk_encode_bound(tokenizer, length, &options);
    const size_t bound = btk_min_size(wanted, ROOM_TOKENS_MAX);
    struct columns full = new_columns(bound, true), bare = new_columns(bound, false);
    const int status =
        btk_encode(tokenizer, scratch, (char *)text, length, &options, &full.encoding, &error);
    const bool is_valid = btk_utf8_valid_prefix(text, length) == length;
    const bool is_refused = !is_valid && options.invalid_utf8 == BTK_INVALID_UTF8_ERROR;
    // What a text or a post-processor may be refused for, whatever it is.
    const bool is_excused = status == -ENODATA || status == -EDOM || status == -EINVAL
                            || (status == -ENOBUFS && bound < wanted);
    CHECK(is_excused || (is_refused ? status < 0 : status == 0), "status");
    if (!status) {
        const size_t bytes = replaced_text(text, length, replaced);
        check_columns(tokenizer, scratch, &full.encoding, bytes);
        check_decoded(tokenizer, &full.encoding, false);
        check_decoded(tokenizer, &full.encoding, true);
        CHECK(btk_encode(tokenizer, other, (char *)text, length, &options, &bare.encoding, &error)
                  == 0,
              "ids alone");
        CHECK(bare.encoding.count == full.encoding.count
                  && memcmp(bare.encoding.ids, full.encoding.ids, 4 * bare.encoding.count) == 0,
              "ids depend on columns, kernels or cache");
    }
    free(full.memory);
    free(bare.memory);
}

// --- Any options

static size_t small_size(struct random *random)
{
    return below(random, 4) ? below(random, 12) : (size_t)next(random) >> below(random, 64);
}

static struct btk_encoding_options any_options(struct random *random)
{
    struct btk_encoding_options options = {
        .encode = {.add_special_tokens = below(random, 2),
                   .offsets_unit = (uint8_t)below(random, 2),
                   .invalid_utf8 = (uint8_t)below(random, 2),
                   .special_text = (uint8_t)below(random, 4)},
        .fields = (uint32_t)next(random) & BTK_FIELDS_ALL,
        .truncation = {.is_on = below(random, 2),
                       .strategy = (uint8_t)below(random, 3),
                       .direction = (uint8_t)below(random, 2),
                       .max_length = small_size(random),
                       .stride = small_size(random)},
        .padding = {.is_on = below(random, 2),
                    .has_length = below(random, 2),
                    .direction = (uint8_t)below(random, 2),
                    .length = small_size(random),
                    .multiple_of = small_size(random),
                    .id = (uint32_t)next(random),
                    .token = "[PAD]",
                    .token_bytes = below(random, 6)},
        .cost_max = 1 << 16,
    };
    return options;
}

// A text, or words that end anywhere, not always where they may.
static struct btk_encode_text any_text(struct random *random, uint8_t *text, uint64_t *ends)
{
    const size_t length = below(random, 300);
    struct btk_encode_text out = {(const char *)text, 0, NULL, 0};
    while (out.bytes < length) {
        const char *const part = text_parts[below(random, BTK_ARRAY_COUNT(text_parts))];
        memcpy(text + out.bytes, part, strlen(part));
        out.bytes += strlen(part);
        if (out.word_count < 64 && below(random, 2)) ends[out.word_count++] = out.bytes;
    }
    mutate(random, text, out.bytes);
    if (below(random, 3)) {
        out.word_count = 0;
        return out;
    }
    if (out.word_count && !below(random, 8))
        ends[below(random, out.word_count)] = below(random, out.bytes + 3);
    out.word_ends = ends;
    return out;
}

static void check_view(const struct btk_encoding_view *view)
{
    for (size_t i = 0; i < view->token_count; i++) {
        size_t bytes, sequence;
        uint32_t range[2], word;
        const char *const token = btk_encoding_token(view, i, &bytes);
        CHECK(!view->token_ends || token, "a token without a text");
        CHECK(!token || btk_utf8_valid_prefix((const uint8_t *)token, bytes) == bytes,
              "a token that is not UTF-8");
        btk_encoding_token_to_chars(view, i, &sequence, range);
        btk_encoding_token_to_word(view, i, &sequence, &word);
    }
    for (size_t i = 0; i < view->range_count; i++)
        CHECK(view->ranges[i].begin <= view->ranges[i].end
                  && view->ranges[i].end <= view->token_count,
              "a sequence outside of its encoding");
}

static void check_batch(struct random *random, const struct btk_tokenizer *tokenizer,
                        struct btk_scratch *scratch, struct btk_encodings *encodings)
{
    static uint8_t texts[6][400];
    static uint64_t ends[6][64];
    struct btk_encode_input inputs[3];
    struct btk_error_info error = {.code = 0};
    const size_t count = below(random, 4);
    const struct btk_encoding_options options = any_options(random);
    for (size_t i = 0; i < count; i++) {
        inputs[i].text = any_text(random, texts[2 * i], ends[2 * i]);
        inputs[i].has_pair = below(random, 2);
        inputs[i].pair = any_text(random, texts[2 * i + 1], ends[2 * i + 1]);
    }
    const int status =
        btk_encode_batch(tokenizer, scratch, inputs, count, &options, encodings, &error);
    CHECK(status == 0 || (error.code == -status && error.message[0]), "a refusal says why");
    CHECK(btk_encodings_document_count(encodings) == (status ? 0 : count), "documents");
    for (size_t i = 0; !status && i < count; i++)
        for (size_t j = 0; j < btk_encodings_count(encodings, i); j++) {
            const struct btk_encoding_view view = btk_encodings_get(encodings, i, j);
            check_view(&view);
        }
}

// --- Rounds

// Was the tokenizer taken?
static bool run_round(struct random *random)
{
    struct btk_scratch *scratch, *other;
    struct btk_encodings *encodings;
    struct btk_error_info error;
    void *memory = NULL;
    struct btk_tokenizer *tokenizer = open_mutated(random, &memory);
    if (!tokenizer) return false;
    unsetenv("BUDTIKTOK_SIMD");
    CHECK(btk_scratch_new(tokenizer, &scratch, &error) == 0, "scratch");
    setenv("BUDTIKTOK_SIMD", "scalar", 1);
    CHECK(btk_scratch_new(tokenizer, &other, &error) == 0, "scratch");
    for (int i = 0; i < TEXTS_A_TOKENIZER; i++) check_text(random, tokenizer, scratch, other);
    CHECK(btk_encodings_new(&encodings, &error) == 0, "encodings");
    for (int i = 0; i < 2 * TEXTS_A_TOKENIZER; i++)
        check_batch(random, tokenizer, scratch, encodings);
    btk_encodings_free(&encodings);
    btk_scratch_free(&scratch);
    btk_scratch_free(&other);
    btk_tokenizer_close(&tokenizer);
    free(memory);
    return true;
}

int main(int argc, char **argv)
{
    return run_rounds(argc, argv, 20, UINT64_MAX, run_round);
}
