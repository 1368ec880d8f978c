// SPDX-License-Identifier: Apache-2.0
// model: which one it is, its vocabulary, its options and its merges.
//
// What is an error here is one in the reference's serialization.rs of the model, and the other way
// round: so a member that has no default there must be in the file, and null is a value only where
// it may be none.
#include <errno.h>

#include "tokenizer/compile/compiler.h"

static int missing(struct btk_compiler *compiler, const char *name)
{
    return btk_compiler_refuse(compiler, "model", "has no \"%s\"", name);
}

// --- Vocabularies

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

// The tokens that another format brought.
static int take_vocabulary(struct btk_compiler *compiler)
{
    const struct btk_format *const format = compiler->format;
    const int status = btk_compiler_grow_tokens(compiler, format->token_count - 1);
    if (status < 0) return status;
    for (uint32_t id = 0; id < format->token_count; id++) {
        const struct btk_format_token token = format->tokens[id];
        const bool exists = token.kind != BTK_FORMAT_TOKEN_MISSING;
        compiler->tokens[id] =
            (struct btk_compiler_token){.text = token.text, .flags = exists ? BTK_TOKEN_EXISTS : 0};
    }
    compiler->config.vocabulary_count = format->token_count;
    return btk_compile_text_lookup(compiler);
}

