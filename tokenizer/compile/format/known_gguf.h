// SPDX-License-Identifier: Apache-2.0
// The pre-tokenizers that GGUF files name in tokenizer.ggml.pre, as llama.cpp has them.
#pragma once

#include <stdbool.h>

#include "common/base.h"

enum { BTK_GGUF_PATTERNS_MAX = 5 };

struct btk_known_gguf {
    const char *const *names; // end with NULL
    // One after the other, each isolates its matches in what the ones before left; end with NULL.
    const char *patterns[BTK_GGUF_PATTERNS_MAX + 1];
    bool ignores_merges; // a piece that is a token is that token
    bool adds_bos;       // unless the file says otherwise
};

// NULL: not known.
const struct btk_known_gguf *btk_known_gguf_find(struct btk_bytes name);
extern const char btk_known_gguf_names[]; // for messages
