// SPDX-License-Identifier: Apache-2.0
// budtiktok-bench: the engine in this process, measured; figures only for verified ids.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/arguments.h"
#include "bench/figures.h"
#include "bench/golden.h"
#include "bench/input_text.h"
#include "bench/measure.h"
#include "bench/own_texts.h"
#include "common/json.h"
#include "tools/open_tokenizer.h"
#include "tools/options.h"

enum { REPEAT_MAX = 1000, CHUNK_BYTES_MAX = 1 << 30, REFERENCE_BYTES_MAX = 64 << 20 };

static const char *const bench_names[] = {"wordpiece", "bpe", "all", NULL};
enum { BENCH_WORDPIECE, BENCH_BPE, BENCH_ALL };

static const char *const mode_names[] = {"cold", "warm", "whole", "batch", "lines", NULL};
enum mode { MODE_COLD, MODE_WARM, MODE_WHOLE, MODE_BATCH, MODE_LINES, MODE_COUNT };
enum { MODES_DEFAULT = 1u << MODE_COLD | 1u << MODE_WARM | 1u << MODE_WHOLE };

struct settings {
    unsigned benches;      // set of BENCH_*
    const char *tokenizer; // NULL: the embedded one of each bench
    const char *input;     // NULL: all texts of our own
    unsigned modes;        // set of enum mode
    uint64_t chunk_bytes;
    struct btk_json *reference; // NULL: the goldens of our own texts
    uint64_t repeat;            // 0: once, in this process
    uint64_t threads;
    bool wants_offsets;
    bool is_json;
    bool has_differences;
};

// One tokenizer with what is known about its ids.
struct subject {
    const char *bench;
    const char *name;
    const char *source; // how verified figures are called
    const struct btk_json *goldens;
    struct btk_tokenizer *tokenizer;
};

static int cut(const struct settings *settings, enum mode mode, struct btk_bytes body,
               struct btk_cut_list *out_calls)
{
    switch (mode) {
    case MODE_WHOLE: return btk_cut_whole(body, out_calls);
    case MODE_LINES: return btk_cut_lines(body, out_calls);
    default: return btk_cut_pieces(body, settings->chunk_bytes, out_calls);
    }
}

static int measure_runs(const struct settings *settings, const struct btk_measure_plan *plan,
                        double *runs, struct btk_measure_result *out_result,
                        struct btk_error *error)
{
    if (!settings->repeat) {
        const int status = btk_measure(plan, out_result, error);
        if (!status) runs[0] = out_result->seconds;
        return status;
    }
    uint64_t first_ids = 0;
    for (uint64_t i = 0; i < settings->repeat; i++) {
        const int status = btk_measure_apart(plan, out_result, error);
        if (status < 0) return status;
        if (i && out_result->ids_xxh64 != first_ids)
            return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "two runs gave different ids");
        first_ids = out_result->ids_xxh64;
        runs[i] = out_result->seconds;
    }
    return 0;
}

static enum btk_golden_verdict verify(const struct settings *settings,
                                      const struct subject *subject,
                                      const struct btk_input_text *text, enum mode mode,
                                      const struct btk_golden_answer *answer)
{
    static const enum btk_golden_part parts[MODE_COUNT] = {
        [MODE_WHOLE] = BTK_GOLDEN_WHOLE, [MODE_LINES] = BTK_GOLDEN_LINES};
    if (!settings->reference && !text->is_own) return BTK_GOLDEN_NONE;
    const bool is_cut = mode != MODE_WHOLE && mode != MODE_LINES;
    return btk_golden_compare(subject->goldens, text->name, parts[mode],
                              !is_cut || settings->chunk_bytes == BTK_CUT_PIECE_BYTES, answer);
}

static int show(const struct settings *settings, const struct btk_figure *figure)
{
    if (settings->is_json) return btk_figures_print_json(figure);
    btk_figures_print_row(figure);
    return 0;
}

