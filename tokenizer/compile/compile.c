// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/compile/compiler.h"
#include "tokenizer/image.h"
#include "tokenizer/lookup_hash.h"

int btk_compiler_refuse(struct btk_compiler *compiler, const char *place, const char *format, ...)
{
    char what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return btk_error_set(compiler->error, EINVAL, BTK_NO_OFFSET, "%s: %s", place, what);
}

int btk_compiler_unsupported(struct btk_compiler *compiler, const char *place,
                             struct btk_bytes found, const char *supported)
{
    return btk_error_set(compiler->error, ENOTSUP, BTK_NO_OFFSET,
                         "%s: \"%.*s\" is not supported by this version; supported: %s", place,
                         (int)btk_min_size(found.length, 100), (const char *)found.data, supported);
}

int btk_compiler_no_memory(struct btk_compiler *compiler)
{
    return btk_error_set(compiler->error, ENOMEM, BTK_NO_OFFSET,
                         "not enough memory to compile the tokenizer");
}

int btk_compiler_bool(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, const char *name, bool *in_out_value)
{
    const struct btk_json *const value = btk_json_get(object, name);
    if (btk_json_is_null(value) || btk_json_try_bool(value, in_out_value)) return 0;
    return btk_compiler_refuse(compiler, place, "\"%s\" is to be true or false, but is %s", name,
                               btk_json_type_name(value));
}

int btk_compiler_text(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, const char *name, struct btk_bytes *in_out_value)
{
    const struct btk_json *const value = btk_json_get(object, name);
    if (btk_json_is_null(value) || btk_json_try_string(value, in_out_value)) return 0;
    return btk_compiler_refuse(compiler, place, "\"%s\" is to be a string, but is %s", name,
                               btk_json_type_name(value));
}

int btk_compiler_type(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, struct btk_bytes *out_type)
{
    if (btk_json_type(object) != BTK_JSON_OBJECT)
        return btk_compiler_refuse(compiler, place, "is to be an object, but is %s",
                                   btk_json_type_name(object));
    if (btk_json_try_string(btk_json_get(object, "type"), out_type)) return 0;
    return btk_compiler_refuse(compiler, place, "has no \"type\"");
}

enum btk_regex_dialect btk_compiler_dialect(const struct btk_compiler *compiler)
{
    return compiler->format && compiler->format->is_tiktoken_dialect ? BTK_REGEX_TIKTOKEN
                                                                     : BTK_REGEX_ONIGURUMA;
}

bool btk_compiler_is_sentencepiece(const struct btk_compiler *compiler)
{
    return compiler->format && compiler->format->sentencepiece.model_type;
}

int btk_compiler_table(struct btk_compiler *compiler, enum btk_section section, size_t slot_bytes,
                       uint64_t used_count, uint64_t *out_mask)
{
    uint64_t slot_count = 16;
    while (slot_count < 2 * used_count) slot_count *= 2;
    struct btk_buffer *const buffer = &compiler->sections[section];
    if (btk_buffer_reserve(buffer, slot_count * slot_bytes) < 0)
        return btk_compiler_no_memory(compiler);
    memset(buffer->data, 0xff, slot_count * slot_bytes);
    buffer->length = slot_count * slot_bytes;
    *out_mask = slot_count - 1;
    return 0;
}

uint32_t btk_compiler_find_token(const struct btk_compiler *compiler, struct btk_bytes text)
{
    const struct btk_buffer *const table = &compiler->sections[BTK_SECTION_TEXT_LOOKUP];
    const struct btk_lookup_slot *const slots = (const void *)table->data;
    const uint64_t mask = table->length / sizeof *slots - 1;
    const uint64_t hash = btk_lookup_hash(text);
    for (uint64_t at = hash;; at++) {
        const struct btk_lookup_slot slot = slots[at & mask];
        if (slot.id == BTK_NO_TOKEN) return BTK_NO_TOKEN;
        if (slot.hash == hash >> 32 && btk_bytes_equal(compiler->tokens[slot.id].text, text))
            return slot.id;
    }
}

uint32_t btk_compiler_find_model_token(const struct btk_compiler *compiler, struct btk_bytes text)
{
    const uint32_t id = btk_compiler_find_token(compiler, text);
    return id != BTK_NO_TOKEN && !btk_compiler_is_model_token(compiler, id) ? BTK_NO_TOKEN : id;
}

bool btk_compiler_is_model_token(const struct btk_compiler *compiler, uint32_t id)
{
    return (compiler->tokens[id].flags & (BTK_TOKEN_EXISTS | BTK_COMPILER_TOKEN_OUTSIDE))
           == BTK_TOKEN_EXISTS;
}

