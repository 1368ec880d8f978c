// SPDX-License-Identifier: Apache-2.0
// THE list of patterns: PATTERN(name, NAME, source).
//
// gpt2  OpenAI's GPT-2, encoder.py; in the reference pre_tokenizers/byte_level.rs:
//       's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//       All text falls into pieces. Classes: Oniguruma with Unicode 16.
// bert  the reference's pre_tokenizers/bert.rs: white space separates and is no piece, each
//       punctuation character is a piece, what is between is one.
//
// The others are known by the regular expressions, and sequences of them, in pattern_sources.h. All
// text falls into pieces: what no alternative matches is a piece too, as it is for the reference's
// Split (Isolated). clip alone leaves something out, the white space, and falcon alone cuts within
// characters.
//
// The family of gpt2 is in words_list.h, the others in the files of their names.
#pragma once

#define BTK_PATTERN_LIST(PATTERN)                                                                  \
    PATTERN(gpt2, GPT2, "GPT-2")                                                                   \
    PATTERN(bert, BERT, "BertPreTokenizer")                                                        \
    PATTERN(cl100k, CL100K, "Llama 3")                                                             \
    PATTERN(cl100k_base, CL100K_BASE, "tiktoken's cl100k_base")                                    \
    PATTERN(cl100k_long_numbers, CL100K_LONG_NUMBERS, "Llama 3 with numbers of any length")        \
    PATTERN(cl100k_base_long_numbers, CL100K_BASE_LONG_NUMBERS,                                    \
            "tiktoken's cl100k_base as Oniguruma reads it")                                        \
    PATTERN(minicpm5, MINICPM5, "MiniCPM5")                                                        \
    PATTERN(qwen2, QWEN2, "Qwen2")                                                                 \
    PATTERN(qwen2_without_contractions, QWEN2_WITHOUT_CONTRACTIONS, "Qwen2 without contractions")  \
    PATTERN(seed_coder, SEED_CODER, "Seed-Coder")                                                  \
    PATTERN(qwen35, QWEN35, "Qwen3.5")                                                             \
    PATTERN(o200k, O200K, "o200k_base")                                                            \
    PATTERN(tekken, TEKKEN, "Mistral's tekken")                                                    \
    PATTERN(kimi, KIMI, "Kimi K2")                                                                 \
    PATTERN(deepseek3, DEEPSEEK3, "DeepSeek V3")                                                   \
    PATTERN(deepseek_coder, DEEPSEEK_CODER, "DeepSeek Coder")                                      \
    PATTERN(starcoder, STARCODER, "StarCoder")                                                     \
    PATTERN(falcon, FALCON, "Falcon")                                                              \
    PATTERN(bloom, BLOOM, "BLOOM")                                                                 \
    PATTERN(clip, CLIP, "CLIP")
