// SPDX-License-Identifier: Apache-2.0
// Readers of formats other than tokenizer.json: what they understand, and what they refuse.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "tokenizer/compile/format/format.h"
#include "tokenizer/compile/format/known_tiktoken.h"
#include "tokenizer/compile/format/sniff.h"

static struct btk_arena arena;
static struct btk_error error;

static struct btk_bytes bytes_of(const char *text)
{
    return (struct btk_bytes){(const uint8_t *)text, strlen(text)};
}

static struct btk_format new_format(void)
{
    btk_arena_init(&arena);
    error = (struct btk_error){.message = ""};
    return (struct btk_format){.arena = &arena, .error = &error};
}

static void end_format(struct btk_format *format)
{
    btk_format_clear(format);
    btk_arena_clear(&arena);
}

static void expect_text(struct btk_bytes found, const char *expected)
{
    cr_expect_eq(found.length, strlen(expected));
    cr_expect_eq(memcmp(found.data, expected, strlen(expected)), 0, "%.*s is not %s",
                 (int)found.length, (const char *)found.data, expected);
}

static bool has_merge(const struct btk_format *format, uint32_t left, uint32_t right, uint32_t id)
{
    for (size_t i = 0; i < format->merge_count; i++) {
        const struct btk_merge_slot merge = format->merges[i];
        if (merge.key == ((uint64_t)left << 32 | right) && merge.id == id && merge.rank == id)
            return true;
    }
    return false;
}

// --- .tiktoken

static int read_tiktoken(struct btk_format *format, const char *text, const char *pattern)
{
    const struct btk_format_options options = {.name = bytes_of("small"),
                                               .pattern = bytes_of(pattern)};
    *format = new_format();
    return btk_format_read_tiktoken(format, bytes_of(text), &options);
}

// "a" 0, "b" 1, "ab" 2, "abab" 3, "aba" 4
static const char small[] = "YQ== 0\nYg== 1\r\nYWI= 2\n\nYWJhYg== 3\nYWJh 4";

Test(tiktoken, merges_are_all_the_ways_to_put_a_token_together)
{
    struct btk_format format;
    cr_assert_eq(read_tiktoken(&format, small, "cl100k_base"), 0, "%s", error.message);
    cr_assert_eq(format.token_count, 5);
    expect_text(format.tokens[3].text, "abab");
    cr_expect(has_merge(&format, 0, 1, 2));
    cr_expect(has_merge(&format, 2, 2, 3));
    cr_expect(has_merge(&format, 4, 1, 3));
    cr_expect(has_merge(&format, 2, 0, 4));
    cr_expect_eq(format.merge_count, 4);
    cr_expect(format.is_tiktoken_dialect);
    end_format(&format);
}

Test(tiktoken, what_is_said_stands_in_the_frame)
{
    struct btk_format format = new_format();
    const struct btk_compile_special special = {bytes_of("<|end|>"), 9};
    const struct btk_format_options options = {
        .pattern = bytes_of("\\w+|\"x\""), .specials = &special, .special_count = 1};
    struct btk_json *root = NULL;
    struct btk_bytes text;
    int64_t id;
    cr_assert_eq(btk_format_read_tiktoken(&format, bytes_of(small), &options), 0);
    cr_assert_eq(
        btk_json_parse((struct btk_bytes){format.frame.data, format.frame.length}, &root, &error),
        0);
    const struct btk_json *const split =
        btk_json_at(btk_json_get(btk_json_get(root, "pre_tokenizer"), "pretokenizers"), 0);
    cr_assert(btk_json_try_string(btk_json_get(btk_json_get(split, "pattern"), "Regex"), &text));
    expect_text(text, "\\w+|\"x\"");
    const struct btk_json *const added = btk_json_at(btk_json_get(root, "added_tokens"), 0);
    cr_assert(btk_json_try_integer(btk_json_get(added, "id"), &id));
    cr_expect_eq(id, 9);
    btk_json_free(root);
    end_format(&format);
}

