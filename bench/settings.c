// SPDX-License-Identifier: Apache-2.0
#include "bench/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cut.h"
#include "bench/measure.h"
#include "kernels/kernels.h"

enum { CHUNK_BYTES_MAX = 1 << 30, SIMD_REPEAT = 5 };

const char *const btk_bench_names[] = {"wordpiece",  "bpe",          "unigram", "wordlevel",
                                       "normalizer", "pretokenizer", "decode",  "kernels",
                                       "ring",       "memory",       "all",     NULL};
const char *const btk_bench_mode_names[] = {"cold", "warm", "whole", "batch", "lines", NULL};

static const char *const field_names[] = {
    "ids", "offsets", "type_ids", "word_ids", "special_tokens_mask", "all", NULL};
enum { FIELD_IDS = 1 << 0, FIELD_OFFSETS = 1 << 1, FIELD_ALL = 1 << 5 };

// What stands on the command line, as text.
struct given {
    const char *bench, *tokenizer, *input, *mode, *chunk, *reference, *repeat, *threads, *offsets,
        *fields, *simd, *save_baseline, *baseline, *max_regression, *json;
};

// The names of the set, as in --fields.
static void name_fields(struct btk_bench_settings *settings, unsigned set)
{
    size_t used = 0;
    for (unsigned i = 0; field_names[i]; i++) {
        if (!(set & (1u << i))) continue;
        used += (size_t)snprintf(settings->fields_text + used, sizeof settings->fields_text - used,
                                 "%s%s", used ? "," : "", field_names[i]);
    }
}

static int read_fields(const struct given *given, struct btk_bench_settings *settings,
                       struct btk_error *error)
{
    unsigned set = 0;
    const int status = btk_arguments_set("fields", given->fields, field_names, &set, error);
    if (status < 0) return status;
    if (given->offsets) set |= FIELD_OFFSETS;
    if (set & FIELD_ALL) set = FIELD_ALL - 1;
    set |= FIELD_IDS;
    settings->fields = set >> 1;
    name_fields(settings, set);
    return 0;
}

static int add_set(struct btk_bench_settings *settings, const char *name, struct btk_error *error)
{
    const struct btk_kernels *kernels;
    const int status = btk_kernels_select(name, &kernels, error);
    if (status < 0) return btk_error_prefix(error, "--simd");
    for (unsigned i = 0; i < settings->set_count; i++)
        if (settings->sets[i] == kernels->name) return 0;
    settings->sets[settings->set_count++] = kernels->name;
    return 0;
}

// Best first; the scalar one, which all are compared with, last.
static int read_sets(const char *text, struct btk_bench_settings *settings, struct btk_error *error)
{
    size_t count;
    const struct btk_kernels *const *const sets = btk_kernels_all(&count);
    if (!text) return 0;
    const bool is_all = strcmp(text, "all") == 0;
    for (size_t i = count; is_all && i-- > 0;)
        if (btk_kernels_is_supported(sets[i]))
            settings->sets[settings->set_count++] = sets[i]->name;
    for (const char *at = text; !is_all;) {
        char name[32];
        const size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        if (!length || settings->set_count == BTK_BENCH_SETS_MAX - 1)
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                                 "--simd: \"%s\" is not all, nor sets of kernels with commas",
                                 text);
        const int status = add_set(settings, name, error);
        if (status < 0) return status;
        if (!at[length]) break;
        at += length + 1;
    }
    return is_all ? 0 : add_set(settings, "scalar", error);
}

static int read_numbers(const struct given *given, struct btk_bench_settings *settings,
                        struct btk_error *error)
{
    int status = btk_arguments_number("chunk", given->chunk, BTK_CUT_PIECE_BYTES_MIN,
                                      CHUNK_BYTES_MAX, &settings->chunk_bytes, error);
    if (!status)
        status = btk_arguments_number("repeat", given->repeat, 1, BTK_BENCH_REPEAT_MAX,
                                      &settings->repeat, error);
    if (!status)
        status = btk_arguments_number("threads", given->threads, 1, BTK_MEASURE_THREADS_MAX,
                                      &settings->threads, error);
    if (!status)
        status = btk_arguments_real("max-regression", given->max_regression, 1000,
                                    &settings->report.regression_percent, error);
    return status;
}

static int read_baselines(const struct given *given, struct btk_bench_settings *settings,
                          struct btk_error *error)
{
    settings->save_baseline = given->save_baseline;
    settings->baseline = given->baseline;
    const bool has_any = given->save_baseline || given->baseline;
    if (given->max_regression && !given->baseline)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--max-regression needs a --baseline to compare with");
    if (has_any && given->simd)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--simd and baselines do not go together: a baseline is of one set of "
                             "kernels; BUDTIKTOK_SIMD chooses it");
    int status = 0;
    if (given->save_baseline)
        status = btk_baseline_check_name("save-baseline", given->save_baseline, error);
    if (!status && given->baseline)
        status = btk_baseline_check_name("baseline", given->baseline, error);
    if (has_any && !given->repeat) settings->repeat = BTK_BENCH_BASELINE_RUNS;
    return status;
}

// A stage is measured call by call.
static int check_modes(const struct btk_bench_settings *settings, struct btk_error *error)
{
    const unsigned stages =
        BTK_BENCH_BIT(NORMALIZER) | BTK_BENCH_BIT(PRETOKENIZER) | BTK_BENCH_BIT(DECODE);
    if (settings->modes != 1u << BTK_MODE_WHOLE || !(settings->benches & stages)
        || settings->benches & ~stages)
        return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                         "--mode whole: a stage has none; there are cold, warm, batch and lines");
}

