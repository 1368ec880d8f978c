// SPDX-License-Identifier: Apache-2.0
// post_processor: templates of special tokens, trimming of offsets.
#include <string.h>

#include "tokenizer/compile/compiler.h"

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
    const int status = btk_compiler_flag(compiler, processor, "post_processor", "trim_offsets",
                                         BTK_PIPELINE_TRIM_OFFSETS);
    return status < 0 ? status
                      : btk_compiler_flag(compiler, processor, "post_processor", "add_prefix_space",
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