Test(tiktoken, a_file_that_nobody_knows_needs_a_pattern)
{
    struct btk_format format;
    cr_expect_eq(read_tiktoken(&format, small, ""), -EINVAL);
    cr_expect_not_null(strstr(error.message, "--pattern"), "%s", error.message);
    end_format(&format);
}

Test(tiktoken, refuses_lines_that_are_none_and_says_which)
{
    static const char *const texts[] = {
        "YQ== 0\nYg==\n",  "YQ== 0\nYg== 1x\n",         "YQ== 0\nY 1\n",
        "YQ== 0\nYg==  1", "YQ== 0\nYg== 999999999999", "YQ== 0\nYg== 99999999",
    };
    struct btk_format format;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++) {
        cr_expect_eq(read_tiktoken(&format, texts[i], "gpt2"), -EINVAL, "%s", texts[i]);
        cr_expect_not_null(strstr(error.message, "line 2"), "%s", error.message);
        cr_expect_eq(error.offset, 7);
        end_format(&format);
    }
    cr_expect_eq(read_tiktoken(&format, "YQ== 0\nYg== 0\n", "gpt2"), -EINVAL);
    end_format(&format);
    cr_expect_eq(read_tiktoken(&format, "\n\n", "gpt2"), -EINVAL);
    end_format(&format);
}

// Counts as their makers state them.
Test(tiktoken, known_files_have_all_of_their_special_tokens)
{
    static const struct {
        const char *name;
        uint32_t token_count;
        size_t special_count;
        uint32_t last_id;
    } files[] = {{"cl100k_base", 100256, 5, 100276}, {"o200k_base", 199998, 2, 200018},
                 {"llama3", 128000, 256, 128255},    {"qwen", 151643, 208, 151850},
                 {"r50k_base", 50256, 1, 50256},     {"whisper_multilingual", 50257, 1608, 51864}};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(files); i++) {
        const struct btk_known_tiktoken *const file =
            btk_known_tiktoken_file(bytes_of(files[i].name), files[i].token_count);
        struct btk_buffer specials;
        btk_buffer_init(&specials);
        btk_arena_init(&arena);
        cr_assert_not_null(file, "%s", files[i].name);
        cr_assert_eq(file->append_specials(&arena, &specials), 0);
        const struct btk_compile_special *const all = (const void *)specials.data;
        const size_t count = specials.length / sizeof *all;
        uint32_t last_id = 0;
        for (size_t j = 0; j < count; j++) last_id = all[j].id > last_id ? all[j].id : last_id;
        cr_expect_eq(count, files[i].special_count, "%s: %zu", files[i].name, count);
        cr_expect_eq(last_id, files[i].last_id, "%s: %u", files[i].name, last_id);
        btk_buffer_clear(&specials);
        btk_arena_clear(&arena);
    }
    cr_expect_null(btk_known_tiktoken_file(bytes_of("cl100k_base"), 100255));
}

// --- tekken.json

static int read_tekken(struct btk_format *format, const char *json)
{
    struct btk_json *root = NULL;
    *format = new_format();
    cr_assert_eq(btk_json_parse(bytes_of(json), &root, &error), 0);
    cr_expect(btk_format_is_tekken(root), "%s", json);
    const int status = btk_format_read_tekken(format, root);
    btk_json_free(root);
    return status;
}

#define TEKKEN_CONFIG(size, specials)                                                              \
    "\"config\":{\"pattern\":\"\\\\w\",\"default_vocab_size\":" #size                              \
    ",\"default_num_special_tokens\":" #specials ",\"version\":\"v3\"}"
#define TEKKEN_VOCAB                                                                               \
    "\"vocab\":[{\"rank\":0,\"token_bytes\":\"YQ==\"},{\"rank\":1,\"token_bytes\":\"Yg==\"},"      \
    "{\"rank\":2,\"token_bytes\":\"YWI=\"}]"

