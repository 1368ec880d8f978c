// SPDX-License-Identifier: Apache-2.0
#include "tests/tokenizer/small_tokenizers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/compile/compile.h"

static char *take(struct btk_buffer *text)
{
    if (btk_buffer_append(text, "", 1) < 0) abort();
    return (char *)text->data;
}

static void add(struct btk_buffer *text, const char *bytes)
{
    if (btk_buffer_append(text, bytes, strlen(bytes)) < 0) abort();
}

char *btk_small_wordpiece_json(const char *added, const char *more)
{
    struct btk_buffer text;
    btk_buffer_init(&text);
    add(&text, "{\"added_tokens\": [");
    add(&text, added);
    add(&text, "],");
    add(&text, more);
    add(&text, "\"normalizer\": {\"type\": \"BertNormalizer\"},"
               "\"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"},"
               "\"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true},"
               "\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\","
               "\"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100,"
               "\"vocab\": {\"[UNK]\": 0, \"foo\": 1, \"bar\": 2, \"##bar\": 3, \"a\": 4,"
               "\"b\": 5, \"\\u4e2d\": 6}}}");
    return take(&text);
}

// The character of the byte-level alphabet that stands for a byte.
static uint32_t character_of(uint32_t byte)
{
    uint32_t hidden = 0x100;
    if (btk_byte_prints(byte)) return byte;
    for (uint32_t before = 0; before < byte; before++) hidden += !btk_byte_prints(before);
    return hidden;
}

char *btk_small_bpe_json(const char *added, const char *normalizer, const char *pretokenizer)
{
    struct btk_buffer text;
    btk_buffer_init(&text);
    add(&text, "{\"added_tokens\": [");
    add(&text, added);
    add(&text, "],\"normalizer\":");
    add(&text, normalizer);
    add(&text, ",\"pre_tokenizer\":");
    add(&text, pretokenizer);
    add(&text,
        ",\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"type\": \"BPE\", \"vocab\": {");
    for (uint32_t byte = 0; byte < 256; byte++) {
        char member[32];
        snprintf(member, sizeof member, "\"\\u%04x\": %u,", character_of(byte), byte);
        add(&text, member);
    }
    add(&text, "\"ab\": 256, \"abab\": 257}, \"merges\": [\"a b\", \"ab ab\"]}}");
    return take(&text);
}

struct btk_buffer btk_small_image(char *json)
{
    struct btk_buffer image;
    struct btk_error error;
    btk_buffer_init(&image);
    if (btk_compile_json((struct btk_bytes){(const uint8_t *)json, strlen(json)}, &image, &error)
        < 0) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    free(json);
    return image;
}

struct btk_tokenizer *btk_small_open(char *json)
{
    struct btk_tokenizer *tokenizer;
    struct btk_error_info error;
    if (btk_tokenizer_open_json(json, strlen(json), &tokenizer, &error) < 0) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    free(json);
    return tokenizer;
}