// Measures, verifies and shows; a figure of different ids is not shown.
static int bench_calls(struct settings *settings, const struct subject *subject,
                       const struct btk_input_text *text, enum mode mode,
                       const struct btk_measure_plan *plan, struct btk_error *error)
{
    double runs[REPEAT_MAX];
    struct btk_measure_result result;
    const int status = measure_runs(settings, plan, runs, &result, error);
    if (status < 0) return btk_error_prefix(error, "%s", text->name);
    const struct btk_golden_answer answer = {
        .bytes = plan->calls->bytes,
        .tokens = result.tokens,
        .ids_xxh64 = result.ids_xxh64,
        .offsets_xxh64 = result.offsets_xxh64,
        .has_offsets = settings->wants_offsets,
    };
    const enum btk_golden_verdict verdict = verify(settings, subject, text, mode, &answer);
    if (verdict == BTK_GOLDEN_DIFFERENT) {
        settings->has_differences = true;
        fprintf(stderr, "budtiktok-bench: %s, %s, %s: not what the reference produces: no figure\n",
                subject->name, text->name, mode_names[mode]);
        return 0;
    }
    const struct btk_figure figure = {
        .bench = subject->bench,
        .tokenizer = subject->name,
        .input = text->name,
        .mode = mode_names[mode],
        .chunk_bytes = settings->chunk_bytes,
        .threads = plan->threads,
        .fields = settings->wants_offsets ? "ids,offsets" : "ids",
        .simd = result.simd,
        .bytes = plan->calls->bytes,
        .pieces = plan->calls->count,
        .tokens = result.tokens,
        .runs = runs,
        .run_count = settings->repeat ? settings->repeat : 1,
        .ids_xxh64 = result.ids_xxh64,
        .verified = verdict == BTK_GOLDEN_EQUAL ? subject->source : "none",
    };
    return show(settings, &figure) < 0
               ? btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory")
               : 0;
}

static int bench_mode(struct settings *settings, const struct subject *subject,
                      const struct btk_input_text *text, enum mode mode, struct btk_error *error)
{
    struct btk_bytes body;
    struct btk_bytes rest;
    struct btk_cut_list calls = {0};
    struct btk_cut_list warm_up = {0};
    btk_cut_split(text->bytes, BTK_CUT_BODY_BYTES, &body, &rest);
    int status = cut(settings, mode, body, &calls);
    if (!status) status = btk_cut_pieces(rest, settings->chunk_bytes, &warm_up);
    if (status < 0) {
        btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    } else if (calls.bytes == 0) {
        status =
            btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: nothing to measure in it", text->name);
    } else {
        const struct btk_measure_plan plan = {
            .tokenizer = subject->tokenizer,
            .calls = &calls,
            .warm_up = &warm_up,
            .has_first_pass = mode == MODE_WARM,
            .wants_offsets = settings->wants_offsets,
            .threads = mode == MODE_WHOLE ? 1 : (unsigned)settings->threads,
        };
        status = bench_calls(settings, subject, text, mode, &plan, error);
    }
    btk_cut_clear(&warm_up);
    btk_cut_clear(&calls);
    return status;
}

static int bench_text(struct settings *settings, const struct subject *subject, const char *name,
                      struct btk_error *error)
{
    struct btk_input_text text;
    int status = btk_input_text_open(name, &text, error);
    if (status < 0) return status;
    for (unsigned mode = 0; mode < MODE_COUNT && !status; mode++)
        if (settings->modes & (1u << mode))
            status = bench_mode(settings, subject, &text, mode, error);
    btk_input_text_close(&text);
    return status;
}

static int bench_subject(struct settings *settings, const struct subject *subject,
                         struct btk_error *error)
{
    struct btk_own_text own;
    if (settings->input) return bench_text(settings, subject, settings->input, error);
    for (size_t i = 0; btk_own_text_get(i, &own); i++) {
        const int status = bench_text(settings, subject, own.name, error);
        if (status < 0) return status;
    }
    return 0;
}

