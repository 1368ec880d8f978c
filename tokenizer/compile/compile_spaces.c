// SPDX-License-Identifier: Apache-2.0
// The normalizer of a SentencePiece model: one step that knows its charsmap, its spaces, and the
// user-defined symbols that it leaves alone (normalizer/steps.h, SENTENCEPIECE).
#include <stdlib.h>
#include <string.h>

#include "tokenizer/compile/compiler.h"
#include "tokenizer/normalizer/steps.h"

static int append(struct btk_compiler *compiler, struct btk_buffer *data, const void *bytes,
                  size_t length)
{
    return btk_buffer_append(data, bytes, length) < 0 ? btk_compiler_no_memory(compiler) : 0;
}

static int compare_texts(const void *a, const void *b)
{
    const struct btk_bytes *const left = a, *const right = b;
    const int order = memcmp(left->data, right->data, btk_min_size(left->length, right->length));
    return order ? order : (left->length > right->length) - (left->length < right->length);
}

// The ends of the user-defined symbols, then their texts.
static int append_symbols(struct btk_compiler *compiler, struct btk_buffer *data,
                          uint32_t *out_count)
{
    const struct btk_format *const format = compiler->format;
    struct btk_bytes *const texts =
        btk_arena_allocate(&compiler->arena, (format->token_count + 1ull) * sizeof *texts);
    if (!texts) return btk_compiler_no_memory(compiler);
    uint32_t count = 0, end = 0;
    const bool has_symbols = !format->sentencepiece.is_llama_cpp;
    for (uint32_t id = 0; has_symbols && id < format->token_count; id++)
        if (format->tokens[id].kind == BTK_FORMAT_TOKEN_USER_DEFINED)
            texts[count++] = format->tokens[id].text;
    qsort(texts, count, sizeof *texts, compare_texts);
    int status = 0;
    for (uint32_t i = 0; i < count && !status; i++) {
        end += (uint32_t)texts[i].length;
        status = append(compiler, data, &end, sizeof end);
    }
    for (uint32_t i = 0; i < count && !status; i++)
        status = append(compiler, data, texts[i].data, texts[i].length);
    *out_count = count;
    return status;
}

int btk_compile_spaces(struct btk_compiler *compiler, const struct btk_format_spaces *spaces,
                       bool is_suffix)
{
    struct btk_compiler_charsmap charsmap = {.growth = 1};
    struct btk_buffer data;
    uint32_t symbol_count = 0;
    btk_buffer_init(&data);
    int status = 0;
    if (spaces->charsmap.length)
        status = btk_compiler_read_charsmap(compiler, spaces->charsmap, "normalizer_spec", true,
                                            &charsmap);
    if (!status)
        status =
            append(compiler, &data, charsmap.units, charsmap.unit_count * sizeof *charsmap.units);
    if (!status) status = append_symbols(compiler, &data, &symbol_count);
    if (!status) status = append(compiler, &data, charsmap.texts.data, charsmap.texts.length);
    const struct btk_step step = {
        .kind = BTK_NORMALIZER_STEP_SENTENCEPIECE,
        .flags = (spaces->adds_dummy_prefix ? BTK_NORMALIZER_ADDS_SPACE : 0u)
                 | (spaces->removes_extra ? BTK_NORMALIZER_REMOVES_SPACES : 0u)
                 | (spaces->escapes ? BTK_NORMALIZER_ESCAPES_SPACES : 0u)
                 | (compiler->format->sentencepiece.is_llama_cpp ? BTK_NORMALIZER_KEEPS_MARKS : 0u)
                 | (is_suffix ? BTK_NORMALIZER_SPACE_IS_SUFFIX : 0u),
        .numbers = {charsmap.unit_count, charsmap.growth, symbol_count},
    };
    if (!status)
        status = btk_compiler_add_step(compiler, BTK_SECTION_NORMALIZER_STEPS, step,
                                       (struct btk_bytes){data.data, data.length});
    btk_buffer_clear(&data);
    return status;
}
