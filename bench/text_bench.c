// SPDX-License-Identifier: Apache-2.0
// The benches of families and stages: each tokenizer, text and mode; measured, verified, reported.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/input_text.h"
#include "bench/measure.h"
#include "bench/own_texts.h"
#include "bench/simd_table.h"
#include "bench/subject.h"
#include "common/profile.h"

// One tokenizer on one text in one mode.
struct task {
    struct btk_bench_settings *settings;
    const struct btk_subject *subject;
    const struct btk_input_text *text;
    enum btk_bench bench;
    enum btk_bench_mode mode;
    struct btk_measure_plan plan;
    struct btk_profile profile; // of all figures of encode
};

static const struct btk_measure_stage *stage_of(enum btk_bench bench)
{
    switch (bench) {
    case BTK_BENCH_NORMALIZER: return &btk_measure_normalizer;
    case BTK_BENCH_PRETOKENIZER: return &btk_measure_pretokenizer;
    case BTK_BENCH_DECODE: return &btk_measure_decode;
    default: return &btk_measure_encode;
    }
}

static bool is_stage(enum btk_bench bench)
{
    return (unsigned)bench >= BTK_BENCH_FAMILIES;
}

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
}

// --- Verifying

static enum btk_golden_verdict verify_ids(const struct task *task,
                                          const struct btk_measure_result *result)
{
    static const enum btk_golden_part parts[BTK_MODE_COUNT] = {
        [BTK_MODE_WHOLE] = BTK_GOLDEN_WHOLE, [BTK_MODE_LINES] = BTK_GOLDEN_LINES};
    const struct btk_bench_settings *const settings = task->settings;
    const enum btk_bench_mode mode = task->mode;
    const struct btk_golden_answer answer = {
        .bytes = task->plan.calls->bytes,
        .tokens = result->tokens,
        .ids_xxh64 = result->ids_xxh64,
        .offsets_xxh64 = result->offsets_xxh64,
        .has_offsets = !is_stage(task->bench) && settings->fields & BTK_MEASURE_OFFSETS,
    };
    const bool is_cut = mode != BTK_MODE_WHOLE && mode != BTK_MODE_LINES;
    if (!settings->reference && !task->text->is_own) return BTK_GOLDEN_NONE;
    return btk_golden_compare(task->subject->goldens, task->text->name, parts[mode],
                              !is_cut || settings->chunk_bytes == BTK_CUT_PIECE_BYTES, &answer);
}

// What the figure is verified by; NULL: it is not what the reference gives.
static const char *verify(const struct task *task, const struct btk_measure_result *result)
{
    const enum btk_golden_verdict ids = verify_ids(task, result);
    if (ids == BTK_GOLDEN_DIFFERENT) return NULL;
    if (ids == BTK_GOLDEN_NONE) return "none";
    if (task->bench != BTK_BENCH_DECODE) return task->subject->source;
    const enum btk_golden_verdict text =
        task->mode == BTK_MODE_LINES || task->settings->chunk_bytes != BTK_CUT_PIECE_BYTES
            ? BTK_GOLDEN_NONE
            : btk_golden_compare_decoded(task->subject->goldens, task->text->name, result->items,
                                         result->text_xxh64);
    if (text == BTK_GOLDEN_DIFFERENT) return NULL;
    if (text == BTK_GOLDEN_EQUAL) return task->subject->source;
    return result->is_round_trip ? "round-trip" : "none";
}

// --- Figures

static const char *items_name(enum btk_bench bench)
{
    switch (bench) {
    case BTK_BENCH_NORMALIZER: return "normalized_bytes";
    case BTK_BENCH_PRETOKENIZER: return "pretokens";
    case BTK_BENCH_DECODE: return "decoded_bytes";
    default: return NULL;
    }
}

static struct btk_figure figure_of(const struct task *task, const struct btk_measure_result *result,
                                   const double *runs, const char *verified)
{
    return (struct btk_figure){
        .bench = btk_bench_names[task->bench],
        .tokenizer = task->subject->name,
        .input = task->text->name,
        .mode = btk_bench_mode_names[task->mode],
        .chunk_bytes = task->settings->chunk_bytes,
        .threads = task->plan.threads,
        .fields = is_stage(task->bench) ? "ids" : task->settings->fields_text,
        .simd = result->simd,
        .unit = BTK_FIGURE_TEXT,
        .bytes = task->plan.calls->bytes,
        .pieces = task->plan.calls->count,
        .tokens = result->tokens,
        .items_name = items_name(task->bench),
        .items = result->items,
        .runs = runs,
        .run_count = task->settings->repeat ? task->settings->repeat : 1,
        .has_ids = true,
        .ids_xxh64 = result->ids_xxh64,
        .verified = verified,
    };
}

