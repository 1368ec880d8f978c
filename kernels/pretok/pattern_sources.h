// SPDX-License-Identifier: Apache-2.0
// THE list of regular expressions that are known to mean a pattern: SOURCE(pattern, dialect, text).
//
// Dialects: ONIGURUMA for "Split" in tokenizer.json, TIKTOKEN for encodings (Rust's fancy-regex).
// tests/differential/patterns.py holds each line against the live engine of its dialect. Both have
// the classes of Unicode 16, and take U+017F for an s where case is ignored. They differ in
// \p{N}{1,3}+: possessive for Rust, once or more often for Oniguruma.
//
// Every character of a text falls into a match, but for bloom; there the rest are pieces too. Line
// ends may stand in a source as themselves or escaped, which is the same.
#pragma once

// What several sources begin or end with.
#define BTK_SOURCE_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BTK_SOURCE_SPACES       "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

// Which tokenizers have each, and where the text is from:
// gpt2            GPT-2; tiktoken's r50k, p50k (tiktoken_ext/openai_public.py); Whisper
//                 (openai/whisper, tokenizer.py)
// cl100k          Llama 3, GLM-4, OLMo 3, DBRX, GPT-4's tokenizer.json; before 0.8 tiktoken's own
// cl100k_base     tiktoken_ext/openai_public.py since 0.8; as tokenizer.json it means another thing
// cl100k_long_numbers  the second Split of MiniCPM5 (llama.cpp, src/llama-vocab.cpp)
// qwen2           Qwen to Qwen3, StableLM 2, Grok 2; with [\r\n] for [\r\n]+ Ling (llama.cpp)
// qwen2_without_contractions  Ufakzeka (llama.cpp)
// qwen35          Qwen3.5 (tokenizer.json as quoted in llama.cpp)
// seed_coder      Seed-Coder (tokenizer.json as quoted in llama.cpp)
// o200k           tiktoken_ext/openai_public.py; gpt-oss (o200k_harmony), Llama 4, MiniMax M2
// tekken          Mistral Nemo and later, Nemotron
// kimi            Kimi K2 (tokenization_kimi.py of moonshotai/Kimi-K2-Instruct)
#define BTK_SOURCE_LIST(SOURCE)                                                                    \
    SOURCE(gpt2, ONIGURUMA,                                                                        \
           "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+")   \
    SOURCE(                                                                                        \
        gpt2, TIKTOKEN,                                                                            \
        "'s|'t|'re|'ve|'m|'ll|'d| ?[\\p{L}]+| ?[\\p{N}]+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+")  \
    SOURCE(gpt2, TIKTOKEN,                                                                         \
           "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$"              \
           "|\\s+(?!\\S)|\\s")                                                                     \
    SOURCE(gpt2, ONIGURUMA,                                                                        \
           "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$"              \
           "|\\s+(?!\\S)|\\s")                                                                     \
    SOURCE(cl100k, ONIGURUMA,                                                                      \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"                    \
                                   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)           \
    SOURCE(cl100k, TIKTOKEN,                                                                       \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"                    \
                                   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)           \
    SOURCE(cl100k, TIKTOKEN,                                                                       \
           "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"                      \
           "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+")                       \
    SOURCE(cl100k, ONIGURUMA,                                                                      \
           "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"                      \
           "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+")                       \
    SOURCE(cl100k_base, TIKTOKEN,                                                                  \
           "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"                    \
           "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s")                \
    SOURCE(cl100k_base_long_numbers, ONIGURUMA,                                                    \
           "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"                    \
           "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s")                \
    SOURCE(cl100k_long_numbers, ONIGURUMA,                                                         \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+"                        \
                                   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)           \
    SOURCE(qwen2, ONIGURUMA,                                                                       \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"                         \
                                   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)           \
    SOURCE(qwen2, TIKTOKEN,                                                                        \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"                         \
                                   "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)           \
    SOURCE(qwen2, ONIGURUMA,                                                                       \
           "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}"                           \
           "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+")                       \
    SOURCE(qwen2_without_contractions, ONIGURUMA,                                                  \
           "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"                   \
           "|" BTK_SOURCE_SPACES)                                                                  \
    SOURCE(qwen35, ONIGURUMA,                                                                      \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}"                 \
                                   "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)     \
    SOURCE(seed_coder, ONIGURUMA,                                                                  \
           BTK_SOURCE_CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}"                      \
                                   "| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" BTK_SOURCE_SPACES)              \
    SOURCE(o200k, ONIGURUMA,                                                                       \
           "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"                           \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" BTK_SOURCE_CONTRACTIONS "?"                            \
           "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"                          \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" BTK_SOURCE_CONTRACTIONS "?"                            \
           "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BTK_SOURCE_SPACES)                      \
    SOURCE(o200k, TIKTOKEN,                                                                        \
           "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"                           \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" BTK_SOURCE_CONTRACTIONS "?"                            \
           "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"                          \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" BTK_SOURCE_CONTRACTIONS "?"                            \
           "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BTK_SOURCE_SPACES)                      \
    SOURCE(tekken, ONIGURUMA,                                                                      \
           "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"                           \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?"                                 \
           "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"                   \
           "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BTK_SOURCE_SPACES)                           \
    SOURCE(tekken, TIKTOKEN,                                                                       \
           "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"                           \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?"                                 \
           "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"                   \
           "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" BTK_SOURCE_SPACES)                           \
    SOURCE(kimi, TIKTOKEN,                                                                         \
           "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*"  \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+" BTK_SOURCE_CONTRACTIONS "?"               \
           "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+"             \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*" BTK_SOURCE_CONTRACTIONS "?"               \
           "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)                       \
    SOURCE(kimi, ONIGURUMA,                                                                        \
           "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*"  \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+" BTK_SOURCE_CONTRACTIONS "?"               \
           "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+"             \
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*" BTK_SOURCE_CONTRACTIONS "?"               \
           "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" BTK_SOURCE_SPACES)                       \
    SOURCE(bloom, ONIGURUMA, " ?[^(\\s|[.,!?…。，、।۔،])]+")

// Sequences of pre-tokenizers that are known to mean a pattern: SEQUENCE(pattern, steps), each step
// STEP(kind, text). A ByteLevel without use_regex behind them changes nothing and is not listed; one
// with it is BYTE_LEVEL and adds no prefix space.
//
// SPLIT        a Split by the expression: Isolated, not inverted
// MATCHES      a Split by the expression: Removed, inverted
// DIGITS       "individual" or "contiguous"
// PUNCTUATION  its behavior
//
// minicpm5        openbmb/MiniCPM5-1B (llama.cpp, src/llama-vocab.cpp)
// deepseek3       DeepSeek V3, R1, V4; Hunyuan dense (llama.cpp)
// deepseek_coder  deepseek-ai/deepseek-coder
// starcoder       StarCoder, SmolLM, Command R, Granite code
// falcon          tiiuae/falcon-7b
// clip            openai/clip-vit-base-patch32
#define BTK_SEQUENCE_LIST(SEQUENCE, STEP)                                                          \
    SEQUENCE(minicpm5, STEP(SPLIT, "\\p{N}{1,3}") STEP(                                            \
                           SPLIT, BTK_SOURCE_CONTRACTIONS                                          \
                           "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" \
                           "|" BTK_SOURCE_SPACES))                                                 \
    SEQUENCE(deepseek3, STEP(SPLIT, "\\p{N}{1,3}") STEP(SPLIT, "[一-龥぀-ゟ゠-ヿ]+")         \
                            STEP(SPLIT, "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"    \
                                        "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"               \
                                        "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")) \
    SEQUENCE(deepseek_coder,                                                                       \
             STEP(SPLIT, "[\r\n]") STEP(SPLIT, "\\s?\\p{L}+") STEP(SPLIT, "\\s?\\p{P}+")           \
                 STEP(SPLIT, "[一-龥ࠀ-一가-퟿]+") STEP(DIGITS, "individual"))               \
    SEQUENCE(starcoder, STEP(DIGITS, "individual") STEP(BYTE_LEVEL, ""))                           \
    SEQUENCE(falcon, STEP(PUNCTUATION, "contiguous") STEP(BYTE_LEVEL, "")                          \
                         STEP(DIGITS, "contiguous") STEP(SPLIT, "[0-9][0-9][0-9]"))                \
    SEQUENCE(clip, STEP(MATCHES, "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d"   \
                                 "|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+") STEP(BYTE_LEVEL, ""))
