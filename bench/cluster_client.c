// SPDX-License-Identifier: Apache-2.0
// One measurement for cluster.py: the same pieces of a text through a cluster, or through the engine
// in this process. The text lies in the slab before the clock starts; results are hashed when it has
// stopped.
//
//     cluster_client cluster ENDPOINT TOKENIZER FILE MEGABYTES    throughput
//     cluster_client alone TOKENIZER FILE MEGABYTES               the same work without a cluster
//     cluster_client trip ENDPOINT TOKENIZER COUNT                round trips of one 1 KiB document
//
// Prints one JSON object: seconds, bytes, ids_xxh64, own CPU seconds; or the times of trips. `cluster`
// says "ready" before the clock starts and "done" after it, and waits for a line each time.
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <budtiktok/client.h>
#include <budtiktok/tokenizer.h>

#include "bench/cut.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/mapped_file.h"
#include "tools/open_tokenizer.h"

enum { BATCHES = 16, WAIT_MS = 120000, TRIP_BYTES = 1024, FILE_BYTES_MAX = 1 << 30 };

#define RESULTS_BYTES ((uint64_t)512 << 20)

static int fail(const char *what, const char *message)
{
    fprintf(stderr, "cluster_client: %s: %s\n", what, message);
    return 1;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_result(double seconds, double cpu, uint64_t bytes, uint64_t digest)
{
    printf("{\"seconds\": %.6f, \"cpu_seconds\": %.6f, \"bytes\": %" PRIu64
           ", \"ids_xxh64\": \"%016" PRIx64 "\"}\n",
           seconds, cpu, bytes, digest);
}

// The pieces of the text, again and again, until there are as many bytes as were asked for.
struct work {
    struct btk_mapped_file file;
    struct btk_cut_list pieces;
    uint64_t bytes_wanted;
};

static int open_work(struct work *work, const char *path, const char *megabytes)
{
    struct btk_error error;
    if (btk_mapped_file_map(path, FILE_BYTES_MAX, &work->file, &error) < 0)
        return fail("text", error.message);
    const struct btk_bytes body = {work->file.data, work->file.length};
    work->bytes_wanted = strtoull(megabytes, NULL, 10) * 1000000;
    if (btk_cut_pieces(body, BTK_CUT_PIECE_BYTES, &work->pieces) < 0 || !work->pieces.count)
        return fail("text", "there is nothing in it");
    return 0;
}

static void close_work(struct work *work)
{
    btk_cut_clear(&work->pieces);
    btk_mapped_file_unmap(&work->file);
}

// --- Through a cluster

static int open_client(const char *endpoint, const char *tokenizer, uint64_t text_bytes,
                       struct btk_client **client, uint32_t *options_id)
{
    struct btk_error_info error;
    struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    request.add_special_tokens = false;
    // A quarter more, for the tables of ends.
    const struct btk_client_options options = {.endpoint = endpoint,
                                               .slab_bytes = text_bytes + text_bytes / 4,
                                               .results_bytes = RESULTS_BYTES,
                                               .timeout_ms = 30000,
                                               .name = "cluster_client"};
    if (btk_client_connect(&options, client, &error) < 0
        || btk_client_register(*client, tokenizer, &request, options_id, &error) < 0)
        return fail("cluster", error.message);
    return 0;
}

// One batch with its share of the text, in the slab.
static int fill_batch(struct btk_client *client, const struct work *work, size_t *in_out_piece,
                      struct btk_batch **out_batch)
{
    const uint64_t share = work->bytes_wanted / BATCHES;
    const uint32_t count_max = (uint32_t)(share / (BTK_CUT_PIECE_BYTES / 2) + 1);
    struct btk_error_info error;
    if (btk_client_reserve(client, share, count_max, out_batch, &error) < 0)
        return fail("slab", error.message);
    char *const text = btk_batch_text(*out_batch);
    uint64_t *const ends = btk_batch_ends(*out_batch);
    uint64_t at = 0;
    uint32_t count = 0;
    for (; count < count_max; count++) {
        const struct btk_bytes piece = work->pieces.pieces[*in_out_piece % work->pieces.count];
        if (at + piece.length > share) break;
        memcpy(text + at, piece.data, piece.length);
        at += piece.length;
        ends[count] = at;
        ++*in_out_piece;
    }
    if (btk_batch_set_document_count(*out_batch, count) < 0) return fail("batch", "no documents");
    return 0;
}

static int hash_batches(struct btk_batch **batches, uint64_t *out_bytes, uint64_t *out_digest)
{
    struct btk_hash_stream *const stream = btk_hash_stream_new(0);
    if (!stream) return fail("hash", "no memory");
    for (size_t i = 0; i < BATCHES; i++) {
        const uint32_t count = btk_batch_document_count(batches[i]);
        *out_bytes += btk_batch_ends(batches[i])[count - 1];
        for (uint32_t j = 0; j < count; j++) {
            struct btk_document_view view;
            if (btk_batch_document(batches[i], j, &view) < 0 || view.status != BTK_STATUS_OK)
                return fail("result", "a document has none");
            btk_hash_stream_update(stream, view.ids, view.token_count * sizeof *view.ids);
        }
    }
    *out_digest = btk_hash_stream_digest(stream);
    btk_hash_stream_free(stream);
    return 0;
}

static int time_batches(struct btk_client *client, uint32_t options_id, struct btk_batch **batches,
                        double *out_seconds)
{
    struct btk_error_info error;
    const uint64_t begin_ns = btk_clock_now_ns();
    for (size_t i = 0; i < BATCHES; i++)
        if (btk_client_submit(client, batches[i], options_id, 0, &error) < 0)
            return fail("submit", error.message);
    for (size_t i = 0; i < BATCHES; i++)
        if (btk_client_wait(client, batches[i], WAIT_MS, &error) < 0)
            return fail("wait", error.message);
    *out_seconds = (double)(btk_clock_now_ns() - begin_ns) / 1e9;
    return 0;
}

static int run_batches(struct btk_client *client, uint32_t options_id, const struct work *work,
                       bool is_measured)
{
    struct btk_batch *batches[BATCHES] = {NULL};
    size_t piece = 0;
    double seconds = 0;
    uint64_t bytes = 0, digest = 0;
    int status = 0;
    for (size_t i = 0; i < BATCHES && !status; i++)
        status = fill_batch(client, work, &piece, &batches[i]);
    // Whoever started this looks at the CPU time of the cluster now, and again at the result.
    if (!status && is_measured) {
        printf("ready\n");
        fflush(stdout);
        if (getchar() == EOF) status = 1;
    }
    const double cpu_before = cpu_seconds();
    if (!status) status = time_batches(client, options_id, batches, &seconds);
    const double cpu = cpu_seconds() - cpu_before;
    if (!status && is_measured) {
        printf("done\n");
        fflush(stdout);
        if (getchar() == EOF) status = 1;
    }
    if (!status) status = hash_batches(batches, &bytes, &digest);
    if (!status && is_measured) print_result(seconds, cpu, bytes, digest);
    for (size_t i = 0; i < BATCHES; i++) btk_client_release(client, &batches[i]);
    return status;
}

static int run_cluster(char **arguments)
{
    struct work work;
    struct btk_client *client = NULL;
    uint32_t options_id = 0;
    int status = open_work(&work, arguments[2], arguments[3]);
    if (!status)
        status = open_client(arguments[0], arguments[1], work.bytes_wanted, &client, &options_id);
    // Once for all that is only done once.
    if (!status) status = run_batches(client, options_id, &work, false);
    if (!status) status = run_batches(client, options_id, &work, true);
    btk_client_close(&client);
    close_work(&work);
    return status;
}

// --- Alone

struct alone {
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    uint32_t *ids;
    size_t capacity;
};

// The same pieces in the same order, cut into the same shares.
static int encode_all(struct alone *alone, const struct work *work, uint64_t *out_bytes,
                      size_t *out_count)
{
    const struct btk_encode_options options = {.add_special_tokens = false};
    const uint64_t share = work->bytes_wanted / BATCHES;
    size_t piece = 0, count = 0;
    for (size_t i = 0; i < BATCHES; i++) {
        for (uint64_t at = 0;; piece++) {
            const struct btk_bytes text = work->pieces.pieces[piece % work->pieces.count];
            if (at + text.length > share) break;
            struct btk_encoding encoding = {.capacity = alone->capacity - count,
                                            .ids = alone->ids + count};
            if (btk_encode(alone->tokenizer, alone->scratch, (const char *)text.data, text.length,
                           &options, &encoding, NULL)
                < 0)
                return -EINVAL;
            count += encoding.count;
            at += text.length;
            *out_bytes += text.length;
        }
    }
    *out_count = count;
    return 0;
}

// Twice, as the cluster does it; the second time counts.
static int time_alone(struct alone *alone, const struct work *work)
{
    double seconds = 0, cpu = 0;
    uint64_t bytes = 0;
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        const double cpu_before = cpu_seconds();
        const uint64_t begin_ns = btk_clock_now_ns();
        bytes = 0;
        if (encode_all(alone, work, &bytes, &count) < 0) return fail("encode", "it failed");
        seconds = (double)(btk_clock_now_ns() - begin_ns) / 1e9;
        cpu = cpu_seconds() - cpu_before;
    }
    print_result(seconds, cpu, bytes, btk_hash_xxh64(alone->ids, count * sizeof *alone->ids, 0));
    return 0;
}