static int bench_embedded(struct settings *settings, unsigned bench, struct btk_error *error)
{
    struct subject subject = {
        .bench = bench_names[bench], .name = bench_names[bench], .source = "golden"};
    struct btk_json *goldens = NULL;
    struct btk_bytes text;
    int status = 0;
    if (settings->reference) {
        subject.goldens = settings->reference;
        subject.source = "reference";
    } else if (btk_own_golden_find(subject.name, &text)) {
        status = btk_json_parse(text, &goldens, error);
        subject.goldens = goldens;
    }
    if (!status) status = btk_open_tokenizer(subject.name, NULL, &subject.tokenizer, error);
    if (!status) status = bench_subject(settings, &subject, error);
    btk_tokenizer_close(&subject.tokenizer);
    btk_json_free(goldens);
    return status;
}

static int check_model(const struct settings *settings, const struct subject *subject,
                       struct btk_error *error)
{
    for (unsigned i = 0; i < BENCH_ALL; i++)
        if (strcmp(bench_names[i], subject->bench) == 0 && (settings->benches & (1u << i)))
            return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: --bench %s is what fits it",
                         subject->name, subject->bench);
}

static int bench_file(struct settings *settings, struct btk_error *error)
{
    const char *const slash = strrchr(settings->tokenizer, '/');
    struct subject subject = {.name = slash ? slash + 1 : settings->tokenizer,
                              .source = "reference",
                              .goldens = settings->reference};
    int status = btk_open_tokenizer(settings->tokenizer, NULL, &subject.tokenizer, error);
    if (status < 0) return status;
    struct btk_tokenizer_info info;
    btk_tokenizer_info(subject.tokenizer, &info);
    subject.bench = bench_names[strcmp(info.model, "BPE") == 0 ? BENCH_BPE : BENCH_WORDPIECE];
    status = check_model(settings, &subject, error);
    if (!status) status = bench_subject(settings, &subject, error);
    btk_tokenizer_close(&subject.tokenizer);
    return status;
}

static bool is_embedded(const char *tokenizer, unsigned *out_bench)
{
    for (unsigned i = 0; i < BENCH_ALL; i++) {
        if (strcmp(tokenizer, bench_names[i]) != 0) continue;
        *out_bench = i;
        return true;
    }
    return false;
}

static int run(struct settings *settings, struct btk_error *error)
{
    unsigned bench;
    if (!settings->is_json) btk_figures_print_head();
    if (settings->tokenizer && is_embedded(settings->tokenizer, &bench))
        return bench_embedded(settings, bench, error);
    if (settings->tokenizer) return bench_file(settings, error);
    int status = 0;
    for (bench = 0; bench < BENCH_ALL && !status; bench++)
        if (settings->benches & (1u << bench)) status = bench_embedded(settings, bench, error);
    return status;
}

static int read_reference(const char *path, struct btk_json **out_reference,
                          struct btk_error *error)
{
    struct btk_mapped_file file;
    if (!path) return 0;
    int status = btk_mapped_file_map(path, REFERENCE_BYTES_MAX, &file, error);
    if (status < 0) return status;
    status = btk_json_parse((struct btk_bytes){file.data, file.length}, out_reference, error);
    btk_mapped_file_unmap(&file);
    return status < 0 ? btk_error_prefix(error, "%s", path) : 0;
}

// What stands on the command line, as text.
struct given {
    const char *bench, *tokenizer, *input, *mode, *chunk, *reference, *repeat, *threads, *offsets,
        *json;
};

