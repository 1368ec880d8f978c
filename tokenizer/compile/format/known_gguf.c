// SPDX-License-Identifier: Apache-2.0
// Source: llama_vocab::impl::load() and llm_tokenizer_bpe() of llama.cpp (src/llama-vocab.cpp), read at
// what llama-cpp-python 0.3.36 ships; unicode_regex_split() of src/unicode.cpp says what they mean:
// \p{Lu} and its like are all letters there, white space is Unicode's, and is in no class of a pattern
// without properties that does not say so (as \S in ours). Only those stand here that
// gave the same ids as llama.cpp for every code point (tests/differential/gguf_models.py).
#include "tokenizer/compile/format/known_gguf.h"

#define GPT2   "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define SUFFIX "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define ENDING "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LLAMA3 SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" ENDING
#define QWEN2  SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" ENDING

static const char *const gpt2_names[] = {
    "gpt-2",   "phi-2",    "gigachat", "a.x-4.0", "mellum",          "mpt", "olmo", "jais",
    "exaone4", "trillion", "jina-es",  "jina-de", "granite-docling", NULL};
static const char *const llama3_names[] = {
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", NULL};
static const char *const dbrx_names[] = {"dbrx", "smaug-bpe", NULL};
static const char *const qwen2_names[] = {
    "qwen2",   "deepseek-r1-qwen", "kormo",  "f2llmv2",    "stablelm2",
    "hunyuan", "megrez",           "grok-2", "solar-open", NULL};
static const char *const qwen35_names[] = {"qwen35", NULL};
static const char *const starcoder_names[] = {"starcoder",  "refact",    "command-r",
                                              "smollm",     "codeshell", "exaone",
                                              "minerva-7b", "mellum2",   NULL};
static const char *const falcon_names[] = {"falcon", NULL};
static const char *const deepseek_coder_names[] = {"deepseek-coder", NULL};
static const char *const deepseek3_names[] = {"deepseek-v3", "hunyuan-dense", "joyai-llm", NULL};
static const char *const glm4_names[] = {"glm4", "glm5", NULL};
static const char *const chatglm_names[] = {"chatglm-bpe", NULL};
static const char *const tekken_names[] = {"tekken", NULL};
static const char *const gpt4o_names[] = {"gpt-4o", "llama4", "kanana2", "minimax-m2", NULL};
static const char *const bloom_names[] = {"bloom", "poro-chat", "gpt3-finnish", NULL};
static const char *const viking_names[] = {"viking", NULL};
static const char *const seed_coder_names[] = {"seed-coder", NULL};
static const char *const ufakzeka_names[] = {"ufakzeka", NULL};
static const char *const default_names[] = {"default", NULL};

#define LOWERED "((?=\\p{L})[^A-Z])"
#define RAISED  "((?=\\p{L})[^a-z])"
#define WORD_OF_TEKKEN(suffix)                                                                     \
    "[^\\r\\n\\p{L}\\p{N}]?" RAISED "*" LOWERED "+" suffix "|[^\\r\\n\\p{L}\\p{N}]?" RAISED        \
    "+" LOWERED "*" suffix
#define END_OF_TEKKEN "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define BLOOM         " ?[^(\\s|.,!?…。，、।۔،)]+"

static const struct btk_known_gguf known[] = {
    {gpt2_names, {GPT2}, false, false},
    {llama3_names, {LLAMA3}, true, true},
    {dbrx_names, {LLAMA3}, false, false},
    {chatglm_names, {LLAMA3}, false, false},
    {glm4_names, {LLAMA3}, true, false},
    {qwen2_names, {QWEN2}, false, false},
    {qwen35_names,
     {SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
             "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
     false,
     false},
    {starcoder_names, {"\\p{N}", GPT2}, false, false},
    {falcon_names, {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]"}, false, false},
    {deepseek_coder_names,
     {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[[一-龥ࠀ-一가-퟿]&&\\S]+", "\\p{N}"},
     false,
     false},
    {deepseek3_names,
     {"\\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?"
      "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
     false,
     false},
    {tekken_names, {WORD_OF_TEKKEN("") "|\\p{N}" END_OF_TEKKEN}, true, true},
    {gpt4o_names, {WORD_OF_TEKKEN(SUFFIX "?") "|\\p{N}{1,3}" END_OF_TEKKEN}, false, false},
    {bloom_names, {BLOOM}, false, false},
    {viking_names, {BLOOM, "\\p{N}"}, false, false},
    {seed_coder_names,
     {SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|\\s*[\\r\\n]+"
             "|\\s+(?!\\S)|\\s+"},
     false,
     false},
    {ufakzeka_names, {"[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" ENDING}, false, false},
    {default_names,
     {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]"},
     false,
     false},
};

const char btk_known_gguf_names[] =
    "default, gpt-2, llama-bpe, qwen2, qwen35, starcoder, falcon, deepseek-coder, deepseek-v3, "
    "chatglm-bpe, glm4, tekken, gpt-4o, bloom, viking, seed-coder, dbrx and those of the same "
    "patterns";

static bool is_one_of(const char *const *names, struct btk_bytes name)
{
    for (; *names; names++)
        if (btk_bytes_are(name, *names)) return true;
    return false;
}

const struct btk_known_gguf *btk_known_gguf_find(struct btk_bytes name)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known); i++)
        if (is_one_of(known[i].names, name)) return &known[i];
    return NULL;
}
