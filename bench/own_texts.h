// SPDX-License-Identifier: Apache-2.0
// The texts of bench/texts, the models of bench/models and the reference's digests, inside the program:
// benchmarks find what they need wherever they are installed.
#pragma once

#include <stdbool.h>

#include "common/base.h"

struct btk_own_text {
    const char *name; // "en"
    const char *file; // "en.txt"
    struct btk_bytes bytes;
};

// By index, English first. False past the last; *out_text is untouched then.
bool btk_own_text_get(size_t index, struct btk_own_text *out_text);

// By name or by file name. False: there is none.
bool btk_own_text_find(const char *name, struct btk_own_text *out_text);

// The digests (JSON, bench/goldens/README.md) of the embedded tokenizer of that name. False: none.
bool btk_own_golden_find(const char *tokenizer, struct btk_bytes *out_json);

// The tokenizer.json of bench/models of that name, for families of which none is built in. False: none.
bool btk_own_model_find(const char *name, struct btk_bytes *out_json);
