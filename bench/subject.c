// SPDX-License-Identifier: Apache-2.0
#include "bench/subject.h"

#include <budtiktok/tokenizer.h>
#include <errno.h>
#include <string.h>

#include "bench/own_texts.h"
#include "tools/open_tokenizer.h"

static const char *const model_names[BTK_BENCH_FAMILIES] = {
    [BTK_BENCH_WORDPIECE] = "WordPiece",
    [BTK_BENCH_BPE] = "BPE",
    [BTK_BENCH_UNIGRAM] = "Unigram",
    [BTK_BENCH_WORDLEVEL] = "WordLevel",
};

void btk_subject_close(struct btk_subject *subject)
{
    btk_tokenizer_close(&subject->tokenizer);
    btk_json_free(subject->own_goldens);
    subject->own_goldens = NULL;
}

static int open_model(const char *name, struct btk_tokenizer **out_tokenizer,
                      struct btk_error *error)
{
    struct btk_bytes json;
    struct btk_error_info info;
    if (!btk_own_model_find(name, &json))
        return btk_open_tokenizer(name, NULL, out_tokenizer, error);
    return btk_tokenizer_open_json(json.data, json.length, out_tokenizer, &info) < 0
               ? btk_error_import(error, &info)
               : 0;
}

int btk_subject_open_own(const struct btk_bench_settings *settings, enum btk_bench family,
                         struct btk_subject *out_subject, struct btk_error *error)
{
    struct btk_bytes text;
    *out_subject = (struct btk_subject){.family = family,
                                        .name = btk_bench_names[family],
                                        .source = settings->reference ? "reference" : "golden",
                                        .goldens = settings->reference};
    int status = 0;
    if (!settings->reference && btk_own_golden_find(out_subject->name, &text)) {
        status = btk_json_parse(text, &out_subject->own_goldens, error);
        out_subject->goldens = out_subject->own_goldens;
    }
    return status ? status : open_model(out_subject->name, &out_subject->tokenizer, error);
}

// Families that --bench names are to be that of the tokenizer; stages are of any.
static int check_family(const struct btk_bench_settings *settings,
                        const struct btk_subject *subject, struct btk_error *error)
{
    const unsigned families = settings->benches & ((1u << BTK_BENCH_FAMILIES) - 1);
    if (!families || families & (1u << subject->family)) return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: --bench %s is what fits it",
                         subject->name, btk_bench_names[subject->family]);
}

static int open_file(const struct btk_bench_settings *settings, struct btk_subject *subject,
                     struct btk_error *error)
{
    const char *const slash = strrchr(settings->tokenizer, '/');
    *subject = (struct btk_subject){.name = slash ? slash + 1 : settings->tokenizer,
                                    .source = "reference",
                                    .goldens = settings->reference};
    const int status = btk_open_tokenizer(settings->tokenizer, NULL, &subject->tokenizer, error);
    if (status < 0) return status;
    struct btk_tokenizer_info info;
    btk_tokenizer_info(subject->tokenizer, &info);
    for (unsigned i = 0; i < BTK_BENCH_FAMILIES; i++)
        if (strcmp(info.model, model_names[i]) == 0) subject->family = i;
    return 0;
}

int btk_subject_open_named(const struct btk_bench_settings *settings,
                           struct btk_subject *out_subject, struct btk_error *error)
{
    unsigned family = 0;
    while (family < BTK_BENCH_FAMILIES && strcmp(settings->tokenizer, btk_bench_names[family]) != 0)
        family++;
    const int status = family < BTK_BENCH_FAMILIES
                           ? btk_subject_open_own(settings, family, out_subject, error)
                           : open_file(settings, out_subject, error);
    return status < 0 ? status : check_family(settings, out_subject, error);
}