static int read_vocabulary(struct btk_compiler *compiler, const struct btk_json *model)
{
    if (compiler->format && compiler->format->token_count) return take_vocabulary(compiler);
    const struct btk_json *const vocabulary = btk_json_get(model, "vocab");
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

// ["token", score]: ids are places.
static int add_scored_token(struct btk_compiler *compiler, const struct btk_json *pair, uint32_t id)
{
    struct btk_bytes text;
    double score;
    if (btk_json_count(pair) != 2 || !btk_json_try_string(btk_json_at(pair, 0), &text)
        || !btk_json_try_number(btk_json_at(pair, 1), &score))
        return btk_compiler_refuse(compiler, "model.vocab",
                                   "entry %u is to be a token and its score", id);
    const int status = btk_compiler_grow_tokens(compiler, id);
    if (status < 0) return status;
    compiler->tokens[id] = (struct btk_compiler_token){.text = text, .flags = BTK_TOKEN_EXISTS};
    compiler->scores[id] = score;
    return 0;
}

static int read_scored_vocabulary(struct btk_compiler *compiler, const struct btk_json *model)
{
    const struct btk_json *const vocabulary = btk_json_get(model, "vocab");
    if (btk_json_type(vocabulary) != BTK_JSON_ARRAY)
        return btk_compiler_refuse(compiler, "model.vocab",
                                   "is to be an array of tokens and scores, but is %s",
                                   vocabulary ? btk_json_type_name(vocabulary) : "missing");
    const size_t count = btk_json_count(vocabulary);
    if (count > BTK_TOKEN_LIMIT)
        return btk_compiler_refuse(compiler, "model.vocab", "has more than %u tokens",
                                   BTK_TOKEN_LIMIT);
    compiler->scores = btk_arena_allocate(&compiler->arena, (count + 1) * sizeof *compiler->scores);
    if (!compiler->scores) return btk_compiler_no_memory(compiler);
    for (size_t id = 0; id < count; id++) {
        const int status = add_scored_token(compiler, btk_json_at(vocabulary, id), (uint32_t)id);
        if (status < 0) return status;
    }
    compiler->config.vocabulary_count = (uint32_t)count;
    return btk_compile_text_lookup(compiler);
}

// --- Options

// A string that must be there.
static int read_text(struct btk_compiler *compiler, const struct btk_json *model, const char *name,
                     struct btk_bytes *out_text)
{
    if (!btk_json_get(model, name)) return missing(compiler, name);
    if (btk_json_try_string(btk_json_get(model, name), out_text)) return 0;
    return btk_compiler_refuse(compiler, "model", "\"%s\" is to be a string, but is %s", name,
                               btk_json_type_name(btk_json_get(model, name)));
}

static int read_unknown(struct btk_compiler *compiler, const struct btk_json *model)
{
    struct btk_bytes unknown;
    const int status = read_text(compiler, model, "unk_token", &unknown);
    if (!status) compiler->config.unknown_id = btk_compiler_find_model_token(compiler, unknown);
    return status;
}

static int read_wordpiece(struct btk_compiler *compiler, const struct btk_json *model)
{
    int status = read_vocabulary(compiler, model);
    if (!status) status = read_unknown(compiler, model);
    if (!status)
        status = read_text(compiler, model, "continuing_subword_prefix", &compiler->prefix);
    if (status < 0) return status;
    int64_t chars_max;
    const struct btk_json *const value = btk_json_get(model, "max_input_chars_per_word");
    if (!value) return missing(compiler, "max_input_chars_per_word");
    if (!btk_json_try_integer(value, &chars_max) || chars_max < 0)
        return btk_compiler_refuse(compiler, "model.max_input_chars_per_word",
                                   "is to be a number from 0 on");
    compiler->config.word_chars_max = chars_max < UINT32_MAX ? (uint32_t)chars_max : UINT32_MAX;
    compiler->config.prefix_bytes = (uint32_t)compiler->prefix.length;
    return 0;
}

static int read_wordlevel(struct btk_compiler *compiler, const struct btk_json *model)
{
    const int status = read_vocabulary(compiler, model);
    return status < 0 ? status : read_unknown(compiler, model);
}

static int read_unknown_index(struct btk_compiler *compiler, const struct btk_json *model)
{
    const struct btk_json *const value = btk_json_get(model, "unk_id");
    int64_t id;
    if (btk_json_is_null(value)) return 0;
    if (!btk_json_try_integer(value, &id) || id < 0 || id >= compiler->config.vocabulary_count)
        return btk_compiler_refuse(compiler, "model.unk_id",
                                   "is to be the number of one of the %u tokens",
                                   compiler->config.vocabulary_count);
    compiler->config.unknown_id = (uint32_t)id;
    return 0;
}

static int read_unigram(struct btk_compiler *compiler, const struct btk_json *model)
{
    int status = read_scored_vocabulary(compiler, model);
    if (!status) status = read_unknown_index(compiler, model);
    if (status < 0) return status;
    bool byte_fallback = false;
    const struct btk_json *const value = btk_json_get(model, "byte_fallback");
    if (value && !btk_json_try_bool(value, &byte_fallback))
        return btk_compiler_refuse(compiler, "model.byte_fallback",
                                   "is to be true or false, but is %s", btk_json_type_name(value));
    if (byte_fallback) compiler->config.model_flags |= BTK_MODEL_BYTE_FALLBACK;
    return 0;
}

static int read_model_flag(struct btk_compiler *compiler, const struct btk_json *model,
                           const char *name, uint32_t flag)
{
    bool is_set = false;
    const int status = btk_compiler_bool(compiler, model, "model", name, &is_set);
    if (is_set) compiler->config.model_flags |= flag;
    return status;
}

static int read_affix(struct btk_compiler *compiler, const struct btk_json *model, const char *name,
                      struct btk_bytes *out_affix, uint32_t *out_bytes)
{
    const int status = btk_compiler_text(compiler, model, "model", name, out_affix);
    if (status < 0) return status;
    if (out_affix->length > BTK_AFFIX_BYTES_LIMIT)
        return btk_compiler_unsupported(compiler, "model", *out_affix,
                                        "a prefix and a suffix of at most 64 bytes");
    *out_bytes = (uint32_t)out_affix->length;
    return 0;
}

static int read_dropout(struct btk_compiler *compiler, const struct btk_json *model)
{
    const struct btk_json *const value = btk_json_get(model, "dropout");
    double dropout;
    if (btk_json_is_null(value)) return 0;
    if (!btk_json_try_number(value, &dropout) || !((float)dropout >= 0 && (float)dropout <= 1))
        return btk_compiler_refuse(compiler, "model.dropout", "is to be a number from 0 to 1");
    compiler->config.dropout = (float)dropout;
    return 0;
}

static int read_bpe_options(struct btk_compiler *compiler, const struct btk_json *model)
{
    struct btk_image_config *const config = &compiler->config;
    bool ignore_merges = false;
    int status = read_affix(compiler, model, "continuing_subword_prefix", &compiler->prefix,
                            &config->prefix_bytes);
    if (!status)
        status = read_affix(compiler, model, "end_of_word_suffix", &compiler->suffix,
                            &config->suffix_bytes);
    if (!status)
        status = read_model_flag(compiler, model, "byte_fallback", BTK_MODEL_BYTE_FALLBACK);
    if (!status) status = read_model_flag(compiler, model, "fuse_unk", BTK_MODEL_FUSES_UNKNOWN);
    if (!status)
        status = btk_compiler_bool(compiler, model, "model", "ignore_merges", &ignore_merges);
    if (!status && ignore_merges) config->flags |= BTK_PIPELINE_IGNORE_MERGES;
    return status < 0 ? status : read_dropout(compiler, model);
}

static int read_bpe(struct btk_compiler *compiler, const struct btk_json *model)
{
    int status = read_vocabulary(compiler, model);
    if (!status) status = read_bpe_options(compiler, model);
    if (!status && btk_json_is_null(btk_json_get(model, "unk_token")))
        compiler->config.model_flags |= BTK_MODEL_DROPS_UNKNOWN;
    else if (!status)
        status = read_unknown(compiler, model);
    return status < 0 ? status : btk_compile_read_merges(compiler, btk_json_get(model, "merges"));
}

// --- Which model it is

typedef int read_model_fn(struct btk_compiler *compiler, const struct btk_json *model);

static const struct {
    const char *name;
    enum btk_model_kind kind;
    read_model_fn *read;
} models[] = {
    {"BPE", BTK_MODEL_BPE, read_bpe},
    {"WordPiece", BTK_MODEL_WORDPIECE, read_wordpiece},
    {"WordLevel", BTK_MODEL_WORDLEVEL, read_wordlevel},
    {"Unigram", BTK_MODEL_UNIGRAM, read_unigram},
};

static int read_as(struct btk_compiler *compiler, const struct btk_json *model, size_t which)
{
    compiler->config = (struct btk_image_config){.unknown_id = BTK_NO_TOKEN};
    compiler->config.model = models[which].kind;
    compiler->tokens = NULL;
    compiler->token_capacity = 0;
    compiler->prefix = compiler->suffix = (struct btk_bytes){0};
    return models[which].read(compiler, model);
}

// Files of old versions have no model.type: the reference then takes the first model that can be
// read.
static int read_any(struct btk_compiler *compiler, const struct btk_json *model)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(models); i++) {
        const int status = read_as(compiler, model, i);
        if (status != -EINVAL) return status;
    }
    return btk_compiler_refuse(compiler, "model",
                               "has no \"type\", and is not all that a BPE, WordPiece, WordLevel "
                               "or Unigram model has to be");
}

int btk_compile_vocabulary(struct btk_compiler *compiler)
{
    if (btk_compiler_is_sentencepiece(compiler)) return btk_compile_sentencepiece(compiler);
    if (btk_json_type(compiler->root) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, "the file",
                                   "is to be an object, but is %s; this is not a tokenizer",
                                   btk_json_type_name(compiler->root));
    const struct btk_json *const model = btk_json_get(compiler->root, "model");
    if (btk_json_type(model) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, "model",
                                   "is to be an object, but is %s; this is not a tokenizer",
                                   model ? btk_json_type_name(model) : "missing");
    struct btk_bytes type;
    if (!btk_json_get(model, "type")) return read_any(compiler, model);
    if (!btk_json_try_string(btk_json_get(model, "type"), &type))
        return btk_compiler_refuse(compiler, "model.type", "is to be a string");
    for (size_t i = 0; i < BTK_ARRAY_COUNT(models); i++)
        if (btk_bytes_are(type, models[i].name)) return read_as(compiler, model, i);
    return btk_compiler_unsupported(compiler, "model.type", type,
                                    "BPE, WordPiece, WordLevel, Unigram");
}
