// SPDX-License-Identifier: Apache-2.0
// pre_tokenizer: one of those that have code of their own, or a list of steps.
#include <string.h>

#include "kernels/pretok/pretok.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/compile/compile_code_map.h"
#include "tokenizer/compile/pretokenizer_steps.h"
#include "tokenizer/compile/regex_compile.h"

// --- Does the model see characters of the byte-level alphabet and no others?

// The last normalizer is ByteLevel: what comes after one might bring other characters in.
static bool normalizes_to_alphabet(const struct btk_json *normalizer, unsigned depth)
{
    struct btk_bytes type;
    if (!btk_json_try_string(btk_json_get(normalizer, "type"), &type) || depth == 100) return false;
    if (btk_bytes_are(type, "ByteLevel")) return true;
    if (!btk_bytes_are(type, "Sequence")) return false;
    const struct btk_json *const members = btk_json_get(normalizer, "normalizers");
    const size_t count = btk_json_count(members);
    return count && normalizes_to_alphabet(btk_json_at(members, count - 1), depth + 1);
}

// Spaces are not of the alphabet, so only a mark that is put before can spoil it.
static bool is_alphabet_after(const struct btk_step *step, bool is_alphabet)
{
    uint8_t byte;
    if (step->kind == BTK_STEP_ALPHABET) return true;
    if (step->kind != BTK_STEP_SPACES || step->numbers[1] == BTK_PREPEND_NEVER) return is_alphabet;
    return is_alphabet && btk_byte_alphabet_try_byte(step->numbers[0], &byte);
}

static bool ends_in_alphabet(const struct btk_compiler *compiler,
                             const struct btk_pretokenizer_steps *list)
{
    bool is_alphabet = normalizes_to_alphabet(btk_json_get(compiler->root, "normalizer"), 0);
    for (uint32_t i = 0; i < list->count; i++)
        is_alphabet = is_alphabet_after(&list->steps[i], is_alphabet);
    return is_alphabet;
}

// A BPE then reads bytes. When nothing but the model looks at the alphabet, it is never made;
// else it is made back into bytes at the end.
static int make_bytes(struct btk_compiler *compiler, struct btk_pretokenizer_steps *list)
{
    compiler->config.flags |= BTK_PIPELINE_MODEL_READS_BYTES;
    if (list->count && list->steps[list->count - 1].kind == BTK_STEP_ALPHABET) {
        list->count--;
        return 0;
    }
    const struct btk_step bytes = {.kind = BTK_STEP_BYTES};
    return btk_pretokenizer_steps_add(compiler, list, bytes, (struct btk_bytes){NULL, 0});
}

// --- What has code of its own

static bool is_split(const struct btk_step *step, uint32_t kind, uint32_t behavior)
{
    return step->kind == kind && step->numbers[0] == behavior && !step->flags;
}

static bool is_bert(const struct btk_pretokenizer_steps *list)
{
    return list->count == 2
           && is_split(&list->steps[0], BTK_STEP_SPLIT_WHITESPACE, BTK_SPLIT_REMOVED)
           && is_split(&list->steps[1], BTK_STEP_SPLIT_PUNCTUATION, BTK_SPLIT_ISOLATED);
}

static bool is_space_prefix(const struct btk_step *step)
{
    return step->kind == BTK_STEP_SPACES && step->numbers[0] == ' ' && !step->flags
           && step->numbers[1] == BTK_PREPEND_ALWAYS;
}

// [a space before] [one pattern], or less.
static bool is_pattern_alone(struct btk_pretokenizer_steps *list, uint32_t *out_flags,
                             uint32_t *out_pattern)
{
    uint32_t at = 0;
    *out_flags = 0;
    *out_pattern = BTK_PATTERN_GPT2;
    if (at < list->count && is_space_prefix(&list->steps[at])) {
        *out_flags |= BTK_PIPELINE_ADD_PREFIX_SPACE;
        at++;
    }
    if (at < list->count && is_split(&list->steps[at], BTK_STEP_SPLIT_PATTERN, BTK_SPLIT_ISOLATED))
    {
        *out_flags |= BTK_PIPELINE_USE_REGEX;
        *out_pattern = list->steps[at].numbers[1];
        at++;
    }
    return at == list->count
           && (*out_pattern == BTK_PATTERN_GPT2 || !(*out_flags & BTK_PIPELINE_ADD_PREFIX_SPACE));
}

// One character of a set, or what the library gets, rewritten.
static int rewrite(struct btk_compiler *compiler, struct btk_step *step, struct btk_bytes pattern,
                   struct btk_buffer *out)
{
    const enum btk_regex_dialect dialect = btk_compiler_dialect(compiler);
    size_t bytes_min;
    if (btk_compile_code_map(pattern, dialect, out, &step->numbers[1], &bytes_min)) {
        step->kind = BTK_STEP_SPLIT_SET;
        return 0;
    }
    const int status = btk_regex_compile(pattern, dialect, out, NULL, compiler->error);
    return status < 0 ? btk_error_prefix(compiler->error, "pre_tokenizer.pattern") : 0;
}

static int emit_step(struct btk_compiler *compiler, struct btk_step step, struct btk_bytes data)
{
    struct btk_buffer rewritten;
    btk_buffer_init(&rewritten);
    int status = 0;
    if (step.kind == BTK_STEP_SPLIT_REGEX) {
        status = rewrite(compiler, &step, data, &rewritten);
        data = (struct btk_bytes){rewritten.data, rewritten.length};
    }
    if (!status)
        status = btk_compiler_add_step(compiler, BTK_SECTION_PRETOKENIZER_STEPS, step, data);
    btk_buffer_clear(&rewritten);
    return status;
}

static int emit(struct btk_compiler *compiler, const struct btk_pretokenizer_steps *list)
{
    compiler->config.pretokenizer = BTK_PRETOKENIZER_STEPS;
    for (uint32_t i = 0; i < list->count; i++) {
        const int status = emit_step(compiler, list->steps[i], list->data[i]);
        if (status < 0) return status;
    }
    return 0;
}

static int choose(struct btk_compiler *compiler, struct btk_pretokenizer_steps *list)
{
    uint32_t flags, pattern;
    if (is_bert(list)) {
        compiler->config.pretokenizer = BTK_PRETOKENIZER_BERT;
        return 0;
    }
    if (!is_pattern_alone(list, &flags, &pattern)) {
        flags = BTK_PIPELINE_USE_REGEX;
        pattern = btk_pretokenizer_steps_recognize(list);
        if (pattern == BTK_PATTERN_COUNT) return emit(compiler, list);
    }
    compiler->config.pretokenizer = BTK_PRETOKENIZER_BYTE_LEVEL;
    compiler->config.pattern = pattern;
    compiler->config.flags |= flags;
    return 0;
}

int btk_compile_pretokenizer(struct btk_compiler *compiler)
{
    const struct btk_json *const object = btk_json_get(compiler->root, "pre_tokenizer");
    struct btk_pretokenizer_steps *const list = btk_arena_allocate(&compiler->arena, sizeof *list);
    if (!list) return btk_compiler_no_memory(compiler);
    list->count = 0;
    int status = btk_pretokenizer_steps_read(compiler, object, list);
    if (!status && compiler->config.model == BTK_MODEL_BPE && ends_in_alphabet(compiler, list))
        status = make_bytes(compiler, list);
    return status < 0 ? status : choose(compiler, list);
}
