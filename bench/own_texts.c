// SPDX-License-Identifier: Apache-2.0
#include "bench/own_texts.h"

#include <string.h>

// From the assembly files that embed_models.py writes.
#define OWN_TEXTS(TEXT)                                                                            \
    TEXT(en) TEXT(de) TEXT(es) TEXT(fr) TEXT(ru) TEXT(ja) TEXT(ko) TEXT(zh) TEXT(code)
#define OWN_GOLDENS(GOLDEN) GOLDEN(wordpiece) GOLDEN(bpe)

#define DECLARE_TEXT(name) extern const uint8_t btk_text_##name##_begin[], btk_text_##name##_end[];
#define DECLARE_GOLDEN(name)                                                                       \
    extern const uint8_t btk_golden_##name##_begin[], btk_golden_##name##_end[];
OWN_TEXTS(DECLARE_TEXT)
OWN_GOLDENS(DECLARE_GOLDEN)

struct embedded {
    const char *name;
    const char *file;
    const uint8_t *begin, *end;
};

#define TEXT_ROW(name)   {#name, #name ".txt", btk_text_##name##_begin, btk_text_##name##_end},
#define GOLDEN_ROW(name) {#name, #name ".json", btk_golden_##name##_begin, btk_golden_##name##_end},
static const struct embedded texts[] = {OWN_TEXTS(TEXT_ROW)};
static const struct embedded goldens[] = {OWN_GOLDENS(GOLDEN_ROW)};

static struct btk_bytes bytes_of(const struct embedded *file)
{
    return (struct btk_bytes){file->begin, (size_t)(file->end - file->begin)};
}

bool btk_own_text_get(size_t index, struct btk_own_text *out_text)
{
    if (index >= BTK_ARRAY_COUNT(texts)) return false;
    *out_text =
        (struct btk_own_text){texts[index].name, texts[index].file, bytes_of(&texts[index])};
    return true;
}

bool btk_own_text_find(const char *name, struct btk_own_text *out_text)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++)
        if (strcmp(texts[i].name, name) == 0 || strcmp(texts[i].file, name) == 0)
            return btk_own_text_get(i, out_text);
    return false;
}

bool btk_own_golden_find(const char *tokenizer, struct btk_bytes *out_json)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(goldens); i++) {
        if (strcmp(goldens[i].name, tokenizer) != 0) continue;
        *out_json = bytes_of(&goldens[i]);
        return true;
    }
    return false;
}
