// SPDX-License-Identifier: Apache-2.0
// normalizer, pre_tokenizer, post_processor, decoder.
#include <string.h>

#include "tokenizer/compile/compiler.h"

static int set_flag(struct btk_compiler *compiler, const struct btk_json *object, const char *place,
                    const char *name, uint32_t flag)
{
    bool value = true;
    const int status = btk_compiler_bool(compiler, object, place, name, &value);
    if (!status && value) compiler->config.flags |= flag;
    return status;
}

int btk_compile_normalizer(struct btk_compiler *compiler)
{
    const struct btk_json *const normalizer = btk_json_get(compiler->root, "normalizer");
    if (btk_json_is_null(normalizer)) return 0;
    struct btk_bytes type;
    int status = btk_compiler_type(compiler, normalizer, "normalizer", &type);
    if (status < 0) return status;
    if (!btk_bytes_are(type, "BertNormalizer"))
        return btk_compiler_unsupported(compiler, "normalizer.type", type, "BertNormalizer, null");
    bool clean_text = true, chinese = true, lowercase = true;
    status = btk_compiler_bool(compiler, normalizer, "normalizer", "clean_text", &clean_text);
    if (!status)
        status =
            btk_compiler_bool(compiler, normalizer, "normalizer", "handle_chinese_chars", &chinese);
    if (!status)
        status = btk_compiler_bool(compiler, normalizer, "normalizer", "lowercase", &lowercase);
    bool strip_accents = lowercase; // what null means
    if (!status)
        status =
            btk_compiler_bool(compiler, normalizer, "normalizer", "strip_accents", &strip_accents);
    compiler->config.normalizer = BTK_NORMALIZER_BERT;
    compiler->config.bert_flags =
        (clean_text ? BTK_BERT_CLEAN_TEXT : 0u) | (chinese ? BTK_BERT_CHINESE : 0u)
        | (strip_accents ? BTK_BERT_STRIP_ACCENTS : 0u) | (lowercase ? BTK_BERT_LOWERCASE : 0u);
    return status;
}

static int compile_byte_level(struct btk_compiler *compiler, const struct btk_json *object)
{
    compiler->config.pretokenizer = BTK_PRETOKENIZER_BYTE_LEVEL;
    const int status = set_flag(compiler, object, "pre_tokenizer", "add_prefix_space",
                                BTK_PIPELINE_ADD_PREFIX_SPACE);
    return status < 0
               ? status
               : set_flag(compiler, object, "pre_tokenizer", "use_regex", BTK_PIPELINE_USE_REGEX);
}

// WordPiece wants words and byte-level BPE wants bytes: the other two pairs have no meaning.
int btk_compile_pretokenizer(struct btk_compiler *compiler)
{
    const struct btk_json *const object = btk_json_get(compiler->root, "pre_tokenizer");
    const bool is_bpe = compiler->config.model == BTK_MODEL_BPE;
    const char *const supported =
        is_bpe ? "ByteLevel (for a BPE model)" : "BertPreTokenizer (for a WordPiece model)";
    if (btk_json_is_null(object))
        return btk_compiler_unsupported(compiler, "pre_tokenizer",
                                        (struct btk_bytes){(const uint8_t *)"null", 4}, supported);
    struct btk_bytes type;
    const int status = btk_compiler_type(compiler, object, "pre_tokenizer", &type);
    if (status < 0) return status;
    if (is_bpe && btk_bytes_are(type, "ByteLevel")) return compile_byte_level(compiler, object);
    if (!is_bpe && btk_bytes_are(type, "BertPreTokenizer")) {
        compiler->config.pretokenizer = BTK_PRETOKENIZER_BERT;
        return 0;
    }
    return btk_compiler_unsupported(compiler, "pre_tokenizer.type", type, supported);
}

static int add_template_token(struct btk_compiler *compiler, bool is_suffix, uint32_t id,
                              uint32_t type_id)
{
    struct btk_image_config *const config = &compiler->config;
    if (config->prefix_count + config->suffix_count >= BTK_TEMPLATE_LIMIT)
        return btk_compiler_refuse(compiler, "post_processor", "more than %u tokens in a template",
                                   BTK_TEMPLATE_LIMIT);
    if (id >= config->token_count || !(compiler->tokens[id].flags & BTK_TOKEN_EXISTS))
        return btk_compiler_refuse(compiler, "post_processor", "there is no token of id %u", id);
    compiler->template_tokens[config->prefix_count + config->suffix_count] =
        (struct btk_template_token){id, type_id};
    if (is_suffix)
        config->suffix_count++;
    else
        config->prefix_count++;
    return 0;
}

// ["[SEP]", 102]
static int add_pair(struct btk_compiler *compiler, const struct btk_json *processor,
                    const char *name, bool is_suffix)
{
    const struct btk_json *const pair = btk_json_get(processor, name);
    int64_t id;
    if (!btk_json_try_integer(btk_json_at(pair, 1), &id) || id < 0 || id > UINT32_MAX)
        return btk_compiler_refuse(compiler, "post_processor", "\"%s\" is to be [token, id]", name);
    return add_template_token(compiler, is_suffix, (uint32_t)id, 0);
}

static int compile_pairs(struct btk_compiler *compiler, const struct btk_json *processor)
{
    const int status = add_pair(compiler, processor, "cls", false);
    return status < 0 ? status : add_pair(compiler, processor, "sep", true);
}

static int compile_trimming(struct btk_compiler *compiler, const struct btk_json *processor)
{
    const int status =
        set_flag(compiler, processor, "post_processor", "trim_offsets", BTK_PIPELINE_TRIM_OFFSETS);
    return status < 0 ? status
                      : set_flag(compiler, processor, "post_processor", "add_prefix_space",
                                 BTK_PIPELINE_TRIM_PREFIX_SPACE);
}

