// SPDX-License-Identifier: Apache-2.0
// The .tiktoken files that everybody has: a file says neither its pattern nor its special tokens.
//
// Sources: tiktoken_ext/openai_public.py of tiktoken; tokenizer.json of Llama 3.1; Qwen's
// tokenization_qwen.py; Whisper's tokenizer.py. Facts of those models, in our own form.
#pragma once

#include "tokenizer/compile/format/format.h"

struct btk_known_tiktoken {
    const char *name;     // of the file, and of its pattern for --pattern
    uint32_t token_count; // lines of the file
    const char *pattern;
    // Appends the special tokens to a buffer of struct btk_compile_special; -ENOMEM.
    int (*append_specials)(struct btk_arena *arena, struct btk_buffer *out_specials);
};

// The file of this name with so many tokens; NULL: not known.
const struct btk_known_tiktoken *btk_known_tiktoken_file(struct btk_bytes name,
                                                         uint32_t token_count);

// The pattern of a name; NULL: it is none.
const char *btk_known_tiktoken_pattern(struct btk_bytes name);