Test(tekken, ids_begin_behind_the_special_tokens_and_end_with_the_vocabulary)
{
    struct btk_format format;
    cr_assert_eq(read_tekken(&format, "{" TEKKEN_VOCAB "," TEKKEN_CONFIG(6, 3) "}"), 0, "%s",
                 error.message);
    cr_assert_eq(format.token_count, 6);
    expect_text(format.tokens[5].text, "ab");
    cr_expect(has_merge(&format, 3, 4, 5));
    end_format(&format);
    cr_assert_eq(read_tekken(&format, "{" TEKKEN_VOCAB "," TEKKEN_CONFIG(5, 3) "}"), 0);
    cr_expect_eq(format.token_count, 5);
    cr_expect_eq(format.merge_count, 0);
    end_format(&format);
}

Test(tekken, refuses_sizes_that_do_not_fit)
{
    static const char *const files[] = {
        "{" TEKKEN_VOCAB "," TEKKEN_CONFIG(7, 3) "}", "{" TEKKEN_VOCAB "," TEKKEN_CONFIG(2, 3) "}",
        "{" TEKKEN_VOCAB "," TEKKEN_CONFIG(99999999999, 3) "}",
        "{" TEKKEN_VOCAB "," TEKKEN_CONFIG(6, -1) "}",
        "{\"vocab\":[{\"rank\":0,\"token_bytes\":\"YQ==\"},{\"rank\":0,\"token_bytes\":\"Yg==\"}]"
        "," TEKKEN_CONFIG(2, 0) "}"};
    struct btk_format format;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(files); i++) {
        cr_expect_eq(read_tekken(&format, files[i]), -EINVAL, "%s", files[i]);
        end_format(&format);
    }
}

// --- .model

// <unk>, <s>, "ab" -1.5; trainer_spec: BPE; normalizer_spec: no dummy prefix.
static const uint8_t model[] = {0x0a, 0x09, 0x0a, 0x05, '<',  'u',  'n',  'k',  '>',  0x18,
                                0x02, 0x0a, 0x07, 0x0a, 0x03, '<',  's',  '>',  0x18, 0x03,
                                0x0a, 0x09, 0x0a, 0x02, 'a',  'b',  0x15, 0x00, 0x00, 0xc0,
                                0xbf, 0x12, 0x02, 0x18, 0x02, 0x1a, 0x02, 0x18, 0x00};

Test(sentencepiece, reads_pieces_scores_types_and_settings)
{
    struct btk_format format = new_format();
    cr_assert_eq(btk_format_read_sentencepiece(&format, (struct btk_bytes){model, sizeof model}), 0,
                 "%s", error.message);
    cr_assert_eq(format.token_count, 3);
    expect_text(format.tokens[2].text, "ab");
    cr_expect_eq(format.tokens[2].score, -1.5f);
    cr_expect_eq(format.tokens[0].kind, BTK_FORMAT_TOKEN_UNKNOWN);
    cr_expect_eq(format.tokens[1].kind, BTK_FORMAT_TOKEN_CONTROL);
    cr_expect_eq(format.sentencepiece.model_type, BTK_SENTENCEPIECE_BPE);
    cr_expect(!format.sentencepiece.normalizer.adds_dummy_prefix);
    cr_expect(format.sentencepiece.normalizer.removes_extra);
    end_format(&format);
}

Test(sentencepiece, no_cut_and_no_flipped_bit_reads_outside_of_the_file)
{
    for (size_t length = 0; length < sizeof model; length++) {
        struct btk_format format = new_format();
        const int status =
            btk_format_read_sentencepiece(&format, (struct btk_bytes){model, length});
        cr_expect(status == 0 || status == -EINVAL);
        end_format(&format);
    }
    for (size_t bit = 0; bit < 8 * sizeof model; bit++) {
        uint8_t copy[sizeof model];
        memcpy(copy, model, sizeof model);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct btk_format format = new_format();
        const int status =
            btk_format_read_sentencepiece(&format, (struct btk_bytes){copy, sizeof copy});
        cr_expect(status == 0 || (status == -EINVAL && error.message[0]));
        end_format(&format);
    }
}