static int read_settings(const struct given *given, struct settings *settings,
                         struct btk_error *error)
{
    settings->tokenizer = given->tokenizer;
    settings->input = given->input;
    settings->wants_offsets = given->offsets;
    settings->is_json = given->json;
    int status = btk_arguments_set("bench", given->bench, bench_names, &settings->benches, error);
    if (!status)
        status = btk_arguments_set("mode", given->mode, mode_names, &settings->modes, error);
    if (!status)
        status = btk_arguments_number("chunk", given->chunk, BTK_CUT_PIECE_BYTES_MIN,
                                      CHUNK_BYTES_MAX, &settings->chunk_bytes, error);
    if (!status)
        status =
            btk_arguments_number("repeat", given->repeat, 1, REPEAT_MAX, &settings->repeat, error);
    if (!status)
        status = btk_arguments_number("threads", given->threads, 1, BTK_MEASURE_THREADS_MAX,
                                      &settings->threads, error);
    if (settings->benches & (1u << BENCH_ALL)) settings->benches = (1u << BENCH_ALL) - 1;
    return status;
}

static int parse(int argc, char **argv, struct given *given, bool *out_wants_help,
                 struct btk_error *error)
{
    const struct btk_argument arguments[] = {
        {"bench", "NAMES", "wordpiece, bpe or all (the default)", &given->bench},
        {"tokenizer", "PATH",
         "tokenizer.json or image; or wordpiece or bpe, the embedded ones (the default)",
         &given->tokenizer},
        {"input", "FILE",
         "text in UTF-8, or en, de, es, fr, ru, ja, ko, zh or code, our own (default: all of "
         "these)",
         &given->input},
        {"mode", "NAMES",
         "cold: pieces of 4 KiB, one call each, none seen before; warm: the same once more;\n"
         "whole: one call; batch: all pieces together; lines: one call a line\n"
         "(default: cold,warm,whole)",
         &given->mode},
        {"chunk", "BYTES", "another size of the pieces", &given->chunk},
        {"reference", "FILE", "JSON with the reference's digests, as in bench/goldens",
         &given->reference},
        {"repeat", "N", "N processes for each figure, and the median of them", &given->repeat},
        {"threads", "N", "threads that share the calls (whole is one call: always 1)",
         &given->threads},
        {"offsets", NULL, "offsets too", &given->offsets},
        {"json", NULL, "a line of JSON for each figure", &given->json},
    };
    const struct btk_argument_table table = {
        .program = "budtiktok-bench",
        .summary = "Measures the tokenizer in this process, once, unless --repeat is given.\n"
                   "MB are 10^6 bytes of UTF-8. Ids are compared with the reference's digests;\n"
                   "what is not verified does not stand in the table, and different ids give\n"
                   "exit status 1.",
        .examples = "budtiktok-bench\n"
                    "budtiktok-bench --bench bpe --input en --mode cold --repeat 9 --json\n"
                    "budtiktok-bench --tokenizer gpt2.json --input book.txt --reference gpt2.json",
        .arguments = arguments,
        .count = BTK_ARRAY_COUNT(arguments),
    };
    const int status = btk_arguments_parse(&table, argc, argv, out_wants_help, error);
    if (!status && *out_wants_help) btk_arguments_print_help(&table);
    return status;
}

static int fail(int exit_status, const struct btk_error *error)
{
    fprintf(stderr, "budtiktok-bench: %s\n", error->message);
    return exit_status;
}

int main(int argc, char **argv)
{
    struct given given = {0};
    struct settings settings = {.benches = 1u << BENCH_ALL,
                                .modes = MODES_DEFAULT,
                                .chunk_bytes = BTK_CUT_PIECE_BYTES,
                                .threads = 1};
    struct btk_error error;
    bool wants_help = false;
    int status = parse(argc, argv, &given, &wants_help, &error);
    if (!status && wants_help) return BTK_EXIT_DONE;
    if (!status) status = read_settings(&given, &settings, &error);
    if (status < 0) return fail(BTK_EXIT_USAGE, &error);
    status = read_reference(given.reference, &settings.reference, &error);
    if (!status) status = run(&settings, &error);
    btk_json_free(settings.reference);
    if (status < 0) return fail(BTK_EXIT_FILE, &error);
    return settings.has_differences ? BTK_EXIT_DIFFERENCES : BTK_EXIT_DONE;
}
