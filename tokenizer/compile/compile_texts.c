// SPDX-License-Identifier: Apache-2.0
// The columns of the vocabulary: what each token is, what it shows, what bytes it stands for.
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/compile/compiler.h"

enum { SPACE_MARK = 0x120 }; // the byte 0x20 in the byte-level alphabet

static bool reads_bytes(const struct btk_compiler *compiler)
{
    return compiler->config.flags & BTK_PIPELINE_MODEL_READS_BYTES;
}

static bool is_trimmed(uint32_t code_point)
{
    return code_point == SPACE_MARK || (btk_unicode_classes(code_point) & BTK_CLASS_WHITESPACE);
}

static uint16_t saturated(size_t count)
{
    return (uint16_t)btk_min_size(count, UINT16_MAX);
}

// Counts what trim_offsets takes off at both ends; a token of spaces alone has them at both.
static void count_spaces(struct btk_bytes text, struct btk_token_info *info)
{
    size_t leading = 0, run = 0;
    bool only_spaces = true;
    for (size_t at = 0; at < text.length;) {
        size_t length;
        const bool is_space = is_trimmed(btk_utf8_decode(text.data + at, &length));
        run = is_space ? run + 1 : 0;
        if (!is_space) only_spaces = false;
        if (only_spaces) leading = run;
        at += length;
    }
    info->leading_spaces = saturated(leading);
    info->trailing_spaces = saturated(run);
}

static int append_end(struct btk_compiler *compiler, enum btk_section ends, enum btk_section text)
{
    const uint32_t end = (uint32_t)compiler->sections[text].length;
    if (btk_buffer_append(&compiler->sections[ends], &end, sizeof end) < 0)
        return btk_compiler_no_memory(compiler);
    return 0;
}

static int append_text(struct btk_compiler *compiler, enum btk_section ends, enum btk_section text,
                       struct btk_bytes bytes)
{
    if (btk_buffer_append(&compiler->sections[text], bytes.data, bytes.length) < 0)
        return btk_compiler_no_memory(compiler);
    if (compiler->sections[text].length > INT32_MAX)
        return btk_compiler_refuse(compiler, "model.vocab", "more than 2 GiB of tokens");
    return append_end(compiler, ends, text);
}

static void note_length(uint32_t *in_out_max, size_t length)
{
    if (length > *in_out_max) *in_out_max = (uint32_t)length;
}

// What a model that reads bytes reads. A token that is not all of the alphabet stands for itself.
static int append_bytes(struct btk_compiler *compiler, struct btk_bytes text)
{
    uint8_t *const bytes = (uint8_t *)btk_arena_copy(&compiler->arena, text);
    if (!bytes) return btk_compiler_no_memory(compiler);
    size_t length;
    if (!btk_byte_alphabet_try_bytes(text, bytes, &length)) {
        if (text.length) memcpy(bytes, text.data, text.length);
        length = text.length;
    }
    note_length(&compiler->config.model_bytes_max, length);
    return append_text(compiler, BTK_SECTION_BYTES_ENDS, BTK_SECTION_BYTES_TEXT,
                       (struct btk_bytes){bytes, length});
}

static int append_normal_form(struct btk_compiler *compiler, uint32_t id, struct btk_bytes shown)
{
    struct btk_buffer *const text = &compiler->sections[BTK_SECTION_NORMAL_FORM_TEXT];
    const struct btk_normal_form form = {
        .id = id, .begin = (uint32_t)text->length, .bytes = (uint32_t)shown.length};
    if (text->length + shown.length > INT32_MAX)
        return btk_compiler_refuse(compiler, "added_tokens", "more than 2 GiB of tokens");
    if (btk_buffer_append(text, shown.data, shown.length) < 0
        || btk_buffer_append(&compiler->sections[BTK_SECTION_NORMAL_FORMS], &form, sizeof form) < 0)
        return btk_compiler_no_memory(compiler);
    return 0;
}

static int append_token(struct btk_compiler *compiler, uint32_t id)
{
    const struct btk_compiler_token token = compiler->tokens[id];
    const struct btk_bytes shown = token.flags & BTK_TOKEN_NORMALIZED ? token.normal : token.text;
    struct btk_token_info info = {.flags = token.flags & ~BTK_COMPILER_TOKEN_OUTSIDE};
    note_length(&compiler->config.token_bytes_max, token.text.length);
    note_length(&compiler->config.shown_bytes_max, shown.length);
    count_spaces(shown, &info);
    if (btk_buffer_append(&compiler->sections[BTK_SECTION_TOKENS], &info, sizeof info) < 0)
        return btk_compiler_no_memory(compiler);
    int status = append_text(compiler, BTK_SECTION_TOKEN_ENDS, BTK_SECTION_TOKEN_TEXT, token.text);
    if (!status && reads_bytes(compiler)) status = append_bytes(compiler, token.text);
    if (!status && (token.flags & BTK_TOKEN_NORMALIZED))
        status = append_normal_form(compiler, id, shown);
    return status;
}

int btk_compile_texts(struct btk_compiler *compiler)
{
    int status = append_end(compiler, BTK_SECTION_TOKEN_ENDS, BTK_SECTION_TOKEN_TEXT);
    if (!status && reads_bytes(compiler))
        status = append_end(compiler, BTK_SECTION_BYTES_ENDS, BTK_SECTION_BYTES_TEXT);
    for (uint32_t id = 0; id < compiler->config.token_count && !status; id++)
        status = append_token(compiler, id);
    return status;
}