// --- GGUF

struct gguf_file {
    uint8_t bytes[1024];
    size_t length;
};

static void put_number(struct gguf_file *file, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) file->bytes[file->length++] = (uint8_t)(number >> 8 * i);
}

static void put_text(struct gguf_file *file, const char *text)
{
    put_number(file, strlen(text), 8);
    memcpy(file->bytes + file->length, text, strlen(text));
    file->length += strlen(text);
}

static void put_texts(struct gguf_file *file, const char *key, const char *const *texts,
                      uint64_t count)
{
    put_text(file, key);
    put_number(file, 9, 4);
    put_number(file, 8, 4);
    put_number(file, count, 8);
    for (uint64_t i = 0; i < count; i++) put_text(file, texts[i]);
}

static void put_key_and_text(struct gguf_file *file, const char *key, const char *text)
{
    put_text(file, key);
    put_number(file, 8, 4);
    put_text(file, text);
}

// Three tokens of bytes, one merge; `tokens` of them stand in it.
static struct gguf_file gguf_file(const char *kind, const char *pre, uint64_t tokens)
{
    static const char *const texts[] = {"a", "b", "ab"};
    static const char *const merges[] = {"a b"};
    struct gguf_file file = {.bytes = "GGUF", .length = 4};
    put_number(&file, 3, 4);
    put_number(&file, 0, 8);
    put_number(&file, 5, 8);
    put_key_and_text(&file, "tokenizer.ggml.model", kind);
    put_key_and_text(&file, "tokenizer.ggml.pre", pre);
    put_texts(&file, "tokenizer.ggml.tokens", texts, tokens);
    put_texts(&file, "tokenizer.ggml.merges", merges, 1);
    put_text(&file, "general.odd");
    put_number(&file, 6, 4);
    put_number(&file, 0, 4);
    return file;
}

static int read_gguf(struct btk_format *format, const uint8_t *bytes, size_t length)
{
    *format = new_format();
    return btk_format_read_gguf(format, (struct btk_bytes){bytes, length});
}

Test(gguf, reads_tokens_and_merges_and_passes_over_other_keys)
{
    const struct gguf_file file = gguf_file("gpt2", "gpt-2", 3);
    struct btk_format format;
    cr_assert_eq(read_gguf(&format, file.bytes, file.length), 0, "%s", error.message);
    cr_assert_eq(format.token_count, 3);
    expect_text(format.tokens[2].text, "ab");
    const struct btk_bytes frame = {format.frame.data, format.frame.length};
    cr_expect(memmem(frame.data, frame.length, "\"a b\"", 5));
    end_format(&format);
}

Test(gguf, what_is_not_supported_is_named)
{
    const struct {
        const char *kind, *pre, *named;
    } cases[] = {
        {"rwkv", "gpt-2", "\"rwkv\""}, {"gpt2", "odd", "\"odd\""}, {"", "", "no tokenizer"}};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(cases); i++) {
        const struct gguf_file file = gguf_file(cases[i].kind, cases[i].pre, 3);
        struct btk_format format;
        const int status = read_gguf(&format, file.bytes, file.length);
        cr_expect(status == -ENOTSUP || (status == -EINVAL && !cases[i].kind[0]));
        cr_expect(strstr(error.message, cases[i].named), "%s", error.message);
        end_format(&format);
    }
}

