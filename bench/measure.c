// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <budtiktok/tokenizer.h>

#include "common/clock.h"
#include "common/hash.h"
#include "tools/open_tokenizer.h"

enum { THREADS_MAX = 256 };

static const struct btk_encode_options encode_options = {.add_special_tokens = false};

// Where the tokens of each piece go: columns for the largest possible result, filled at the piece's
// own place, so that threads do not meet.
struct results {
    uint32_t *ids;
    uint32_t *offsets; // NULL: not wanted
    size_t *begins;    // of each piece, in tokens
    size_t *counts;
};

struct worker {
    const struct btk_tokenizer *tokenizer;
    const struct btk_pieces *pieces;
    const struct results *results;
    struct btk_scratch *scratch;
    unsigned index, step; // every step-th piece
    bool has_failed;
};

static void results_clear(struct results *results)
{
    free(results->ids);
    free(results->offsets);
    free(results->begins);
    free(results->counts);
}

static int results_init(struct results *results, const struct btk_tokenizer *tokenizer,
                        const struct btk_pieces *pieces, bool wants_offsets)
{
    size_t total = 0;
    *results = (struct results){.begins = malloc((pieces->count + 1) * sizeof *results->begins),
                                .counts = calloc(pieces->count + 1, sizeof *results->counts)};
    if (!results->begins || !results->counts) return -ENOMEM;
    for (size_t i = 0; i < pieces->count; i++) {
        results->begins[i] = total;
        total += btk_encode_bound(tokenizer, pieces->pieces[i].length, &encode_options);
    }
    results->begins[pieces->count] = total;
    results->ids = malloc((total + 1) * sizeof *results->ids);
    if (wants_offsets) results->offsets = malloc((2 * total + 1) * sizeof *results->offsets);
    return results->ids && (!wants_offsets || results->offsets) ? 0 : -ENOMEM;
}

static void *encode_pieces(void *context)
{
    struct worker *const worker = context;
    const struct results *const results = worker->results;
    for (size_t i = worker->index; i < worker->pieces->count; i += worker->step) {
        const struct btk_bytes piece = worker->pieces->pieces[i];
        struct btk_encoding encoding = {
            .capacity = results->begins[i + 1] - results->begins[i],
            .ids = results->ids + results->begins[i],
            .offsets = results->offsets ? results->offsets + 2 * results->begins[i] : NULL};
        if (btk_encode(worker->tokenizer, worker->scratch, (const char *)piece.data, piece.length,
                       &encode_options, &encoding, NULL)
            < 0)
            worker->has_failed = true;
        results->counts[i] = encoding.count;
    }
    return NULL;
}

// One pass of all threads over all pieces; seconds, or a negative number.
static double run_pass(struct worker *workers, unsigned threads)
{
    pthread_t handles[THREADS_MAX];
    const uint64_t begin_ns = btk_clock_now_ns();
    unsigned started = 1;
    for (; started < threads; started++)
        if (pthread_create(&handles[started], NULL, encode_pieces, &workers[started]) != 0) break;
    encode_pieces(&workers[0]);
    for (unsigned i = 1; i < started; i++) pthread_join(handles[i], NULL);
    const uint64_t end_ns = btk_clock_now_ns();
    for (unsigned i = 0; i < threads; i++)
        if (workers[i].has_failed) return -1;
    return started == threads ? (double)(end_ns - begin_ns) / 1e9 : -1;
}

// Every page of the columns is there before the clock runs.
static void touch(const struct results *results, size_t piece_count)
{
    const size_t total = results->begins[piece_count];
    memset(results->ids, 0, total * sizeof *results->ids);
    if (results->offsets) memset(results->offsets, 0, 2 * total * sizeof *results->offsets);
}

static int warm_up(struct worker *workers, unsigned threads, struct btk_bytes text)
{
    struct btk_pieces pieces;
    struct results results;
    if (btk_pieces_cut(text, BTK_CUT_CHUNK_BYTES, &pieces) < 0) return -ENOMEM;
    int status = results_init(&results, workers[0].tokenizer, &pieces, false);
    for (unsigned i = 0; i < threads && !status; i++) {
        struct worker worker = workers[i];
        worker.pieces = &pieces;
        worker.results = &results;
        worker.index = 0;
        worker.step = 1;
        encode_pieces(&worker);
        status = worker.has_failed ? -EINVAL : 0;
    }
    results_clear(&results);
    btk_pieces_clear(&pieces);
    return status;
}

