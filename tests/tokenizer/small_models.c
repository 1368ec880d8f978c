// SPDX-License-Identifier: Apache-2.0
#include "tests/tokenizer/small_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"
#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/compile/compile.h"

static void insist(bool is_so, const char *what)
{
    if (is_so) return;
    fprintf(stderr, "small model: %s\n", what);
    abort();
}

uint64_t btk_small_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint32_t find_token(const struct btk_small_model *model, const struct btk_small_token *token)
{
    for (uint32_t id = 0; id < model->token_count; id++)
        if (model->tokens[id].length == token->length
            && memcmp(model->tokens[id].bytes, token->bytes, token->length) == 0)
            return id;
    return UINT32_MAX;
}

static uint32_t add_token(struct btk_small_model *model, const struct btk_small_token *token)
{
    const uint32_t known = find_token(model, token);
    if (known != UINT32_MAX) return known;
    insist(model->token_count < BTK_SMALL_TOKENS_MAX, "too many tokens");
    model->tokens[model->token_count] = *token;
    return model->token_count++;
}

static bool is_merged(const struct btk_small_model *model, uint32_t left, uint32_t right)
{
    for (uint32_t i = 0; i < model->merge_count; i++)
        if (model->merges[i].left == left && model->merges[i].right == right) return true;
    return false;
}

static uint32_t pick_letters(const struct btk_small_model *model, uint64_t *state)
{
    const uint64_t number = btk_small_random(state) % (model->token_count - 256 + 4);
    return number < 4 ? (uint32_t)('a' + number) : (uint32_t)(256 + number - 4);
}

void btk_small_bpe(struct btk_small_model *model, uint64_t seed, uint32_t merge_count)
{
    *model = (struct btk_small_model){0};
    for (unsigned byte = 0; byte < 256; byte++)
        add_token(model, &(struct btk_small_token){.bytes = {(uint8_t)byte}, .length = 1});
    while (model->merge_count < merge_count) {
        const uint32_t left = pick_letters(model, &seed), right = pick_letters(model, &seed);
        struct btk_small_token joined = model->tokens[left];
        const struct btk_small_token more = model->tokens[right];
        if (joined.length + more.length > BTK_SMALL_TOKEN_BYTES_MAX
            || is_merged(model, left, right))
            continue;
        memcpy(joined.bytes + joined.length, more.bytes, more.length);
        joined.length += more.length;
        const struct btk_small_merge merge = {left, right, add_token(model, &joined)};
        model->merges[model->merge_count++] = merge;
    }
}

static void append(struct btk_small_token *token, const char *text)
{
    memcpy(token->bytes + token->length, text, strlen(text));
    token->length += strlen(text);
}

void btk_small_wordpiece(struct btk_small_model *model, uint64_t seed, uint32_t piece_count)
{
    static const char *const letters[] = {"a", "b", "c", "\xc3\xa9"};
    *model = (struct btk_small_model){0};
    struct btk_small_token unknown = {.length = 0};
    append(&unknown, "[UNK]");
    add_token(model, &unknown);
    while (model->token_count < piece_count) {
        struct btk_small_token token = {.length = 0};
        if (btk_small_random(&seed) % 2) append(&token, "##");
        const uint64_t length = 1 + btk_small_random(&seed) % 6;
        for (uint64_t i = 0; i < length; i++) append(&token, letters[btk_small_random(&seed) % 4]);
        add_token(model, &token);
    }
}

// A token in the byte-level alphabet.
static void write_bytes(struct btk_json_writer *writer, const struct btk_small_token *token,
                        bool is_name)
{
    uint8_t text[2 * BTK_SMALL_TOKEN_BYTES_MAX];
    size_t length = 0;
    for (size_t i = 0; i < token->length; i++)
        for (uint32_t code_point = 0; code_point < BTK_BYTE_ALPHABET_LIMIT; code_point++) {
            uint8_t byte;
            if (!btk_byte_alphabet_try_byte(code_point, &byte) || byte != token->bytes[i]) continue;
            length += btk_utf8_encode(code_point, text + length);
        }
    if (is_name)
        btk_json_name_text(writer, (struct btk_bytes){text, length});
    else
        btk_json_text(writer, (struct btk_bytes){text, length});
}

static void print(struct btk_buffer *json, const char *text)
{
    insist(btk_buffer_append(json, text, strlen(text)) == 0, "no memory");
}

void btk_small_bpe_json(const struct btk_small_model *model, const char *more,
                        struct btk_buffer *out_json)
{
    btk_buffer_init(out_json);
    print(out_json, "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
                    "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":");
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_object(&writer);
    for (uint32_t id = 0; id < model->token_count; id++) {
        write_bytes(&writer, &model->tokens[id], true);
        btk_json_unsigned(&writer, id);
    }
    btk_json_end_object(&writer);
    print(out_json, ",\"merges\":");
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_array(&writer);
    for (uint32_t i = 0; i < model->merge_count; i++) {
        btk_json_begin_array(&writer);
        write_bytes(&writer, &model->tokens[model->merges[i].left], false);
        write_bytes(&writer, &model->tokens[model->merges[i].right], false);
        btk_json_end_array(&writer);
    }
    btk_json_end_array(&writer);
    insist(writer.status == 0, "no memory");
    print(out_json, "}");
    print(out_json, more);
    print(out_json, "}");
}

void btk_small_wordpiece_json(const struct btk_small_model *model, const char *more,
                              struct btk_buffer *out_json)
{
    btk_buffer_init(out_json);
    print(out_json, "{\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
                    "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},"
                    "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
                    "\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,"
                    "\"vocab\":");
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_object(&writer);
    for (uint32_t id = 0; id < model->token_count; id++) {
        const struct btk_small_token *const token = &model->tokens[id];
        btk_json_name_text(&writer, (struct btk_bytes){token->bytes, token->length});
        btk_json_unsigned(&writer, id);
    }
    btk_json_end_object(&writer);
    insist(writer.status == 0, "no memory");
    print(out_json, "}");
    print(out_json, more);
    print(out_json, "}");
}

void *btk_small_image(const struct btk_buffer *json, size_t *out_bytes)
{
    struct btk_buffer image;
    struct btk_error error = {.message = ""};
    const int status =
        btk_compile_json((struct btk_bytes){json->data, json->length}, &image, &error);
    insist(status == 0, error.message);
    void *const memory =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(image.length, BTK_IMAGE_ALIGNMENT));
    insist(memory != NULL, "no memory");
    memcpy(memory, image.data, image.length);
    *out_bytes = image.length;
    btk_buffer_clear(&image);
    return memory;
}
