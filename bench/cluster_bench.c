// SPDX-License-Identifier: Apache-2.0
// cluster_bench: what a cluster adds to the engine, and what it costs.
//
//     throughput   text resident in the slab, results hashed after the clock has stopped: 1 worker,
//                  several, and the same documents in this process by as many threads, taking turns
//     round trip   one document at a time through a cluster that has nothing else to do
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/arguments.h"
#include "bench/cluster_round.h"
#include "bench/figures.h"
#include "bench/input_text.h"
#include "bench/round_trip.h"
#include "common/json_writer.h"
#include "tools/options.h"

enum { ROUNDS_MAX = 99, MEGABYTES_MAX = 1024, ROUND_TRIPS_MAX = 1000000 };

struct settings {
    const char *tokenizer;
    const char *input;
    uint64_t megabytes;
    uint64_t rounds;
    uint64_t round_trips;
    uint64_t document_bytes;
    uint64_t shard_bytes;
    uint64_t workers;
    bool is_json;
};

enum { ALONE, MANY_THREADS, ONE_WORKER, MANY_WORKERS, KINDS };

// Medians of all rounds.
struct summary {
    struct btk_cluster_round medians[KINDS];
    double scaling; // 1 worker to many
    // Processor time of all processes of the larger cluster to that of one process.
    double cpu_ratio;         // ... with as many threads: as many caches to fill, as busy a machine
    double cpu_ratio_1thread; // ... with one thread, on a machine that does nothing else
    uint64_t bytes;
};

static double cpu_of(const struct btk_cluster_round *round)
{
    return round->client_cpu_s + round->coordinator_cpu_s + round->workers_cpu_s;
}

static double median_of(const struct btk_cluster_round *rounds, size_t count, size_t member)
{
    double values[ROUNDS_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = *(const double *)(const void *)((const char *)&rounds[i] + member);
    return btk_figures_median(values, count);
}

static struct btk_cluster_round medians_of(const struct btk_cluster_round *rounds, size_t count)
{
    struct btk_cluster_round median = rounds[0];
    median.seconds = median_of(rounds, count, offsetof(struct btk_cluster_round, seconds));
    median.client_cpu_s =
        median_of(rounds, count, offsetof(struct btk_cluster_round, client_cpu_s));
    median.coordinator_cpu_s =
        median_of(rounds, count, offsetof(struct btk_cluster_round, coordinator_cpu_s));
    median.workers_cpu_s =
        median_of(rounds, count, offsetof(struct btk_cluster_round, workers_cpu_s));
    return median;
}

static int run_round(const struct settings *settings, const struct btk_cluster_work *work,
                     unsigned kind, struct btk_cluster_round *out_round, struct btk_error *error)
{
    const unsigned count = kind == ALONE || kind == ONE_WORKER ? 1 : (unsigned)settings->workers;
    if (kind == ALONE || kind == MANY_THREADS)
        return btk_cluster_round_alone(work, count, out_round, error);
    return btk_cluster_round_run(work, count, out_round, error);
}

static int run_rounds(const struct settings *settings, const struct btk_cluster_work *work,
                      struct summary *out_summary, struct btk_error *error)
{
    static struct btk_cluster_round rounds[KINDS][ROUNDS_MAX];
    struct summary summary = {.bytes = work->documents->bytes};
    for (uint64_t i = 0; i < settings->rounds; i++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            const int status = run_round(settings, work, kind, &rounds[kind][i], error);
            if (status < 0) return status;
            if (rounds[kind][i].ids_xxh64 != rounds[ALONE][0].ids_xxh64)
                return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                                     "the cluster's ids are not those of one process: no figures");
        }
    }
    for (unsigned kind = 0; kind < KINDS; kind++)
        summary.medians[kind] = medians_of(rounds[kind], (size_t)settings->rounds);
    summary.scaling = summary.medians[ONE_WORKER].seconds / summary.medians[MANY_WORKERS].seconds;
    const double many_cpu_s = cpu_of(&summary.medians[MANY_WORKERS]);
    summary.cpu_ratio = many_cpu_s / cpu_of(&summary.medians[MANY_THREADS]);
    summary.cpu_ratio_1thread = many_cpu_s / cpu_of(&summary.medians[ALONE]);
    *out_summary = summary;
    return 0;
}

static void print_round(const struct summary *summary, unsigned kind, const char *name)
{
    const struct btk_cluster_round *const round = &summary->medians[kind];
    printf("  %-11s  %8.1f MB/s   CPU ms: client %7.1f, coordinator %7.1f, workers %7.1f\n", name,
           (double)summary->bytes / 1e6 / round->seconds, round->client_cpu_s * 1e3,
           round->coordinator_cpu_s * 1e3, round->workers_cpu_s * 1e3);
}

