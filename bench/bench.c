// SPDX-License-Identifier: Apache-2.0
// budtiktok-bench: how fast is the engine in this process? A figure is only a figure when the ids
// were the reference's: each is hashed and compared.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/measure.h"
#include "bench/reference.h"
#include "common/json_writer.h"
#include "common/mapped_file.h"

enum { REPEAT_MAX = 1000, TEXT_BYTES_MAX = 1 << 30, EXIT_USAGE = 2, EXIT_FILE = 3 };

static struct btk_argument arguments[] = {
    {"bench", "NAME", "wordpiece or bpe (default: both)", NULL},
    {"tokenizer", "PATH", "instead of the embedded model of that name", NULL},
    {"input", "FILE", "the text (default: ours in English)", NULL},
    {"mode", "LIST", "of cold,warm,whole,batch,lines (default cold,warm,whole)", NULL},
    {"chunk", "BYTES", "about how long the pieces are (default 4096)", NULL},
    {"reference", "FILE", "digests to verify against (format: bench/goldens/README.md)", NULL},
    {"repeat", "N", "processes to measure in; medians are shown (default 1: this process)", NULL},
    {"threads", "N", "each with its own share of the pieces (default 1)", NULL},
    {"offsets", NULL, "offsets too", NULL},
    {"json", NULL, "one JSON object a line", NULL},
    {NULL, NULL, NULL, NULL},
};

static const char *const mode_names[BTK_MEASURE_MODE_COUNT] = {"cold", "warm", "whole", "batch",
                                                               "lines"};
static const char *const bench_names[] = {"wordpiece", "bpe"};

struct run {
    const char *bench;
    struct btk_measure_options options;
    const char *input; // as it is shown
    char reference_path[4096];
    unsigned repeat;
    double seconds[REPEAT_MAX];
    struct btk_measurement measurement; // of the last run
};

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const struct run *run)
{
    double sorted[REPEAT_MAX];
    memcpy(sorted, run->seconds, run->repeat * sizeof *sorted);
    qsort(sorted, run->repeat, sizeof *sorted, compare_doubles);
    const unsigned middle = run->repeat / 2;
    return run->repeat % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The folder of texts and digests: beside the build folder, or where they were installed.
static int find_data(const char *name, char *out_path, size_t capacity, struct btk_error *error)
{
    static const char *const places[] = {"../../bench", "../share/budtiktok/bench"};
    char self[2048];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    char *const slash = strrchr(self, '/');
    if (slash) *slash = 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(places); i++) {
        snprintf(out_path, capacity, "%s/%s/%s", self, places[i], name);
        if (access(out_path, R_OK) == 0) return 0;
    }
    return btk_error_set(error, ENOENT, BTK_NO_OFFSET,
                         "the texts of the benchmarks are not there; name one with --input");
}

static void stem_of(const char *path, char out[256])
{
    const char *const slash = strrchr(path, '/');
    snprintf(out, 256, "%.255s", slash ? slash + 1 : path);
    char *const dot = strrchr(out, '.');
    if (dot) *dot = 0;
}

// "golden": our own recorded digests; "reference": those that --reference names; "none".
static const char *verify(const struct run *run, const char *stem)
{
    struct btk_reference reference = {0};
    struct btk_error error;
    const struct btk_measurement *const measured = &run->measurement;
    const bool is_whole = run->options.mode == BTK_MEASURE_WHOLE;
    const bool is_cut = run->options.mode != BTK_MEASURE_LINES && !is_whole
                        && run->options.chunk_bytes == BTK_CUT_CHUNK_BYTES;
    if (!run->reference_path[0]
        || btk_reference_load(run->reference_path, stem, &reference, &error) < 0)
        return "none";
    const bool has_record = is_whole ? reference.has_whole : is_cut && reference.has_cold;
    if (!has_record) return "none";
    const uint64_t wanted = is_whole ? reference.whole_ids_xxh64 : reference.ids_xxh64;
    if (measured->ids_xxh64 != wanted) return "DIFFERENT";
    if (run->options.wants_offsets) {
        if (is_whole || !reference.has_offsets) return "none";
        if (measured->offsets_xxh64 != reference.offsets_xxh64) return "DIFFERENT";
    }
    return btk_arguments_value(arguments, "reference") ? "reference" : "golden";
}

