// SPDX-License-Identifier: Apache-2.0
#include "bench/cluster_round.h"

#include <budtiktok/client.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cluster_process.h"
#include "bench/measure.h"
#include "common/clock.h"
#include "common/hash.h"
#include "tools/open_tokenizer.h"

enum { BATCH_DOCUMENTS = 1024, WARM_UP_DOCUMENTS = 256, TIMEOUT_MS = 60000 };

static struct btk_cut_list warm_up_of(const struct btk_cluster_work *work)
{
    return (struct btk_cut_list){.pieces = work->documents->pieces,
                                 .count = btk_min_size(work->documents->count, WARM_UP_DOCUMENTS)};
}

int btk_cluster_round_alone(const struct btk_cluster_work *work, unsigned threads,
                            struct btk_cluster_round *out_round, struct btk_error *error)
{
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_measure_result result;
    const struct btk_cut_list warm_up = warm_up_of(work);
    int status = btk_open_tokenizer(work->tokenizer, NULL, &tokenizer, error);
    if (status < 0) return status;
    const struct btk_measure_plan plan = {
        .tokenizer = tokenizer, .calls = work->documents, .warm_up = &warm_up, .threads = threads};
    status = btk_measure(&plan, &result, error);
    btk_tokenizer_close(&tokenizer);
    if (status < 0) return status;
    *out_round = (struct btk_cluster_round){.seconds = result.seconds,
                                            .client_cpu_s = result.cpu_seconds,
                                            .tokens = result.tokens,
                                            .ids_xxh64 = result.ids_xxh64};
    return 0;
}

// A client with all batches of a round.
struct round_client {
    struct btk_client *client;
    uint32_t options_id;
    struct btk_batch **batches;
    size_t batch_count;
    struct btk_error_info error;
};

static int connect_client(struct round_client *round, const struct btk_cluster_work *work,
                          const char *endpoint)
{
    const size_t bytes = work->documents->bytes;
    const struct btk_client_options options = {
        .endpoint = endpoint,
        .slab_bytes = bytes + bytes / 8 + (16 << 20),
        // No result is given back before the clock has stopped, and room for the longest possible
        // one is taken before a shard begins.
        .results_bytes = 5 * bytes + (64 << 20),
        .timeout_ms = TIMEOUT_MS,
    };
    struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    request.add_special_tokens = false;
    const int status = btk_client_connect(&options, &round->client, &round->error);
    if (status < 0) return status;
    return btk_client_register(round->client, NULL, &request, &round->options_id, &round->error);
}

// A batch with documents [begin, end) written into the slab.
static int fill_batch(struct round_client *round, const struct btk_bytes *documents, size_t count,
                      struct btk_batch **out_batch)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) bytes += documents[i].length;
    const int status =
        btk_client_reserve(round->client, bytes, (uint32_t)count, out_batch, &round->error);
    if (status < 0) return status;
    char *at = btk_batch_text(*out_batch);
    uint64_t *const ends = btk_batch_ends(*out_batch);
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(at + end, documents[i].data, documents[i].length);
        end += documents[i].length;
        ends[i] = end;
    }
    return 0;
}

static int warm_up(struct round_client *round, const struct btk_cluster_work *work)
{
    const struct btk_cut_list documents = warm_up_of(work);
    struct btk_batch *batch = NULL;
    int status = fill_batch(round, documents.pieces, documents.count, &batch);
    if (!status)
        status = btk_client_submit(round->client, batch, round->options_id, 0, &round->error);
    if (!status) status = btk_client_wait(round->client, batch, TIMEOUT_MS, &round->error);
    btk_client_release(round->client, &batch);
    return status;
}

static int fill_all(struct round_client *round, const struct btk_cluster_work *work)
{
    const size_t count = work->documents->count;
    round->batch_count = (count + BATCH_DOCUMENTS - 1) / BATCH_DOCUMENTS;
    round->batches = calloc(round->batch_count, sizeof(struct btk_batch *));
    if (!round->batches) return -ENOMEM;
    for (size_t i = 0; i < round->batch_count; i++) {
        const size_t begin = i * BATCH_DOCUMENTS;
        const int status =
            fill_batch(round, work->documents->pieces + begin,
                       btk_min_size(BATCH_DOCUMENTS, count - begin), &round->batches[i]);
        if (status < 0) return status;
    }
    return 0;
}