static int read_given(const struct given *given, struct btk_bench_settings *settings,
                      struct btk_error *error)
{
    settings->tokenizer = given->tokenizer;
    settings->input = given->input;
    settings->reference_path = given->reference;
    settings->says_benches = given->bench;
    settings->says_modes = given->mode;
    settings->report.is_json = given->json;
    int status =
        btk_arguments_set("bench", given->bench, btk_bench_names, &settings->benches, error);
    if (!status)
        status =
            btk_arguments_set("mode", given->mode, btk_bench_mode_names, &settings->modes, error);
    if (!status) status = read_fields(given, settings, error);
    if (!status) status = read_sets(given->simd, settings, error);
    if (!status) status = read_numbers(given, settings, error);
    if (!status) status = read_baselines(given, settings, error);
    if (!status) status = check_modes(settings, error);
    if (settings->benches & BTK_BENCH_BIT(ALL)) settings->benches = BTK_BENCH_BIT(ALL) - 1;
    if (settings->set_count && !settings->repeat) settings->repeat = SIMD_REPEAT;
    return status;
}

static int parse(int argc, char **argv, struct given *given, bool *out_wants_help,
                 struct btk_error *error)
{
    const struct btk_argument arguments[] = {
        {"bench", "NAMES",
         "all (the default), or: wordpiece, bpe, unigram, wordlevel (all of encode, by family);\n"
         "normalizer, pretokenizer, decode (one stage); kernels, ring, memory",
         &given->bench},
        {"tokenizer", "PATH",
         "tokenizer.json or image; or wordpiece, bpe, unigram or wordlevel, our own\n"
         "(default: our own of each family)",
         &given->tokenizer},
        {"input", "FILE",
         "text in UTF-8, or en, de, es, fr, ru, ja, ko, zh or code, our own (default: all of "
         "these)",
         &given->input},
        {"mode", "NAMES",
         "cold: pieces of 4 KiB, one call each, none seen before; warm: the same once more;\n"
         "whole: one call; batch: all pieces together; lines: one call a line\n"
         "(default: cold,warm,whole; of a stage: cold; a stage has no whole)",
         &given->mode},
        {"chunk", "BYTES", "another size of the pieces", &given->chunk},
        {"reference", "FILE", "JSON with the reference's digests, as in bench/goldens",
         &given->reference},
        {"repeat", "N", "N processes for each figure, and the median of them", &given->repeat},
        {"threads", "N", "threads that share the calls (whole is one call: always 1)",
         &given->threads},
        {"offsets", NULL, "offsets too", &given->offsets},
        {"fields", "NAMES",
         "what encode gives: ids (the default), offsets, type_ids, word_ids,\n"
         "special_tokens_mask, or all of them",
         &given->fields},
        {"simd", "NAMES",
         "all, or sets of kernels: a process of each in turn (5 rounds, or --repeat), and a\n"
         "table with the ratio of each to scalar",
         &given->simd},
        {"save-baseline", "NAME",
         "keeps the figures under this name (9 processes each, or --repeat)",
         &given->save_baseline},
        {"baseline", "NAME",
         "compares with the figures of that name, with 95 % confidence; exit status 1 for a\n"
         "regression",
         &given->baseline},
        {"max-regression", "PERCENT",
         "what is slower by more than that is a regression (default: 5)", &given->max_regression},
        {"json", NULL, "a line of JSON for each figure", &given->json},
    };
    const struct btk_argument_table table = {
        .program = "budtiktok-bench",
        .summary = "Measures the tokenizer in this process, once, unless --repeat is given.\n"
                   "MB are 10^6 bytes of UTF-8. Ids are compared with the reference's digests;\n"
                   "what is not verified does not stand in the table, and different ids give\n"
                   "exit status 1. Baselines are kept in $BUDTIKTOK_CACHE_DIR/baselines, or\n"
                   "~/.cache/budtiktok/baselines.",
        .examples = "budtiktok-bench\n"
                    "budtiktok-bench --bench bpe --input en --mode cold --repeat 9 --json\n"
                    "budtiktok-bench --tokenizer gpt2.json --input book.txt --reference gpt2.json\n"
                    "budtiktok-bench --bench wordpiece,bpe --input en --mode cold --simd all\n"
                    "budtiktok-bench --bench bpe --save-baseline before\n"
                    "budtiktok-bench --bench bpe --baseline before --max-regression 3",
        .arguments = arguments,
        .count = BTK_ARRAY_COUNT(arguments),
    };
    *out_wants_help = btk_arguments_try_document(&table, argc, argv);
    if (*out_wants_help) return 0;
    const int status = btk_arguments_parse(&table, argc, argv, out_wants_help, error);
    if (!status && *out_wants_help) btk_arguments_print_help(&table);
    return status;
}

int btk_bench_settings_read(int argc, char **argv, struct btk_bench_settings *out,
                            bool *out_wants_help, struct btk_error *error)
{
    struct given given = {0};
    *out = (struct btk_bench_settings){
        .benches = BTK_BENCH_BIT(ALL),
        .modes = 1u << BTK_MODE_COLD | 1u << BTK_MODE_WARM | 1u << BTK_MODE_WHOLE,
        .chunk_bytes = BTK_CUT_PIECE_BYTES,
        .threads = 1,
        .report.regression_percent = 5,
    };
    const int status = parse(argc, argv, &given, out_wants_help, error);
    if (status < 0 || *out_wants_help) return status;
    return read_given(&given, out, error);
}