static void write_json(const struct run *run, const char *verified, double mb_per_s)
{
    struct btk_buffer text;
    struct btk_json_writer writer;
    char digits[17];
    btk_buffer_init(&text);
    btk_json_writer_init(&writer, &text);
    snprintf(digits, sizeof digits, "%016" PRIx64, run->measurement.ids_xxh64);
    const struct {
        const char *name;
        const char *value;
    } texts[] = {{"bench", run->bench},
                 {"tokenizer", run->options.tokenizer},
                 {"input", run->input},
                 {"mode", mode_names[run->options.mode]},
                 {"fields", run->options.wants_offsets ? "ids,offsets" : "ids"},
                 {"simd", run->measurement.simd},
                 {"ids_xxh64", digits},
                 {"verified", verified}};
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"chunk_bytes", run->options.chunk_bytes},
                   {"threads", run->options.threads},
                   {"bytes", run->measurement.bytes},
                   {"tokens", run->measurement.tokens}};
    btk_json_begin_object(&writer);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(texts); i++) {
        btk_json_name(&writer, texts[i].name);
        btk_json_string(&writer, texts[i].value);
    }
    for (size_t i = 0; i < BTK_ARRAY_COUNT(numbers); i++) {
        btk_json_name(&writer, numbers[i].name);
        btk_json_unsigned(&writer, numbers[i].value);
    }
    btk_json_name(&writer, "runs");
    btk_json_begin_array(&writer);
    for (unsigned i = 0; i < run->repeat; i++) btk_json_real(&writer, run->seconds[i]);
    btk_json_end_array(&writer);
    btk_json_name(&writer, "mb_per_s");
    btk_json_real(&writer, mb_per_s);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)text.length, (const char *)text.data);
    btk_buffer_clear(&text);
}

static void write_row(const struct run *run, const char *verified, double mb_per_s)
{
    const double mtokens = (double)run->measurement.tokens / median(run) / 1e6;
    if (strcmp(verified, "none") == 0)
        printf("%-10s %-6s %-14s ids not verified: no digest for this text and cut\n", run->bench,
               mode_names[run->options.mode], run->input);
    else
        printf("%-10s %-6s %-14s %9.1f MB/s %9.2f Mtokens/s  %s  %s\n", run->bench,
               mode_names[run->options.mode], run->input, mb_per_s, mtokens, run->measurement.simd,
               verified);
    fflush(stdout);
}

// In a process of its own, so that no run profits from the one before.
static int measure_in_child(struct run *run, unsigned index, struct btk_error *error)
{
    int pipes[2];
    struct btk_measurement measurement;
    if (pipe(pipes) < 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "pipe: %s", strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) {
        const int status = btk_measure(&run->options, &measurement, error);
        if (status < 0) fprintf(stderr, "budtiktok-bench: %s\n", error->message);
        const bool is_written =
            !status && write(pipes[1], &measurement, sizeof measurement) == sizeof measurement;
        _exit(is_written ? 0 : EXIT_FILE);
    }
    close(pipes[1]);
    const ssize_t bytes = pid < 0 ? -1 : read(pipes[0], &measurement, sizeof measurement);
    close(pipes[0]);
    if (pid > 0) waitpid(pid, NULL, 0);
    if (bytes != sizeof measurement)
        return btk_error_set(error, EIO, BTK_NO_OFFSET, "a run ended without a result");
    run->seconds[index] = measurement.seconds;
    run->measurement = measurement;
    return 0;
}

static int measure_all(struct run *run, struct btk_error *error)
{
    if (run->repeat == 1) {
        const int status = btk_measure(&run->options, &run->measurement, error);
        run->seconds[0] = run->measurement.seconds;
        return status;
    }
    for (unsigned i = 0; i < run->repeat; i++) {
        const int status = measure_in_child(run, i, error);
        if (status < 0) return status;
    }
    return 0;
}

static int run_mode(struct run *run, const char *stem, bool *out_differs, struct btk_error *error)
{
    const int status = measure_all(run, error);
    if (status < 0) return status;
    const char *const verified = verify(run, stem);
    const double mb_per_s = (double)run->measurement.bytes / median(run) / 1e6;
    if (btk_arguments_value(arguments, "json"))
        write_json(run, verified, mb_per_s);
    else
        write_row(run, verified, mb_per_s);
    if (strcmp(verified, "DIFFERENT") == 0) *out_differs = true;
    return 0;
}

static bool is_chosen(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
        if (strcspn(at, ",") == length && memcmp(at, name, length) == 0) return true;
    return false;
}

