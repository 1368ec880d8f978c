// SPDX-License-Identifier: Apache-2.0
#include "bench/own_texts.h"

#include <string.h>

// From the assembly files that embed_models.py writes.
#define OWN_TEXTS(TEXT)                                                                            \
    TEXT(en) TEXT(de) TEXT(es) TEXT(fr) TEXT(ru) TEXT(ja) TEXT(ko) TEXT(zh) TEXT(code)
#define OWN_GOLDENS(GOLDEN) GOLDEN(wordpiece) GOLDEN(bpe) GOLDEN(unigram) GOLDEN(wordlevel)
#define OWN_MODELS(MODEL)   MODEL(unigram) MODEL(wordlevel)

#define DECLARE_TEXT(name) extern const uint8_t btk_text_##name##_begin[], btk_text_##name##_end[];
#define DECLARE_GOLDEN(name)                                                                       \
    extern const uint8_t btk_golden_##name##_begin[], btk_golden_##name##_end[];
#define DECLARE_MODEL(name)                                                                        \
    extern const uint8_t btk_bench_model_##name##_begin[], btk_bench_model_##name##_end[];
OWN_TEXTS(DECLARE_TEXT)
OWN_GOLDENS(DECLARE_GOLDEN)
OWN_MODELS(DECLARE_MODEL)

struct embedded {
    const char *name;
    const char *file;
    const uint8_t *begin, *end;
};

#define TEXT_ROW(name)   {#name, #name ".txt", btk_text_##name##_begin, btk_text_##name##_end},
#define GOLDEN_ROW(name) {#name, #name ".json", btk_golden_##name##_begin, btk_golden_##name##_end},
#define MODEL_ROW(name)                                                                            \
    {#name, #name ".json", btk_bench_model_##name##_begin, btk_bench_model_##name##_end},
static const struct embedded texts[] = {OWN_TEXTS(TEXT_ROW)};
static const struct embedded goldens[] = {OWN_GOLDENS(GOLDEN_ROW)};
static const struct embedded models[] = {OWN_MODELS(MODEL_ROW)};

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

static bool find(const struct embedded *files, size_t count, const char *name,
                 struct btk_bytes *out_bytes)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].name, name) != 0) continue;
        *out_bytes = bytes_of(&files[i]);
        return true;
    }
    return false;
}

bool btk_own_golden_find(const char *tokenizer, struct btk_bytes *out_json)
{
    return find(goldens, BTK_ARRAY_COUNT(goldens), tokenizer, out_json);
}

bool btk_own_model_find(const char *name, struct btk_bytes *out_json)
{
    return find(models, BTK_ARRAY_COUNT(models), name, out_json);
}
