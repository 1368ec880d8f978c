// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/default/default_models.h"

#include <string.h>

// From the assembly file that embed_models.py writes.
extern const uint8_t btk_default_wordpiece_begin[];
extern const uint8_t btk_default_wordpiece_end[];
extern const uint8_t btk_default_bpe_begin[];
extern const uint8_t btk_default_bpe_end[];

static const struct {
    const char *name;
    const uint8_t *begin, *end;
} models[] = {
    {"wordpiece", btk_default_wordpiece_begin, btk_default_wordpiece_end},
    {"bpe", btk_default_bpe_begin, btk_default_bpe_end},
};

bool btk_default_model_get(size_t index, struct btk_default_model *out_model)
{
    if (index >= sizeof models / sizeof models[0]) return false;
    *out_model = (struct btk_default_model){
        .name = models[index].name,
        .json = models[index].begin,
        .json_bytes = (size_t)(models[index].end - models[index].begin),
    };
    return true;
}

bool btk_default_model_find(const char *name, struct btk_default_model *out_model)
{
    struct btk_default_model model;
    for (size_t i = 0; btk_default_model_get(i, &model); i++) {
        if (strcmp(model.name, name) == 0) {
            *out_model = model;
            return true;
        }
    }
    return false;
}