int btk_compile_text_lookup(struct btk_compiler *compiler)
{
    uint64_t mask = 0;
    btk_buffer_clear(&compiler->sections[BTK_SECTION_TEXT_LOOKUP]);
    const int status =
        btk_compiler_table(compiler, BTK_SECTION_TEXT_LOOKUP, sizeof(struct btk_lookup_slot),
                           compiler->config.token_count, &mask);
    if (status < 0) return status;
    struct btk_lookup_slot *const slots = (void *)compiler->sections[BTK_SECTION_TEXT_LOOKUP].data;
    for (uint32_t id = 0; id < compiler->config.token_count; id++) {
        if (!(compiler->tokens[id].flags & BTK_TOKEN_EXISTS)) continue;
        const uint64_t hash = btk_lookup_hash(compiler->tokens[id].text);
        uint64_t at = hash;
        // Of two tokens with one text the last one counts.
        while (slots[at & mask].id != BTK_NO_TOKEN
               && !(slots[at & mask].hash == hash >> 32
                    && btk_bytes_equal(compiler->tokens[slots[at & mask].id].text,
                                       compiler->tokens[id].text)))
            at++;
        slots[at & mask] = (struct btk_lookup_slot){(uint32_t)(hash >> 32), id};
    }
    return 0;
}

int btk_compiler_grow_tokens(struct btk_compiler *compiler, uint32_t id)
{
    if (id >= BTK_TOKEN_LIMIT)
        return btk_compiler_refuse(compiler, "model.vocab", "id %u is beyond the limit of %u", id,
                                   BTK_TOKEN_LIMIT - 1);
    if (id >= compiler->token_capacity) {
        const uint32_t capacity = id + id / 2 + 1024;
        struct btk_compiler_token *const tokens =
            btk_arena_allocate(&compiler->arena, capacity * sizeof *tokens);
        if (!tokens) return btk_compiler_no_memory(compiler);
        if (compiler->config.token_count)
            memcpy(tokens, compiler->tokens, compiler->config.token_count * sizeof *tokens);
        compiler->tokens = tokens;
        compiler->token_capacity = capacity;
    }
    if (id >= compiler->config.token_count) compiler->config.token_count = id + 1;
    return 0;
}

bool btk_compiler_has_token(const struct btk_compiler *compiler, uint32_t id)
{
    return id < compiler->config.token_count && (compiler->tokens[id].flags & BTK_TOKEN_EXISTS);
}

typedef int btk_compile_step(struct btk_compiler *compiler);

static int run_steps(struct btk_compiler *compiler)
{
    static btk_compile_step *const steps[] = {
        btk_compile_vocabulary, btk_compile_normalizer,   btk_compile_pretokenizer,
        btk_compile_decoder,    btk_compile_added_tokens, btk_compile_postprocessor,
        btk_compile_texts,      btk_compile_decoded,
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(steps); i++) {
        const int status = steps[i](compiler);
        if (status < 0) return status;
    }
    switch (compiler->config.model) {
    case BTK_MODEL_BPE: return btk_compile_bpe(compiler);
    case BTK_MODEL_UNIGRAM: return btk_compile_unigram(compiler);
    case BTK_MODEL_WORDPIECE: return btk_compile_trie(compiler);
    default: return btk_compile_piece_lookup(compiler);
    }
}

int btk_compile_document(const struct btk_compile_document *document, struct btk_buffer *out_image,
                         struct btk_error *error)
{
    struct btk_compiler compiler = {.root = document->root,
                                    .format = document->format,
                                    .more_added = document->more_added,
                                    .error = error};
    compiler.config.unknown_id = BTK_NO_TOKEN;
    btk_arena_init(&compiler.arena);
    int status = run_steps(&compiler);
    // As the references of these formats read texts.
    if (compiler.format && compiler.format->token_count)
        compiler.config.flags |= BTK_PIPELINE_PLAIN_SPECIAL;
    if (!status) status = btk_compile_image(&compiler, out_image);
    for (unsigned i = 0; i < BTK_SECTION_COUNT; i++) btk_buffer_clear(&compiler.sections[i]);
    btk_arena_clear(&compiler.arena);
    return status;
}

int btk_compile_json(struct btk_bytes json, struct btk_buffer *out_image, struct btk_error *error)
{
    struct btk_json *root = NULL;
    int status = btk_json_parse(json, &root, error);
    if (status < 0) return status;
    const struct btk_compile_document document = {.root = root};
    status = btk_compile_document(&document, out_image, error);
    btk_json_free(root);
    return status;
}