// False: told, and no figure.
static bool try_verify(const struct task *task, const struct btk_measure_result *result,
                       const char **out_verified)
{
    const char *const verified = verify(task, result);
    if (verified) {
        *out_verified = verified;
        return true;
    }
    task->settings->has_differences = true;
    fprintf(stderr, "budtiktok-bench: %s, %s, %s, %s: not what the reference produces: no figure\n",
            btk_bench_names[task->bench], task->subject->name, task->text->name,
            btk_bench_mode_names[task->mode]);
    return false;
}

static int check_same(uint64_t round, uint64_t ids, uint64_t *first_ids, struct btk_error *error)
{
    if (!round) *first_ids = ids;
    return ids == *first_ids
               ? 0
               : btk_error_set(error, EPROTO, BTK_NO_OFFSET, "two runs gave different ids");
}

static int measure_runs(const struct task *task, double *runs, struct btk_measure_result *result,
                        struct btk_error *error)
{
    uint64_t first_ids = 0;
    if (!task->settings->repeat) {
        const int status = btk_measure(&task->plan, result, error);
        if (!status) runs[0] = result->seconds;
        return status;
    }
    for (uint64_t i = 0; i < task->settings->repeat; i++) {
        int status = btk_measure_apart(&task->plan, result, error);
        if (!status) status = check_same(i, result->ids_xxh64, &first_ids, error);
        if (status < 0) return status;
        runs[i] = result->seconds;
    }
    return 0;
}

static int bench_one(struct task *task, struct btk_error *error)
{
    double runs[BTK_BENCH_REPEAT_MAX];
    struct btk_measure_result result;
    const char *verified;
    const int status = measure_runs(task, runs, &result, error);
    if (status < 0) return btk_error_prefix(error, "%s", task->text->name);
    if (!try_verify(task, &result, &verified)) return 0;
    const struct btk_figure figure = figure_of(task, &result, runs, verified);
    btk_profile_add(&task->profile, &result.profile);
    return btk_report_add(&task->settings->report, &figure) < 0 ? no_memory(error) : 0;
}

// All sets of kernels, a process of each in turn, so that what the machine does meets them alike.
static int bench_sets(struct task *task, struct btk_error *error)
{
    static double runs[BTK_BENCH_SETS_MAX][BTK_BENCH_REPEAT_MAX];
    struct btk_bench_settings *const settings = task->settings;
    struct btk_measure_result results[BTK_BENCH_SETS_MAX];
    struct btk_figure figures[BTK_BENCH_SETS_MAX];
    const char *verified;
    uint64_t first_ids = 0;
    for (uint64_t i = 0; i < settings->repeat * settings->set_count; i++) {
        const unsigned set = (unsigned)(i % settings->set_count);
        task->plan.simd = settings->sets[set];
        int status = btk_measure_apart(&task->plan, &results[set], error);
        if (!status) status = check_same(i, results[set].ids_xxh64, &first_ids, error);
        if (status < 0) return btk_error_prefix(error, "%s", task->text->name);
        runs[set][i / settings->set_count] = results[set].seconds;
    }
    for (unsigned set = 0; set < settings->set_count; set++) {
        if (!try_verify(task, &results[set], &verified)) return 0;
        figures[set] = figure_of(task, &results[set], runs[set], verified);
    }
    return btk_simd_table_add(&settings->report, figures, settings->set_count) < 0
               ? no_memory(error)
               : 0;
}

// --- Loops

static int cut(const struct task *task, struct btk_bytes body, struct btk_cut_list *out_calls)
{
    switch (task->mode) {
    case BTK_MODE_WHOLE: return btk_cut_whole(body, out_calls);
    case BTK_MODE_LINES: return btk_cut_lines(body, out_calls);
    default: return btk_cut_pieces(body, task->settings->chunk_bytes, out_calls);
    }
}