static int run_all(struct round_client *round)
{
    for (size_t i = 0; i < round->batch_count; i++) {
        const int status = btk_client_submit(round->client, round->batches[i], round->options_id, 0,
                                             &round->error);
        if (status < 0) return status;
    }
    for (size_t i = 0; i < round->batch_count; i++) {
        const int status =
            btk_client_wait(round->client, round->batches[i], TIMEOUT_MS, &round->error);
        if (status < 0) return status;
    }
    return 0;
}

static void release_all(struct round_client *round)
{
    for (size_t i = 0; i < round->batch_count; i++)
        btk_client_release(round->client, &round->batches[i]);
    free(round->batches);
    round->batches = NULL;
    round->batch_count = 0;
}

// A worker makes its results memory when a client comes, which takes longer than a small batch on
// another one: all of the work is done once, so that every worker has its memory when it counts.
static int rehearse(struct round_client *round, const struct btk_cluster_work *work)
{
    int status = fill_all(round, work);
    if (!status) status = run_all(round);
    if (round->batches) release_all(round);
    return status;
}

static int digest_batch(struct btk_batch *batch, struct btk_hash_stream *stream, uint64_t *tokens)
{
    const uint32_t count = btk_batch_document_count(batch);
    for (uint32_t i = 0; i < count; i++) {
        struct btk_document_view view;
        if (btk_batch_document(batch, i, &view) < 0 || view.status != BTK_STATUS_OK) return -EPROTO;
        btk_hash_stream_update(stream, view.ids, view.token_count * sizeof(uint32_t));
        *tokens += view.token_count;
    }
    return 0;
}

static int digest_all(const struct round_client *round, struct btk_cluster_round *result)
{
    struct btk_hash_stream *const stream = btk_hash_stream_new(0);
    int status = stream ? 0 : -ENOMEM;
    for (size_t i = 0; i < round->batch_count && !status; i++)
        status = digest_batch(round->batches[i], stream, &result->tokens);
    if (!status) result->ids_xxh64 = btk_hash_stream_digest(stream);
    btk_hash_stream_free(stream);
    return status;
}

static int measure(struct round_client *round, const struct btk_cluster_process *cluster,
                   struct btk_cluster_round *result)
{
    const struct btk_cluster_cpu begin = btk_cluster_process_cpu(cluster);
    const uint64_t begin_ns = btk_clock_now_ns();
    int status = run_all(round);
    const uint64_t end_ns = btk_clock_now_ns();
    const struct btk_cluster_cpu end = btk_cluster_process_cpu(cluster);
    result->seconds = (double)(end_ns - begin_ns) / 1e9;
    result->client_cpu_s = (double)(end.client_ns - begin.client_ns) / 1e9;
    result->coordinator_cpu_s = (double)(end.coordinator_ns - begin.coordinator_ns) / 1e9;
    result->workers_cpu_s = (double)(end.workers_ns - begin.workers_ns) / 1e9;
    if (!status) status = digest_all(round, result);
    return status;
}

static void close_client(struct round_client *round)
{
    btk_client_close(&round->client);
    free(round->batches);
}

int btk_cluster_round_run(const struct btk_cluster_work *work, unsigned worker_count,
                          struct btk_cluster_round *out_round, struct btk_error *error)
{
    struct btk_cluster_process cluster;
    const struct btk_cluster_process_options options = {.tokenizer = work->tokenizer,
                                                        .worker_count = worker_count,
                                                        .shard_bytes = work->shard_bytes};
    int status = btk_cluster_process_start(&options, &cluster, error);
    if (status < 0) return status;
    struct btk_cluster_round result = {0};
    struct round_client round = {.error.message = "the cluster gave no result"};
    status = connect_client(&round, work, cluster.endpoint);
    if (!status) status = rehearse(&round, work);
    if (!status) status = warm_up(&round, work);
    if (!status) status = fill_all(&round, work);
    if (status < 0)
        btk_error_import(error, &round.error);
    else
        status = btk_cluster_process_find_workers(&cluster, round.client, error);
    if (!status && (status = measure(&round, &cluster, &result)) < 0)
        btk_error_import(error, &round.error);
    if (!status) *out_round = result;
    close_client(&round);
    btk_cluster_process_stop(&cluster);
    return status;
}
