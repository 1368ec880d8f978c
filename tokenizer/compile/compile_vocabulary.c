// SPDX-License-Identifier: Apache-2.0
// model: which one it is, its vocabulary and its unknown token.
#include <string.h>

#include "tokenizer/compile/compiler.h"

// Files of old versions have no model.type: the reference then takes the first model whose members
// are all there.
static int find_model(struct btk_compiler *compiler, const struct btk_json *model)
{
    struct btk_bytes type;
    if (btk_json_type(model) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, "model",
                                   "is to be an object, but is %s; this is not a tokenizer",
                                   model ? btk_json_type_name(model) : "missing");
    if (!btk_json_try_string(btk_json_get(model, "type"), &type)) {
        const bool is_bpe = btk_json_get(model, "merges") != NULL;
        const bool is_wordpiece = btk_json_get(model, "max_input_chars_per_word") != NULL;
        if (!is_bpe && !is_wordpiece)
            return btk_compiler_refuse(
                compiler, "model", "has neither a \"type\" nor the members of WordPiece or BPE");
        compiler->config.model = is_bpe ? BTK_MODEL_BPE : BTK_MODEL_WORDPIECE;
        return 0;
    }
    if (btk_bytes_are(type, "BPE"))
        compiler->config.model = BTK_MODEL_BPE;
    else if (btk_bytes_are(type, "WordPiece"))
        compiler->config.model = BTK_MODEL_WORDPIECE;
    else
        return btk_compiler_unsupported(compiler, "model.type", type, "BPE, WordPiece");
    return 0;
}

static int add_token(struct btk_compiler *compiler, struct btk_bytes text,
                     const struct btk_json *value)
{
    int64_t id;
    if (!btk_json_try_integer(value, &id) || id < 0 || id >= BTK_TOKEN_LIMIT)
        return btk_compiler_refuse(
            compiler, "model.vocab", "the id of \"%.*s\" is to be a number from 0 to %u",
            (int)btk_min_size(text.length, 100), (const char *)text.data, BTK_TOKEN_LIMIT - 1);
    const int status = btk_compiler_grow_tokens(compiler, (uint32_t)id);
    if (status < 0) return status;
    struct btk_compiler_token *const token = &compiler->tokens[id];
    if (token->flags & BTK_TOKEN_EXISTS)
        return btk_compiler_refuse(compiler, "model.vocab", "two tokens have the id %u",
                                   (unsigned)id);
    *token = (struct btk_compiler_token){.text = text, .flags = BTK_TOKEN_EXISTS};
    return 0;
}

static int read_vocabulary(struct btk_compiler *compiler, const struct btk_json *vocabulary)
{
    if (btk_json_type(vocabulary) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, "model.vocab",
                                   "is to be an object of tokens and ids, but is %s",
                                   vocabulary ? btk_json_type_name(vocabulary) : "missing");
    void *cursor = NULL;
    struct btk_bytes text;
    const struct btk_json *value;
    while (btk_json_next(vocabulary, &cursor, &text, &value)) {
        const int status = add_token(compiler, text, value);
        if (status < 0) return status;
    }
    compiler->config.vocabulary_count = (uint32_t)btk_json_count(vocabulary);
    return btk_compile_text_lookup(compiler);
}

static int read_wordpiece(struct btk_compiler *compiler, const struct btk_json *model)
{
    struct btk_bytes unknown = {(const uint8_t *)"[UNK]", 5};
    compiler->prefix = (struct btk_bytes){(const uint8_t *)"##", 2};
    int status = btk_compiler_text(compiler, model, "model", "unk_token", &unknown);
    if (!status)
        status = btk_compiler_text(compiler, model, "model", "continuing_subword_prefix",
                                   &compiler->prefix);
    if (status < 0) return status;
    int64_t chars_max = 100;
    const struct btk_json *const value = btk_json_get(model, "max_input_chars_per_word");
    if (!btk_json_is_null(value)
        && (!btk_json_try_integer(value, &chars_max) || chars_max < 0
            || chars_max > BTK_WORD_CHARS_LIMIT))
        return btk_compiler_refuse(compiler, "model.max_input_chars_per_word",
                                   "is to be a number from 0 to %u", BTK_WORD_CHARS_LIMIT);
    compiler->config.word_chars_max = (uint32_t)chars_max;
    compiler->config.prefix_bytes = (uint32_t)compiler->prefix.length;
    compiler->config.unknown_id = btk_compiler_find_token(compiler, unknown);
    if (compiler->config.unknown_id == BTK_NO_TOKEN)
        return btk_compiler_refuse(
            compiler, "model.unk_token", "\"%.*s\" does not stand in the vocabulary",
            (int)btk_min_size(unknown.length, 100), (const char *)unknown.data);
    return 0;
}

// What a byte-level BPE does not need is refused when it is set, not ignored.
static int read_bpe(struct btk_compiler *compiler, const struct btk_json *model)
{
    struct btk_bytes prefix = {0}, suffix = {0};
    bool byte_fallback = false, ignore_merges = false;
    int status = btk_compiler_text(compiler, model, "model", "continuing_subword_prefix", &prefix);
    if (!status)
        status = btk_compiler_text(compiler, model, "model", "end_of_word_suffix", &suffix);
    if (!status)
        status = btk_compiler_bool(compiler, model, "model", "byte_fallback", &byte_fallback);
    if (!status)
        status = btk_compiler_bool(compiler, model, "model", "ignore_merges", &ignore_merges);
    if (status < 0) return status;
    if (prefix.length)
        return btk_compiler_unsupported(compiler, "model.continuing_subword_prefix", prefix,
                                        "\"\"");
    if (suffix.length)
        return btk_compiler_unsupported(compiler, "model.end_of_word_suffix", suffix, "\"\"");
    const struct btk_bytes yes = {(const uint8_t *)"true", 4};
    if (byte_fallback)
        return btk_compiler_unsupported(compiler, "model.byte_fallback", yes, "false");
    double dropout = 0;
    const struct btk_json *const value = btk_json_get(model, "dropout");
    if (!btk_json_is_null(value) && (!btk_json_try_number(value, &dropout) || dropout > 0))
        return btk_compiler_unsupported(compiler, "model.dropout",
                                        (struct btk_bytes){(const uint8_t *)"a number", 8}, "null");
    if (ignore_merges) compiler->config.flags |= BTK_PIPELINE_IGNORE_MERGES;
    return 0;
}

int btk_compile_vocabulary(struct btk_compiler *compiler)
{
    if (btk_json_type(compiler->root) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, "the file",
                                   "is to be an object, but is %s; this is not a tokenizer",
                                   btk_json_type_name(compiler->root));
    const struct btk_json *const model = btk_json_get(compiler->root, "model");
    int status = find_model(compiler, model);
    if (!status) status = read_vocabulary(compiler, btk_json_get(model, "vocab"));
    if (status < 0) return status;
    return compiler->config.model == BTK_MODEL_BPE ? read_bpe(compiler, model)
                                                   : read_wordpiece(compiler, model);
}