Test(gguf, no_cut_and_no_flipped_bit_reads_outside_of_the_file)
{
    const struct gguf_file file = gguf_file("gpt2", "gpt-2", 3);
    struct btk_format format;
    for (size_t length = 0; length < file.length; length++) {
        // A copy of its own, so that a sanitizer sees a read beyond it.
        uint8_t *const part = malloc(length + 1);
        memcpy(part, file.bytes, length);
        cr_expect_eq(read_gguf(&format, part, length), -EINVAL, "%zu", length);
        end_format(&format);
        free(part);
    }
    for (size_t bit = 0; bit < 8 * file.length; bit++) {
        struct gguf_file copy = file;
        copy.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const int status = read_gguf(&format, copy.bytes, copy.length);
        cr_expect(status == 0 || error.message[0]);
        end_format(&format);
    }
}

// --- Vocabularies

Test(vocabulary_text, the_last_of_two_equal_lines_counts_and_lines_keep_their_numbers)
{
    struct btk_format format = new_format();
    const struct btk_format_options options = {.strip_accents = -1};
    struct btk_json *root = NULL;
    int64_t id;
    cr_assert_eq(btk_format_read_vocabulary_text(
                     &format, bytes_of("[PAD]\n[UNK]\n[CLS]\r\n[SEP]\na\nb \na\n"), &options),
                 0, "%s", error.message);
    cr_assert_eq(
        btk_json_parse((struct btk_bytes){format.frame.data, format.frame.length}, &root, &error),
        0, "%s", error.message);
    const struct btk_json *const vocabulary = btk_json_get(btk_json_get(root, "model"), "vocab");
    cr_assert(btk_json_try_integer(btk_json_get(vocabulary, "a"), &id));
    cr_expect_eq(id, 6);
    cr_assert(btk_json_try_integer(btk_json_get(vocabulary, "b"), &id));
    cr_expect_eq(id, 5);
    cr_expect_eq(btk_json_count(btk_json_get(root, "added_tokens")), 4);
    btk_json_free(root);
    end_format(&format);
}

Test(vocabulary_json, tells_words_from_bytes_and_refuses_merges_that_are_none)
{
    struct btk_format format = new_format();
    const struct btk_format_options options = {.strip_accents = -1};
    cr_expect_eq(btk_format_read_vocabulary_json(&format, bytes_of("{\"a</w>\":0,\"<unk>\":1}"),
                                                 bytes_of("#version: 0.2\na b</w>\n"), &options),
                 0);
    cr_assert_eq(btk_buffer_append(&format.frame, "", 1), 0);
    cr_expect_not_null(strstr((const char *)format.frame.data, "BPEDecoder"));
    end_format(&format);
    format = new_format();
    cr_expect_eq(btk_format_read_vocabulary_json(&format, bytes_of("{\"a\":0}"),
                                                 bytes_of("#version: 0.2\na b\na b c\n"), &options),
                 -EINVAL);
    cr_expect_not_null(strstr(error.message, "line 3"), "%s", error.message);
    end_format(&format);
}

// --- Which is which

Test(sniff, tells_formats_by_their_content)
{
    cr_expect_eq(btk_sniff_file(bytes_of(" \n{\"model\":{}}")), BTK_FILE_JSON);
    cr_expect_eq(btk_sniff_file(bytes_of(small)), BTK_FILE_TIKTOKEN);
    cr_expect_eq(btk_sniff_file((struct btk_bytes){model, sizeof model}), BTK_FILE_SENTENCEPIECE);
    cr_expect_eq(btk_sniff_file(bytes_of("GGUF\3")), BTK_FILE_GGUF);
    cr_expect_eq(btk_sniff_file(bytes_of("[PAD]\n[UNK]\n")), BTK_FILE_TEXT);
    cr_expect_eq(btk_sniff_file(bytes_of("")), BTK_FILE_UNKNOWN);
    cr_expect_eq(btk_sniff_file((struct btk_bytes){(const uint8_t *)"\0\1\2\3", 4}),
                 BTK_FILE_UNKNOWN);
}