static void print_table(const struct settings *settings, const struct summary *summary,
                        const struct btk_round_trips *trips)
{
    char name[32];
    char threads[32];
    snprintf(name, sizeof name, "%u workers", (unsigned)settings->workers);
    snprintf(threads, sizeof threads, "%u threads", (unsigned)settings->workers);
    printf("throughput: %llu bytes, %llu tokens, ids equal in all of them, "
           "median of %llu\n",
           (unsigned long long)summary->bytes, (unsigned long long)summary->medians[ALONE].tokens,
           (unsigned long long)settings->rounds);
    print_round(summary, ALONE, "1 thread");
    print_round(summary, MANY_THREADS, threads);
    print_round(summary, ONE_WORKER, "1 worker");
    print_round(summary, MANY_WORKERS, name);
    printf("  %s to 1: %.2fx; CPU seconds of all processes to those of one process: %.2fx with %s, "
           "%.2fx with 1\n",
           name, summary->scaling, summary->cpu_ratio, threads, summary->cpu_ratio_1thread);
    btk_round_trips_print(trips);
}

static void write_real(struct btk_json_writer *writer, const char *name, double value)
{
    btk_json_name(writer, name);
    btk_json_real(writer, value);
}

static void write_round(struct btk_json_writer *writer, const struct summary *summary,
                        unsigned kind, const char *name)
{
    const struct btk_cluster_round *const round = &summary->medians[kind];
    btk_json_name(writer, name);
    btk_json_begin_object(writer);
    write_real(writer, "mb_per_s", (double)summary->bytes / 1e6 / round->seconds);
    write_real(writer, "seconds", round->seconds);
    write_real(writer, "client_cpu_s", round->client_cpu_s);
    write_real(writer, "coordinator_cpu_s", round->coordinator_cpu_s);
    write_real(writer, "workers_cpu_s", round->workers_cpu_s);
    btk_json_end_object(writer);
}

static int print_json(const struct settings *settings, const struct summary *summary,
                      const struct btk_round_trips *trips)
{
    struct btk_buffer line;
    struct btk_json_writer writer;
    btk_buffer_init(&line);
    btk_json_writer_init(&writer, &line);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "bytes");
    btk_json_unsigned(&writer, summary->bytes);
    btk_json_name(&writer, "tokens");
    btk_json_unsigned(&writer, summary->medians[ALONE].tokens);
    btk_json_name(&writer, "workers");
    btk_json_unsigned(&writer, settings->workers);
    write_round(&writer, summary, ALONE, "one_process");
    write_round(&writer, summary, MANY_THREADS, "many_threads");
    write_round(&writer, summary, ONE_WORKER, "one_worker");
    write_round(&writer, summary, MANY_WORKERS, "many_workers");
    write_real(&writer, "scaling", summary->scaling);
    write_real(&writer, "cpu_ratio", summary->cpu_ratio);
    write_real(&writer, "cpu_ratio_1thread", summary->cpu_ratio_1thread);
    btk_json_name(&writer, "round_trip");
    btk_round_trips_write(trips, &writer);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)line.length, (const char *)line.data);
    btk_buffer_clear(&line);
    return writer.status;
}

// Documents one behind the other in memory of their own, as they are in a slab: a process that read
// the same few hundred KiB again and again would find them in its cache.
struct document_set {
    struct btk_cut_list documents;
    uint8_t *text;
};

static void clear_documents(struct document_set *set)
{
    btk_cut_clear(&set->documents);
    free(set->text);
    set->text = NULL;
}

// The pieces over and over until there are enough bytes.
static int fill_documents(const struct btk_cut_list *pieces, size_t bytes, struct document_set *set)
{
    const size_t bound = (bytes / pieces->bytes + 1) * pieces->count;
    struct btk_cut_list *const documents = &set->documents;
    documents->pieces = malloc(bound * sizeof *documents->pieces);
    set->text = malloc((bytes / pieces->bytes + 1) * pieces->bytes);
    if (!documents->pieces || !set->text) return -ENOMEM;
    for (size_t i = 0; documents->bytes < bytes; i++) {
        const struct btk_bytes piece = pieces->pieces[i % pieces->count];
        uint8_t *const at = set->text + documents->bytes;
        memcpy(at, piece.data, piece.length);
        documents->pieces[documents->count++] = (struct btk_bytes){at, piece.length};
        documents->bytes += piece.length;
    }
    return 0;
}

// Documents of 4 KiB.
static int make_documents(const struct settings *settings, struct btk_bytes text,
                          struct document_set *out_set, struct btk_error *error)
{
    struct btk_cut_list pieces = {0};
    int status = btk_cut_pieces(text, BTK_CUT_PIECE_BYTES, &pieces);
    if (!status && !pieces.count)
        status = btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--input: there is no text in it");
    else if (!status)
        status = fill_documents(&pieces, (size_t)settings->megabytes * 1000000, out_set);
    if (status == -ENOMEM) btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    btk_cut_clear(&pieces);
    return status;
}