static int run_alone(char **arguments)
{
    struct work work;
    struct alone alone = {0};
    struct btk_error error;
    struct btk_error_info info;
    int status = open_work(&work, arguments[1], arguments[2]);
    if (!status && btk_open_tokenizer(arguments[0], &alone.tokenizer, &error) < 0)
        status = fail("tokenizer", error.message);
    if (!status && btk_scratch_new(alone.tokenizer, &alone.scratch, &info) < 0)
        status = fail("tokenizer", info.message);
    if (!status) {
        alone.capacity = work.bytes_wanted + 1024;
        alone.ids = malloc(alone.capacity * sizeof *alone.ids);
        // The pages are there before the clock starts, as those of a cluster's results are.
        if (alone.ids) memset(alone.ids, 0, alone.capacity * sizeof *alone.ids);
        status = alone.ids ? time_alone(&alone, &work) : fail("memory", "not enough");
    }
    free(alone.ids);
    btk_scratch_free(&alone.scratch);
    btk_tokenizer_close(&alone.tokenizer);
    close_work(&work);
    return status;
}

// --- Round trips

struct trip {
    uint64_t outside_ns; // the caller's own clock
    uint64_t parts_ns;   // what the four parts add up to
};

static int run_trip(struct btk_client *client, uint32_t options_id, const char *text,
                    struct trip *out_trip)
{
    struct btk_error_info error;
    struct btk_batch *batch = NULL;
    struct btk_batch_timing timing;
    const size_t length = TRIP_BYTES;
    const uint64_t begin_ns = btk_clock_now_ns();
    if (btk_client_submit_documents(client, &text, &length, 1, options_id, 0, &batch, &error) < 0
        || btk_client_wait(client, batch, WAIT_MS, &error) < 0)
        return fail("trip", error.message);
    const uint64_t end_ns = btk_clock_now_ns();
    if (btk_batch_timing(batch, &timing) < 0) return fail("trip", "no timing");
    out_trip->outside_ns = end_ns - begin_ns;
    out_trip->parts_ns =
        timing.queue_wait_ns + timing.ipc_transfer_ns + timing.tokenization_ns + timing.return_ns;
    btk_client_release(client, &batch);
    return 0;
}

static int run_trips(char **arguments)
{
    static const char sentence[] = "The quick brown fox jumps over the lazy dog, and on it goes. ";
    char text[TRIP_BYTES];
    struct btk_client *client = NULL;
    uint32_t options_id = 0;
    const unsigned count = (unsigned)strtoul(arguments[2], NULL, 10);
    for (size_t i = 0; i < sizeof text; i++) text[i] = sentence[i % (sizeof sentence - 1)];
    int status = open_client(arguments[0], arguments[1], 1 << 20, &client, &options_id);
    printf("[");
    for (unsigned i = 0; i < count && !status; i++) {
        struct trip trip = {0};
        status = run_trip(client, options_id, text, &trip);
        printf("%s[%" PRIu64 ",%" PRIu64 "]", i ? "," : "", trip.outside_ns, trip.parts_ns);
    }
    printf("]\n");
    btk_client_close(&client);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "cluster") == 0) return run_cluster(argv + 2);
    if (argc == 5 && strcmp(argv[1], "alone") == 0) return run_alone(argv + 2);
    if (argc == 5 && strcmp(argv[1], "trip") == 0) return run_trips(argv + 2);
    fprintf(stderr, "usage: cluster_client cluster|alone|trip ...; see cluster.py\n");
    return 2;
}