static int digest(const struct results *results, size_t piece_count,
                  struct btk_measurement *measurement)
{
    struct btk_hash_stream *const ids = btk_hash_stream_new(0);
    struct btk_hash_stream *const offsets = btk_hash_stream_new(0);
    const bool is_good = ids && offsets;
    for (size_t i = 0; i < piece_count && is_good; i++) {
        const size_t begin = results->begins[i], count = results->counts[i];
        btk_hash_stream_update(ids, results->ids + begin, count * sizeof(uint32_t));
        if (results->offsets)
            btk_hash_stream_update(offsets, results->offsets + 2 * begin,
                                   2 * count * sizeof(uint32_t));
        measurement->tokens += count;
    }
    if (is_good) {
        measurement->ids_xxh64 = btk_hash_stream_digest(ids);
        measurement->offsets_xxh64 = btk_hash_stream_digest(offsets);
    }
    btk_hash_stream_free(ids);
    btk_hash_stream_free(offsets);
    return is_good ? 0 : -ENOMEM;
}

static int measure_pieces(struct worker *workers, const struct btk_measure_options *options,
                          const struct btk_pieces *pieces, struct btk_measurement *measurement)
{
    struct results results;
    int status = results_init(&results, workers[0].tokenizer, pieces, options->wants_offsets);
    if (!status) {
        touch(&results, pieces->count);
        for (unsigned i = 0; i < options->threads; i++) {
            workers[i].pieces = pieces;
            workers[i].results = &results;
        }
        measurement->seconds = run_pass(workers, options->threads);
        if (options->mode == BTK_MEASURE_WARM)
            measurement->seconds = run_pass(workers, options->threads);
        status = measurement->seconds < 0 ? -EINVAL : digest(&results, pieces->count, measurement);
        measurement->bytes = pieces->bytes;
    }
    results_clear(&results);
    return status;
}

static int cut(const struct btk_measure_options *options, struct btk_bytes body,
               struct btk_pieces *pieces)
{
    switch (options->mode) {
    case BTK_MEASURE_WHOLE: return btk_pieces_whole(body, pieces);
    case BTK_MEASURE_LINES: return btk_pieces_lines(body, pieces);
    default: return btk_pieces_cut(body, options->chunk_bytes, pieces);
    }
}

static int open_workers(struct worker *workers, const struct btk_measure_options *options,
                        const struct btk_tokenizer *tokenizer, struct btk_error *error)
{
    for (unsigned i = 0; i < options->threads; i++) {
        struct btk_error_info info;
        workers[i] = (struct worker){.tokenizer = tokenizer, .index = i, .step = options->threads};
        if (btk_scratch_new(tokenizer, &workers[i].scratch, &info) < 0)
            return btk_error_import(error, &info);
    }
    return 0;
}

static int measure_with(struct worker *workers, const struct btk_measure_options *options,
                        struct btk_measurement *measurement, struct btk_error *error)
{
    const struct btk_text_parts parts = btk_text_split(options->text);
    struct btk_pieces pieces;
    if (!parts.body.length)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "the text is too short: the last %d bytes only warm up",
                             BTK_CUT_WARM_UP_BYTES);
    if (cut(options, parts.body, &pieces) < 0)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    int status = warm_up(workers, options->threads, parts.warm_up);
    if (!status) status = measure_pieces(workers, options, &pieces, measurement);
    btk_pieces_clear(&pieces);
    if (status == -EINVAL)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "the text is not UTF-8");
    return status < 0 ? btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory") : 0;
}

int btk_measure(const struct btk_measure_options *options, struct btk_measurement *out_measurement,
                struct btk_error *error)
{
    static struct worker workers[THREADS_MAX];
    struct btk_tokenizer *tokenizer = NULL;
    if (options->threads < 1 || options->threads > THREADS_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--threads: 1 to %d", THREADS_MAX);
    memset(workers, 0, sizeof workers);
    memset(out_measurement, 0, sizeof *out_measurement);
    int status = btk_open_tokenizer(options->tokenizer, &tokenizer, error);
    if (!status) status = open_workers(workers, options, tokenizer, error);
    if (!status) {
        snprintf(out_measurement->simd, sizeof out_measurement->simd, "%s",
                 btk_scratch_simd(workers[0].scratch));
        status = measure_with(workers, options, out_measurement, error);
    }
    for (unsigned i = 0; i < options->threads; i++) btk_scratch_free(&workers[i].scratch);
    btk_tokenizer_close(&tokenizer);
    return status;
}
