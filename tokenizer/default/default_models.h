// SPDX-License-Identifier: Apache-2.0

// The two tokenizers that every program carries, so that nothing has to be found first.
//
// They are whole tokenizer.json files inside the program's read-only data: pages that nobody reads
// are never loaded. README.md says from which texts they come and under which licences.
#ifndef BTK_TOKENIZER_DEFAULT_DEFAULT_MODELS_H
#define BTK_TOKENIZER_DEFAULT_DEFAULT_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btk_default_model {
    const char *name;    // what --tokenizer takes: "wordpiece" or "bpe"
    const uint8_t *json; // lives as long as the program; json[json_bytes] is NUL
    size_t json_bytes;
};

// The models by index, the first being what is used when nothing is named. False past the last;
// `out_model` is untouched then.
bool btk_default_model_get(size_t index, struct btk_default_model *out_model);

// The model of that name. False when there is none; `out_model` is untouched then.
bool btk_default_model_find(const char *name, struct btk_default_model *out_model);

#endif