static int piece_type_id(struct btk_compiler *compiler, const struct btk_json *piece,
                         uint32_t *out_type_id)
{
    int64_t type_id = 0;
    const struct btk_json *const value = btk_json_get(piece, "type_id");
    if (value && (!btk_json_try_integer(value, &type_id) || type_id < 0 || type_id > UINT32_MAX))
        return btk_compiler_refuse(compiler, "post_processor.single",
                                   "\"type_id\" is to be a number");
    *out_type_id = (uint32_t)type_id;
    return 0;
}

// One special token of a template may stand for several ids.
static int add_special(struct btk_compiler *compiler, const struct btk_json *specials,
                       const struct btk_json *piece, bool is_suffix)
{
    struct btk_bytes name;
    uint32_t type_id = 0;
    int status = piece_type_id(compiler, piece, &type_id);
    if (status < 0) return status;
    char key[256];
    if (!btk_json_try_string(btk_json_get(piece, "id"), &name) || name.length >= sizeof key
        || memchr(name.data, 0, name.length))
        return btk_compiler_refuse(compiler, "post_processor.single",
                                   "a special token is to have an \"id\" of less than 256 bytes");
    memcpy(key, name.data, name.length);
    key[name.length] = 0;
    const struct btk_json *const ids = btk_json_get(btk_json_get(specials, key), "ids");
    if (!btk_json_count(ids))
        return btk_compiler_refuse(compiler, "post_processor.special_tokens",
                                   "has no ids for \"%s\"", key);
    for (size_t i = 0; i < btk_json_count(ids) && !status; i++) {
        int64_t id;
        if (!btk_json_try_integer(btk_json_at(ids, i), &id) || id < 0 || id > UINT32_MAX)
            return btk_compiler_refuse(compiler, "post_processor.special_tokens",
                                       "the ids of \"%s\" are to be numbers", key);
        status = add_template_token(compiler, is_suffix, (uint32_t)id, type_id);
    }
    return status;
}

static int compile_template(struct btk_compiler *compiler, const struct btk_json *processor)
{
    const struct btk_json *const single = btk_json_get(processor, "single");
    const struct btk_json *const specials = btk_json_get(processor, "special_tokens");
    bool is_suffix = false;
    for (size_t i = 0; i < btk_json_count(single); i++) {
        const struct btk_json *const piece = btk_json_at(single, i);
        const struct btk_json *const sequence = btk_json_get(piece, "Sequence");
        int status;
        if (sequence) {
            if (is_suffix)
                return btk_compiler_refuse(compiler, "post_processor.single",
                                           "has the text twice; supported: once");
            is_suffix = true;
            status = piece_type_id(compiler, sequence, &compiler->config.text_type_id);
        } else {
            status =
                add_special(compiler, specials, btk_json_get(piece, "SpecialToken"), is_suffix);
        }
        if (status < 0) return status;
    }
    if (is_suffix) return 0;
    return btk_compiler_refuse(compiler, "post_processor.single", "is to have a Sequence");
}

int btk_compile_postprocessor(struct btk_compiler *compiler)
{
    const struct btk_json *const processor = btk_json_get(compiler->root, "post_processor");
    if (btk_json_is_null(processor)) return 0;
    struct btk_bytes type;
    const int status = btk_compiler_type(compiler, processor, "post_processor", &type);
    if (status < 0) return status;
    if (btk_bytes_are(type, "TemplateProcessing")) return compile_template(compiler, processor);
    if (btk_bytes_are(type, "BertProcessing")) return compile_pairs(compiler, processor);
    if (btk_bytes_are(type, "ByteLevel")) return compile_trimming(compiler, processor);
    if (btk_bytes_are(type, "RobertaProcessing")) {
        const int trimming = compile_trimming(compiler, processor);
        return trimming < 0 ? trimming : compile_pairs(compiler, processor);
    }
    return btk_compiler_unsupported(
        compiler, "post_processor.type", type,
        "BertProcessing, ByteLevel, RobertaProcessing, TemplateProcessing, null");
}

int btk_compile_decoder(struct btk_compiler *compiler)
{
    const struct btk_json *const decoder = btk_json_get(compiler->root, "decoder");
    if (btk_json_is_null(decoder)) return 0;
    struct btk_bytes type;
    const int status = btk_compiler_type(compiler, decoder, "decoder", &type);
    if (status < 0) return status;
    if (btk_bytes_are(type, "ByteLevel")) {
        compiler->config.decoder = BTK_DECODER_BYTE_LEVEL;
        return 0;
    }
    if (!btk_bytes_are(type, "WordPiece"))
        return btk_compiler_unsupported(compiler, "decoder.type", type,
                                        "ByteLevel, WordPiece, null");
    compiler->config.decoder = BTK_DECODER_WORDPIECE;
    struct btk_bytes prefix = {(const uint8_t *)"##", 2};
    const int prefix_status = btk_compiler_text(compiler, decoder, "decoder", "prefix", &prefix);
    if (prefix_status < 0) return prefix_status;
    // The tokens that continue are marked once, when they are compiled.
    if (compiler->config.model == BTK_MODEL_WORDPIECE && !btk_bytes_equal(prefix, compiler->prefix))
        return btk_compiler_unsupported(compiler, "decoder.prefix", prefix, "that of the model");
    compiler->prefix = prefix;
    compiler->config.prefix_bytes = (uint32_t)prefix.length;
    return set_flag(compiler, decoder, "decoder", "cleanup", BTK_PIPELINE_CLEANUP);
}