// Every name of the list is a mode.
static int check_modes(const char *list, struct btk_error *error)
{
    for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        const size_t length = strcspn(at, ",");
        bool is_known = false;
        for (unsigned i = 0; i < BTK_MEASURE_MODE_COUNT; i++)
            is_known |= strlen(mode_names[i]) == length && memcmp(mode_names[i], at, length) == 0;
        if (!is_known)
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                                 "--mode: \"%.*s\" is not one of cold, warm, whole, batch, lines",
                                 (int)length, at);
    }
    return 0;
}

static int prepare(struct run *run, const char *bench, struct btk_error *error)
{
    const char *const tokenizer = btk_arguments_value(arguments, "tokenizer");
    const char *const reference = btk_arguments_value(arguments, "reference");
    char name[64];
    run->bench = bench;
    run->options.tokenizer = tokenizer ? tokenizer : bench;
    run->reference_path[0] = 0;
    if (reference) {
        snprintf(run->reference_path, sizeof run->reference_path, "%s", reference);
        return access(reference, R_OK) == 0 ? 0
                                            : btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s",
                                                            reference, strerror(errno));
    }
    // Our own digests are of our own texts and models.
    if (tokenizer || btk_arguments_value(arguments, "input")) return 0;
    snprintf(name, sizeof name, "goldens/%s.json", bench);
    return find_data(name, run->reference_path, sizeof run->reference_path, error);
}

static int run_bench(struct run *run, const char *bench, const char *stem, bool *out_differs,
                     struct btk_error *error)
{
    const char *const given = btk_arguments_value(arguments, "mode");
    const char *const modes = given ? given : "cold,warm,whole";
    int status = check_modes(modes, error);
    if (!status) status = prepare(run, bench, error);
    for (unsigned mode = 0; mode < BTK_MEASURE_MODE_COUNT && !status; mode++) {
        if (!is_chosen(modes, mode_names[mode])) continue;
        run->options.mode = mode;
        status = run_mode(run, stem, out_differs, error);
    }
    return status;
}

static int read_numbers(struct run *run, struct btk_error *error)
{
    double chunk, repeat, threads;
    int status = btk_arguments_number(arguments, "chunk", 16, BTK_CUT_CHUNK_BYTES, &chunk, error);
    if (!status) status = btk_arguments_number(arguments, "repeat", 1, 1, &repeat, error);
    if (!status) status = btk_arguments_number(arguments, "threads", 1, 1, &threads, error);
    if (status < 0) return status;
    run->options.chunk_bytes = (size_t)chunk;
    run->options.threads = (unsigned)threads;
    run->options.wants_offsets = btk_arguments_value(arguments, "offsets") != NULL;
    run->repeat = repeat > REPEAT_MAX ? REPEAT_MAX : (unsigned)repeat;
    return 0;
}

static int run_benches(struct run *run, const char *stem, bool *out_differs,
                       struct btk_error *error)
{
    const char *const chosen = btk_arguments_value(arguments, "bench");
    bool is_known = false;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(bench_names); i++) {
        if (chosen && strcmp(chosen, bench_names[i]) != 0) continue;
        is_known = true;
        const int status = run_bench(run, bench_names[i], stem, out_differs, error);
        if (status < 0) return status;
    }
    if (is_known) return 0;
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                         "--bench: \"%s\" is not one of wordpiece, bpe", chosen);
}

static int fail(int exit_status, const struct btk_error *error)
{
    fprintf(stderr, "budtiktok-bench: %s\n", error->message);
    return exit_status;
}

int main(int argc, char **argv)
{
    static struct run run;
    struct btk_error error;
    struct btk_mapped_file text;
    char path[4096], stem[256];
    bool wants_help, differs = false;
    if (btk_arguments_parse(arguments, argc, argv, &wants_help, &error) < 0
        || (!wants_help && read_numbers(&run, &error) < 0))
        return fail(EXIT_USAGE, &error);
    if (wants_help) {
        btk_arguments_print_help("budtiktok-bench [OPTIONS]", arguments);
        return 0;
    }
    const char *const input = btk_arguments_value(arguments, "input");
    if (input)
        snprintf(path, sizeof path, "%s", input);
    else if (find_data("texts/en.txt", path, sizeof path, &error) < 0)
        return fail(EXIT_FILE, &error);
    if (btk_mapped_file_map(path, TEXT_BYTES_MAX, &text, &error) < 0)
        return fail(EXIT_FILE, &error);
    stem_of(path, stem);
    run.input = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    run.options.text = (struct btk_bytes){text.data, text.length};
    const int status = run_benches(&run, stem, &differs, &error);
    btk_mapped_file_unmap(&text);
    if (status < 0) return fail(status == -EINVAL ? EXIT_USAGE : EXIT_FILE, &error);
    return differs ? 1 : 0;
}
