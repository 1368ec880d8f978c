// SPDX-License-Identifier: Apache-2.0
// cluster_bench: what a cluster adds to the engine, and what it costs.
//
//     throughput   text resident in the slab, results hashed after the clock has stopped: 1 worker, 2
//                  workers, and the same documents in this process, taking turns
//     round trip   one document at a time through a cluster that has nothing else to do
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

// Medians of all rounds.
struct summary {
    double one_process_mb_per_s, one_worker_mb_per_s, many_workers_mb_per_s;
    double scaling;   // of medians
    double cpu_ratio; // CPU seconds of all processes of the larger cluster to those of one process
    uint64_t bytes, tokens;
};

static int run_rounds(const struct settings *settings, const struct btk_cluster_work *work,
                      struct summary *out_summary, struct btk_error *error)
{
    double alone_s[ROUNDS_MAX], alone_cpu_s[ROUNDS_MAX], one_s[ROUNDS_MAX], many_s[ROUNDS_MAX],
        many_cpu_s[ROUNDS_MAX];
    struct btk_cluster_round alone = {0};
    for (uint64_t i = 0; i < settings->rounds; i++) {
        struct btk_cluster_round one;
        struct btk_cluster_round many;
        int status = btk_cluster_round_alone(work, &alone, error);
        if (!status) status = btk_cluster_round_run(work, 1, &one, error);
        if (!status)
            status = btk_cluster_round_run(work, (unsigned)settings->workers, &many, error);
        if (status < 0) return status;
        if (one.ids_xxh64 != alone.ids_xxh64 || many.ids_xxh64 != alone.ids_xxh64)
            return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                                 "the cluster's ids are not those of one process: no figures");
        alone_s[i] = alone.seconds;
        alone_cpu_s[i] = alone.cpu_seconds;
        one_s[i] = one.seconds;
        many_s[i] = many.seconds;
        many_cpu_s[i] = many.cpu_seconds;
    }
    const size_t count = (size_t)settings->rounds;
    const double megabytes = (double)work->documents->bytes / 1e6;
    const double one = btk_figures_median(one_s, count);
    const double many = btk_figures_median(many_s, count);
    *out_summary = (struct summary){
        .one_process_mb_per_s = megabytes / btk_figures_median(alone_s, count),
        .one_worker_mb_per_s = megabytes / one,
        .many_workers_mb_per_s = megabytes / many,
        .scaling = one / many,
        .cpu_ratio = btk_figures_median(many_cpu_s, count) / btk_figures_median(alone_cpu_s, count),
        .bytes = work->documents->bytes,
        .tokens = alone.tokens,
    };
    return 0;
}

static void print_table(const struct settings *settings, const struct summary *summary,
                        const struct btk_round_trips *trips)
{
    printf("throughput: %llu bytes, %llu tokens, ids equal in one process and in both clusters, "
           "median of %llu\n"
           "  one process  %8.1f MB/s\n  1 worker     %8.1f MB/s\n  %llu workers    %8.1f MB/s\n"
           "  %llu workers to 1: %.2fx; CPU seconds of all processes to one process: %.2fx\n",
           (unsigned long long)summary->bytes, (unsigned long long)summary->tokens,
           (unsigned long long)settings->rounds, summary->one_process_mb_per_s,
           summary->one_worker_mb_per_s, (unsigned long long)settings->workers,
           summary->many_workers_mb_per_s, (unsigned long long)settings->workers, summary->scaling,
           summary->cpu_ratio);
    btk_round_trips_print(trips);
}

static void write_real(struct btk_json_writer *writer, const char *name, double value)
{
    btk_json_name(writer, name);
    btk_json_real(writer, value);
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
    btk_json_unsigned(&writer, summary->tokens);
    btk_json_name(&writer, "workers");
    btk_json_unsigned(&writer, settings->workers);
    write_real(&writer, "one_process_mb_per_s", summary->one_process_mb_per_s);
    write_real(&writer, "one_worker_mb_per_s", summary->one_worker_mb_per_s);
    write_real(&writer, "many_workers_mb_per_s", summary->many_workers_mb_per_s);
    write_real(&writer, "scaling", summary->scaling);
    write_real(&writer, "cpu_ratio", summary->cpu_ratio);
    btk_json_name(&writer, "round_trip");
    btk_round_trips_write(trips, &writer);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)line.length, (const char *)line.data);
    btk_buffer_clear(&line);
    return writer.status;
}

// Documents of 4 KiB, the text's pieces over and over until there are enough bytes.
static int make_documents(const struct settings *settings, struct btk_bytes text,
                          struct btk_cut_list *out_documents, struct btk_error *error)
{
    struct btk_cut_list pieces = {0};
    int status = btk_cut_pieces(text, BTK_CUT_PIECE_BYTES, &pieces);
    const size_t bytes = (size_t)settings->megabytes * 1000000;
    struct btk_cut_list documents = {0};
    if (!status && pieces.count) {
        const size_t bound = (bytes / pieces.bytes + 1) * pieces.count;
        documents.pieces = malloc(bound * sizeof *documents.pieces);
        if (!documents.pieces) status = -ENOMEM;
    }
    for (size_t i = 0; !status && pieces.count && documents.bytes < bytes; i++) {
        const struct btk_bytes piece = pieces.pieces[i % pieces.count];
        documents.pieces[documents.count++] = piece;
        documents.bytes += piece.length;
    }
    btk_cut_clear(&pieces);
    if (status < 0) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    if (!documents.count)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--input: there is no text in it");
    *out_documents = documents;
    return 0;
}

static int run(const struct settings *settings, struct btk_error *error)
{
    struct btk_input_text text;
    struct btk_cut_list documents = {0};
    struct btk_round_trips trips = {0};
    struct summary summary = {0};
    int status = btk_input_text_open(settings->input, &text, error);
    if (status < 0) return status;
    status = make_documents(settings, text.bytes, &documents, error);
    const struct btk_cluster_work work = {.tokenizer = settings->tokenizer,
                                          .documents = &documents,
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
    btk_cut_clear(&documents);
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