static int run(const struct settings *settings, struct btk_error *error)
{
    struct btk_input_text text;
    struct document_set set = {0};
    struct btk_round_trips trips = {0};
    struct summary summary = {0};
    int status = btk_input_text_open(settings->input, &text, error);
    if (status < 0) return status;
    status = make_documents(settings, text.bytes, &set, error);
    const struct btk_cluster_work work = {.tokenizer = settings->tokenizer,
                                          .documents = &set.documents,
                                          .shard_bytes = settings->shard_bytes};
    if (!status) status = run_rounds(settings, &work, &summary, error);
    const struct btk_round_trip_plan plan = {.tokenizer = settings->tokenizer,
                                             .text = text.bytes,
                                             .document_bytes = (size_t)settings->document_bytes,
                                             .count = (size_t)settings->round_trips,
                                             .worker_count = (unsigned)settings->workers};
    if (!status) status = btk_round_trips_run(&plan, &trips, error);
    if (!status && !settings->is_json)
        print_table(settings, &summary, &trips);
    else if (!status)
        status = print_json(settings, &summary, &trips);
    clear_documents(&set);
    btk_input_text_close(&text);
    return status;
}

struct given {
    const char *tokenizer, *input, *megabytes, *rounds, *round_trips, *document_bytes, *shard_bytes,
        *workers, *json;
};

static int read_settings(const struct given *given, struct settings *settings,
                         struct btk_error *error)
{
    settings->tokenizer = given->tokenizer;
    if (given->input) settings->input = given->input;
    settings->is_json = given->json;
    int status = btk_arguments_number("megabytes", given->megabytes, 1, MEGABYTES_MAX,
                                      &settings->megabytes, error);
    if (!status)
        status =
            btk_arguments_number("rounds", given->rounds, 1, ROUNDS_MAX, &settings->rounds, error);
    if (!status)
        status = btk_arguments_number("round-trips", given->round_trips, 1, ROUND_TRIPS_MAX,
                                      &settings->round_trips, error);
    if (!status)
        status = btk_arguments_number("document-bytes", given->document_bytes, 4, 1 << 20,
                                      &settings->document_bytes, error);
    if (!status)
        status = btk_arguments_number("shard-bytes", given->shard_bytes, 1024, 1 << 24,
                                      &settings->shard_bytes, error);
    if (!status)
        status = btk_arguments_number("workers", given->workers, 1, 256, &settings->workers, error);
    return status;
}

static int parse(int argc, char **argv, struct given *given, bool *out_wants_help,
                 struct btk_error *error)
{
    const struct btk_argument arguments[] = {
        {"tokenizer", "PATH", "default: the embedded wordpiece", &given->tokenizer},
        {"input", "FILE", "text in UTF-8, or a text of our own (default: en)", &given->input},
        {"megabytes", "N", "text of each round (default 32)", &given->megabytes},
        {"rounds", "N", "default 5", &given->rounds},
        {"workers", "N", "of the larger cluster (default 2)", &given->workers},
        {"shard-bytes", "BYTES", "default 65536", &given->shard_bytes},
        {"round-trips", "N", "default 2000", &given->round_trips},
        {"document-bytes", "BYTES", "of a round trip (default 1024)", &given->document_bytes},
        {"json", NULL, "one line of JSON", &given->json},
    };
    const struct btk_argument_table table = {
        .program = "cluster_bench",
        .summary =
            "Starts clusters of its own: throughput of 1 worker and of several, CPU seconds\n"
            "against one process, and the round trip of one document.",
        .examples = "cluster_bench\ncluster_bench --tokenizer gpt2.json --input book.txt --json",
        .arguments = arguments,
        .count = BTK_ARRAY_COUNT(arguments),
    };
    const int status = btk_arguments_parse(&table, argc, argv, out_wants_help, error);
    if (!status && *out_wants_help) btk_arguments_print_help(&table);
    return status;
}

int main(int argc, char **argv)
{
    struct given given = {0};
    struct settings settings = {.input = "en",
                                .megabytes = 32,
                                .rounds = 5,
                                .round_trips = 2000,
                                .document_bytes = 1024,
                                .shard_bytes = 65536,
                                .workers = 2};
    struct btk_error error;
    bool wants_help = false;
    int status = parse(argc, argv, &given, &wants_help, &error);
    if (!status && wants_help) return BTK_EXIT_DONE;
    if (!status) status = read_settings(&given, &settings, &error);
    const bool is_misused = status < 0;
    if (!status) status = run(&settings, &error);
    if (!status) return BTK_EXIT_DONE;
    fprintf(stderr, "cluster_bench: %s\n", error.message);
    return is_misused ? BTK_EXIT_USAGE : BTK_EXIT_FILE;
}