static int bench_mode(struct task *task, struct btk_error *error)
{
    const struct btk_bench_settings *const settings = task->settings;
    struct btk_bytes body;
    struct btk_bytes rest;
    struct btk_cut_list calls = {0};
    struct btk_cut_list warm_up = {0};
    btk_cut_split(task->text->bytes, BTK_CUT_BODY_BYTES, &body, &rest);
    int status = cut(task, body, &calls);
    if (!status) status = btk_cut_pieces(rest, settings->chunk_bytes, &warm_up);
    if (status < 0) {
        no_memory(error);
    } else if (calls.bytes == 0) {
        status = btk_error_set(error, EINVAL, BTK_NO_OFFSET, "%s: nothing to measure in it",
                               task->text->name);
    } else {
        task->plan = (struct btk_measure_plan){
            .tokenizer = task->subject->tokenizer,
            .calls = &calls,
            .warm_up = &warm_up,
            .stage = stage_of(task->bench),
            .has_first_pass = task->mode == BTK_MODE_WARM,
            .takes_profile = settings->takes_profile && !settings->set_count,
            .fields = settings->fields,
            .threads = task->mode == BTK_MODE_WHOLE ? 1 : (unsigned)settings->threads,
        };
        status = settings->set_count ? bench_sets(task, error) : bench_one(task, error);
    }
    btk_cut_clear(&warm_up);
    btk_cut_clear(&calls);
    return status;
}

// Stages are measured cold when nothing is said, and never whole: they are about calls.
static unsigned modes_of(const struct btk_bench_settings *settings, enum btk_bench bench)
{
    if (!is_stage(bench)) return settings->modes;
    return settings->says_modes ? settings->modes & ~(1u << BTK_MODE_WHOLE) : 1u << BTK_MODE_COLD;
}

static int bench_text(struct task *task, const char *name, struct btk_error *error)
{
    struct btk_input_text text;
    int status = btk_input_text_open(name, &text, error);
    if (status < 0) return status;
    const unsigned modes = modes_of(task->settings, task->bench);
    task->text = &text;
    for (unsigned mode = 0; mode < BTK_MODE_COUNT && !status; mode++) {
        task->mode = mode;
        if (modes & (1u << mode)) status = bench_mode(task, error);
    }
    btk_input_text_close(&text);
    return status;
}

static int bench_all_texts(struct task *task, struct btk_error *error)
{
    struct btk_own_text own;
    if (task->settings->input) return bench_text(task, task->settings->input, error);
    for (size_t i = 0; btk_own_text_get(i, &own); i++) {
        const int status = bench_text(task, own.name, error);
        if (status < 0) return status;
    }
    return 0;
}

// Of the last run of each figure. On standard error: the table on standard output is for figures.
static void print_profile(const struct task *task)
{
    struct btk_buffer text;
    btk_buffer_init(&text);
    fflush(stdout);
    if (btk_profile_print(&task->profile, task->subject->name, &text) == 0)
        fwrite(text.data, 1, text.length, stderr);
    btk_buffer_clear(&text);
}

static int bench_subject(struct btk_bench_settings *settings, const struct btk_subject *subject,
                         enum btk_bench bench, struct btk_error *error)
{
    struct task task = {.settings = settings, .subject = subject, .bench = bench};
    if (!btk_measure_has_stage(stage_of(bench), subject->tokenizer)) {
        fprintf(stderr, "budtiktok-bench: %s has no %s: nothing to measure\n", subject->name,
                btk_bench_names[bench]);
        return 0;
    }
    const int status = bench_all_texts(&task, error);
    if (!status && task.profile.calls) print_profile(&task);
    return status;
}

static int bench_stages(struct btk_bench_settings *settings, const struct btk_subject *subject,
                        struct btk_error *error)
{
    int status = 0;
    if (settings->benches & (1u << subject->family))
        status = bench_subject(settings, subject, subject->family, error);
    for (unsigned bench = BTK_BENCH_FAMILIES; bench <= BTK_BENCH_DECODE && !status; bench++)
        if (settings->benches & (1u << bench))
            status = bench_subject(settings, subject, bench, error);
    return status;
}

int btk_bench_texts(struct btk_bench_settings *settings, struct btk_error *error)
{
    const unsigned stages =
        BTK_BENCH_BIT(NORMALIZER) | BTK_BENCH_BIT(PRETOKENIZER) | BTK_BENCH_BIT(DECODE);
    const unsigned families = (1u << BTK_BENCH_FAMILIES) - 1;
    struct btk_subject subject;
    int status = 0;
    if (!(settings->benches & (stages | families))) return 0;
    for (unsigned family = 0; family < BTK_BENCH_FAMILIES && !status; family++) {
        const bool is_named = settings->tokenizer;
        if (!is_named && !(settings->benches & (1u << family | stages))) continue;
        status = is_named ? btk_subject_open_named(settings, &subject, error)
                          : btk_subject_open_own(settings, family, &subject, error);
        if (!status) status = bench_stages(settings, &subject, error);
        btk_subject_close(&subject);
        if (is_named) break;
    }
    return status;
}
