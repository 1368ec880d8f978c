// SPDX-License-Identifier: Apache-2.0
#include "bench/round_trip.h"

#include <budtiktok/client.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/cluster_process.h"
#include "bench/figures.h"
#include "bench/text_source.h"
#include "common/clock.h"
#include "tools/open_tokenizer.h"

enum { SHARD_BYTES = 65536, WARM_UP_TRIPS = 200, TIMEOUT_MS = 10000 };

static const char *const row_names[BTK_TRIP_ROWS] = {"round_trip",   "queue_wait", "ipc_transfer",
                                                     "tokenization", "return",     "unexplained"};

struct trip_client {
    struct btk_client *client;
    uint32_t options_id;
    struct btk_error_info error;
};

// One trip; row_ns[0..BTK_TRIP_ROWS).
static int make_trip(struct trip_client *trip, struct btk_bytes document, uint64_t *row_ns)
{
    const char *const texts[1] = {(const char *)document.data};
    const size_t lengths[1] = {document.length};
    struct btk_batch *batch = NULL;
    struct btk_document_view view;
    struct btk_batch_timing timing;
    const uint64_t begin_ns = btk_clock_now_ns();
    int status = btk_client_submit_documents(trip->client, texts, lengths, 1, trip->options_id, 0,
                                             &batch, &trip->error);
    if (!status) status = btk_client_wait(trip->client, batch, TIMEOUT_MS, &trip->error);
    if (!status) status = btk_batch_document(batch, 0, &view);
    const uint64_t end_ns = btk_clock_now_ns();
    if (!status) status = btk_batch_timing(batch, &timing);
    btk_client_release(trip->client, &batch);
    if (status < 0) return status;
    const uint64_t parts_ns =
        timing.queue_wait_ns + timing.ipc_transfer_ns + timing.tokenization_ns + timing.return_ns;
    const uint64_t caller_ns = end_ns - begin_ns;
    row_ns[BTK_TRIP_CALLER] = caller_ns;
    row_ns[BTK_TRIP_QUEUE_WAIT] = timing.queue_wait_ns;
    row_ns[BTK_TRIP_IPC_TRANSFER] = timing.ipc_transfer_ns;
    row_ns[BTK_TRIP_TOKENIZATION] = timing.tokenization_ns;
    row_ns[BTK_TRIP_RETURN] = timing.return_ns;
    row_ns[BTK_TRIP_UNEXPLAINED] =
        caller_ns > parts_ns ? caller_ns - parts_ns : parts_ns - caller_ns;
    return 0;
}

static bool is_row_right(const uint64_t *row_ns)
{
    uint64_t parts_ns = 0;
    for (unsigned i = BTK_TRIP_QUEUE_WAIT; i <= BTK_TRIP_RETURN; i++) parts_ns += row_ns[i];
    return btk_figures_add_up(row_ns[BTK_TRIP_CALLER], parts_ns);
}

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static struct btk_trip_figures figures_of(uint64_t *values_ns, size_t count)
{
    qsort(values_ns, count, sizeof *values_ns, compare);
    return (struct btk_trip_figures){
        .p50_us = (double)values_ns[count / 2] / 1000,
        .p90_us = (double)values_ns[count * 9 / 10] / 1000,
        .p99_us = (double)values_ns[count * 99 / 100] / 1000,
        .max_us = (double)values_ns[count - 1] / 1000,
    };
}

static int make_trips(struct trip_client *trip, const struct btk_round_trip_plan *plan,
                      struct btk_round_trips *trips)
{
    struct btk_text_source source;
    uint64_t row_ns[BTK_TRIP_ROWS];
    uint64_t *const values_ns = malloc(BTK_TRIP_ROWS * plan->count * sizeof *values_ns);
    if (!values_ns) return -ENOMEM;
    btk_text_source_init(&source, plan->text);
    int status = 0;
    for (size_t i = 0; i < WARM_UP_TRIPS && !status; i++)
        status = make_trip(trip, btk_text_source_next(&source, plan->document_bytes), row_ns);
    for (size_t i = 0; i < plan->count && !status; i++) {
        status = make_trip(trip, btk_text_source_next(&source, plan->document_bytes), row_ns);
        trips->sums_right += !status && is_row_right(row_ns);
        for (unsigned row = 0; row < BTK_TRIP_ROWS; row++)
            values_ns[row * plan->count + i] = row_ns[row];
    }
    for (unsigned row = 0; row < BTK_TRIP_ROWS && !status; row++)
        trips->rows[row] = figures_of(values_ns + row * plan->count, plan->count);
    trips->count = plan->count;
    trips->document_bytes = plan->document_bytes;
    free(values_ns);
    return status;
}

int btk_round_trips_run(const struct btk_round_trip_plan *plan, struct btk_round_trips *out_trips,
                        struct btk_error *error)
{
    struct btk_cluster_process cluster;
    const struct btk_cluster_process_options options = {.tokenizer = plan->tokenizer,
                                                        .worker_count = plan->worker_count,
                                                        .shard_bytes = SHARD_BYTES};
    int status = btk_cluster_process_start(&options, &cluster, error);
    if (status < 0) return status;
    struct btk_round_trips trips = {0};
    struct trip_client trip = {.error.message = "the cluster gave no result"};
    const struct btk_client_options client = {.endpoint = cluster.endpoint};
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    status = btk_client_connect(&client, &trip.client, &trip.error);
    if (!status)
        status = btk_client_register(trip.client, NULL, &request, &trip.options_id, &trip.error);
    if (!status) status = make_trips(&trip, plan, &trips);
    if (status < 0)
        btk_error_import(error, &trip.error);
    else
        *out_trips = trips;
    btk_client_close(&trip.client);
    btk_cluster_process_stop(&cluster);
    return status;
}

void btk_round_trips_print(const struct btk_round_trips *trips)
{
    printf("round trip of one document of %zu bytes through an idle cluster, %zu of them, us:\n",
           trips->document_bytes, trips->count);
    for (unsigned i = 0; i < BTK_TRIP_ROWS; i++)
        printf("  %-12s  p50 %8.1f  p90 %8.1f  p99 %8.1f  max %8.1f\n", row_names[i],
               trips->rows[i].p50_us, trips->rows[i].p90_us, trips->rows[i].p99_us,
               trips->rows[i].max_us);
    printf("  parts add up to the caller's clock within 5 %% or 20 us: %zu of %zu\n",
           trips->sums_right, trips->count);
}

static void write_row(struct btk_json_writer *writer, const char *name,
                      const struct btk_trip_figures *row)
{
    const struct {
        const char *name;
        double value;
    } members[] = {
        {"p50", row->p50_us}, {"p90", row->p90_us}, {"p99", row->p99_us}, {"max", row->max_us}};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(members); i++) {
        char full[64];
        snprintf(full, sizeof full, "%s_%s_us", name, members[i].name);
        btk_json_name(writer, full);
        btk_json_real(writer, members[i].value);
    }
}

void btk_round_trips_write(const struct btk_round_trips *trips, struct btk_json_writer *writer)
{
    btk_json_begin_object(writer);
    btk_json_name(writer, "document_bytes");
    btk_json_unsigned(writer, trips->document_bytes);
    btk_json_name(writer, "count");
    btk_json_unsigned(writer, trips->count);
    for (unsigned i = 0; i < BTK_TRIP_ROWS; i++) write_row(writer, row_names[i], &trips->rows[i]);
    btk_json_name(writer, "sums_right");
    btk_json_unsigned(writer, trips->sums_right);
    btk_json_end_object(writer);
}
