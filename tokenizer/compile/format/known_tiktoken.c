// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/format/known_tiktoken.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATTERN_GPT2                                                                               \
    "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s"
#define PATTERN_CL100K                                                                             \
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+|"                          \
    " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s"
#define PATTERN_O200K                                                                              \
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"                                  \
    "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"                                 \
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"                                  \
    "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"                                 \
    "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define PATTERN_LLAMA3                                                                             \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"                      \
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define PATTERN_QWEN                                                                               \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"                           \
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

struct named {
    const char *text;
    uint32_t id;
};

static int append(struct btk_arena *arena, struct btk_buffer *out, const char *text, uint32_t id)
{
    const char *const copy =
        btk_arena_copy(arena, (struct btk_bytes){(const uint8_t *)text, strlen(text)});
    if (!copy) return -ENOMEM;
    const struct btk_compile_special special = {{(const uint8_t *)copy, strlen(text)}, id};
    return btk_buffer_append(out, &special, sizeof special);
}

static int append_all(struct btk_arena *arena, struct btk_buffer *out, const struct named *named,
                      size_t count)
{
    int status = 0;
    for (size_t i = 0; i < count && !status; i++)
        status = append(arena, out, named[i].text, named[i].id);
    return status;
}

// `format` has one %u, which counts from `number` on.
static int append_numbered(struct btk_arena *arena, struct btk_buffer *out, const char *format,
                           uint32_t number, uint32_t first_id, uint32_t count)
{
    int status = 0;
    for (uint32_t i = 0; i < count && !status; i++) {
        char text[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, format, number + i);
#pragma GCC diagnostic pop
        status = append(arena, out, text, first_id + i);
    }
    return status;
}

static int specials_r50k(struct btk_arena *arena, struct btk_buffer *out)
{
    return append(arena, out, "<|endoftext|>", 50256);
}

static int specials_cl100k(struct btk_arena *arena, struct btk_buffer *out)
{
    static const struct named named[] = {{"<|endoftext|>", 100257},
                                         {"<|fim_prefix|>", 100258},
                                         {"<|fim_middle|>", 100259},
                                         {"<|fim_suffix|>", 100260},
                                         {"<|endofprompt|>", 100276}};
    return append_all(arena, out, named, BTK_ARRAY_COUNT(named));
}

static int specials_o200k(struct btk_arena *arena, struct btk_buffer *out)
{
    static const struct named named[] = {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}};
    return append_all(arena, out, named, BTK_ARRAY_COUNT(named));
}

// As Llama 3.1 has them: the reserved ones fill all places up to 128255.
static int specials_llama3(struct btk_arena *arena, struct btk_buffer *out)
{
    static const struct named named[] = {{"<|begin_of_text|>", 128000},
                                         {"<|end_of_text|>", 128001},
                                         {"<|start_header_id|>", 128006},
                                         {"<|end_header_id|>", 128007},
                                         {"<|eot_id|>", 128009}};
    static const char reserved[] = "<|reserved_special_token_%u|>";
    int status = append_all(arena, out, named, BTK_ARRAY_COUNT(named));
    if (!status) status = append_numbered(arena, out, reserved, 0, 128002, 4);
    if (!status) status = append_numbered(arena, out, reserved, 4, 128008, 1);
    if (!status) status = append_numbered(arena, out, reserved, 5, 128010, 246);
    return status;
}

static int specials_qwen(struct btk_arena *arena, struct btk_buffer *out)
{
    static const struct named named[] = {
        {"<|endoftext|>", 151643}, {"<|im_start|>", 151644}, {"<|im_end|>", 151645}};
    const int status = append_all(arena, out, named, BTK_ARRAY_COUNT(named));
    return status < 0 ? status : append_numbered(arena, out, "<|extra_%u|>", 0, 151646, 205);
}

// Languages, then tasks, then a time stamp for every fiftieth of a second up to 30.
static int specials_whisper(struct btk_arena *arena, struct btk_buffer *out)
{
    static const char languages[] =
        "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no "
        "th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw "
        "gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl "
        "mg as tt haw ln ha ba jw su";
    static const char *const tasks[] = {"translate",   "transcribe", "startoflm",
                                        "startofprev", "nospeech",   "notimestamps"};
    uint32_t id = 50257;
    char text[64];
    int status = append(arena, out, "<|endoftext|>", id++);
    if (!status) status = append(arena, out, "<|startoftranscript|>", id++);
    for (const char *at = languages; *at && !status; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        snprintf(text, sizeof text, "<|%.*s|>", (int)length, at);
        status = append(arena, out, text, id++);
        at += length;
    }
    for (size_t i = 0; i < BTK_ARRAY_COUNT(tasks) && !status; i++) {
        snprintf(text, sizeof text, "<|%s|>", tasks[i]);
        status = append(arena, out, text, id++);
    }
    for (uint32_t stamp = 0; stamp <= 1500 && !status; stamp++) {
        snprintf(text, sizeof text, "<|%u.%02u|>", stamp / 50, stamp % 50 * 2);
        status = append(arena, out, text, id++);
    }
    return status;
}

static const struct btk_known_tiktoken known[] = {
    {"r50k_base", 50256, PATTERN_GPT2, specials_r50k},
    {"gpt2", 50256, PATTERN_GPT2, specials_r50k},
    {"p50k_base", 50280, PATTERN_GPT2, specials_r50k},
    {"cl100k_base", 100256, PATTERN_CL100K, specials_cl100k},
    {"o200k_base", 199998, PATTERN_O200K, specials_o200k},
    {"llama3", 128000, PATTERN_LLAMA3, specials_llama3},
    {"qwen", 151643, PATTERN_QWEN, specials_qwen},
    {"whisper_multilingual", 50257, PATTERN_GPT2, specials_whisper},
    {"multilingual", 50257, PATTERN_GPT2, specials_whisper},
};

const struct btk_known_tiktoken *btk_known_tiktoken_file(struct btk_bytes name,
                                                         uint32_t token_count)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known); i++)
        if (known[i].token_count == token_count && btk_bytes_are(name, known[i].name))
            return &known[i];
    return NULL;
}

const char *btk_known_tiktoken_pattern(struct btk_bytes name)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known); i++)
        if (btk_bytes_are(name, known[i].name)) return known[i].pattern;
    return NULL;
}
