// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics_text.h"

#include "coordinator/profile_report.h"

// --- The list: one line a metric

#define CLUSTER_METRICS(METRIC)                                                                    \
    METRIC(requests_total, counter, "Batches that clients submitted", counts.requests_total)       \
    METRIC(batches_done_total, counter, "Batches that were finished", counts.batches_done_total)   \
    METRIC(batches_failed_total, counter, "Batches that failed or were refused",                   \
           counts.batches_failed_total)                                                            \
    METRIC(batches_refused_total, counter, "Batches refused for overload",                         \
           counts.batches_refused_total)                                                           \
    METRIC(shards_total, counter, "Shards that were finished", counts.shards_total)                \
    METRIC(shards_returned_total, counter, "Shards taken back from workers that died",             \
           counts.shards_returned_total)                                                           \
    METRIC(shards_poisoned_total, counter, "Shards given up because workers died of them",         \
           counts.shards_poisoned_total)                                                           \
    METRIC(documents_total, counter, "Documents that were tokenized", counts.documents_total)      \
    METRIC(tokens_processed_total, counter, "Tokens that were produced", counts.tokens_total)      \
    METRIC(tokens_processed, untyped, "The same, by its older name", counts.tokens_total)          \
    METRIC(bytes_processed_total, counter, "Text that was tokenized", counts.bytes_total)          \
    METRIC(queue_depth, gauge, "Batches and shards that wait for a worker", counts.queue_depth)    \
    METRIC(queue_bytes, gauge, "Text that waits for a worker", counts.queue_bytes)                 \
    METRIC(batches_in_flight, gauge, "Batches submitted and not finished",                         \
           counts.batches_in_flight)                                                               \
    METRIC(shards_running, gauge, "Shards that workers have", counts.shards_running)               \
    METRIC(clients, gauge, "Attached clients", client_count)                                       \
    METRIC(slab_bytes, gauge, "Shared memory for text", slab_bytes)                                \
    METRIC(workers_ready, gauge, "Workers that take work", ready_count)

#define WORKER_METRICS(METRIC)                                                                     \
    METRIC(worker_queue_depth, gauge, "Shards that the worker has", queue_depth)                   \
    METRIC(worker_restarts_total, counter, "Deaths in this place", restarts)                       \
    METRIC(worker_shards_total, counter, "Shards of this worker", totals.shards)                   \
    METRIC(worker_documents_total, counter, "Documents of this worker", totals.documents)          \
    METRIC(worker_document_errors_total, counter, "Documents with an error of their own",          \
           totals.document_errors)                                                                 \
    METRIC(worker_bytes_total, counter, "Text of this worker", totals.bytes)                       \
    METRIC(worker_tokens_total, counter, "Tokens of this worker", totals.tokens)                   \
    METRIC(worker_cache_hits_total, counter, "Pieces found in the cache", totals.cache_hits)       \
    METRIC(worker_cache_misses_total, counter, "Pieces not found in the cache", totals.cache_misses)

// --- Writing

struct writer {
    struct btk_buffer *text;
    int status;
};

#define PRINT(writer, ...)                                                                         \
    do {                                                                                           \
        if ((writer)->status == 0)                                                                 \
            (writer)->status = btk_buffer_printf((writer)->text, __VA_ARGS__);                     \
    } while (0)

static void write_head(struct writer *writer, const char *name, const char *type, const char *help)
{
    PRINT(writer, "# HELP budtiktok_%s %s.\n# TYPE budtiktok_%s %s\n", name, help, name, type);
}

static void write_cluster(struct writer *writer, const struct btk_cluster_snapshot *snapshot)
{
#define METRIC(name, type, help, field)                                                            \
    write_head(writer, #name, #type, help);                                                        \
    PRINT(writer, "budtiktok_" #name " %llu\n", (unsigned long long)snapshot->field);
    CLUSTER_METRICS(METRIC)
#undef METRIC
}

static void write_workers(struct writer *writer, const struct btk_cluster_snapshot *snapshot)
{
    write_head(writer, "worker_utilization", "gauge", "Share of the last second spent encoding");
    for (uint32_t i = 0; i < snapshot->worker_count; i++)
        PRINT(writer, "budtiktok_worker_utilization{worker=\"%u\"} %.6f\n", i,
              snapshot->workers[i].utilization);
#define METRIC(name, type, help, field)                                                            \
    write_head(writer, #name, #type, help);                                                        \
    for (uint32_t i = 0; i < snapshot->worker_count; i++)                                          \
        PRINT(writer, "budtiktok_" #name "{worker=\"%u\"} %llu\n", i,                              \
              (unsigned long long)snapshot->workers[i].field);
    WORKER_METRICS(METRIC)
#undef METRIC
}

// The bounds are those of our buckets nearest below the round number, so that counts are exact.
static void write_histogram(struct writer *writer, const char *name, const char *help,
                            const struct btk_histogram_snapshot *histogram)
{
    static const uint64_t bounds_us[] = {5,    10,   20,    50,    100,   200,    500,    1000,
                                         2000, 5000, 10000, 20000, 50000, 100000, 500000, 1000000};
    write_head(writer, name, "histogram", help);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(bounds_us); i++)
        PRINT(writer, "budtiktok_%s_bucket{le=\"%g\"} %llu\n", name, (double)bounds_us[i] / 1e6,
              (unsigned long long)btk_histogram_count_below(histogram, bounds_us[i] * 1000));
    PRINT(writer, "budtiktok_%s_bucket{le=\"+Inf\"} %llu\n", name,
          (unsigned long long)histogram->count);
    PRINT(writer, "budtiktok_%s_sum %.9f\nbudtiktok_%s_count %llu\n", name,
          (double)histogram->sum_ns / 1e9, name, (unsigned long long)histogram->count);
}

int btk_metrics_text_write(const struct btk_cluster_snapshot *snapshot, struct btk_buffer *out_text)
{
    struct writer writer = {.text = out_text};
    const struct btk_histogram_snapshot *parts = snapshot->since_start.parts;
    write_cluster(&writer, snapshot);
    write_workers(&writer, snapshot);
    write_head(&writer, "uptime_seconds", "gauge", "Time since the coordinator started");
    PRINT(&writer, "budtiktok_uptime_seconds %.3f\n",
          (double)(snapshot->taken_ns - snapshot->started_ns) / 1e9);
    write_histogram(&writer, "tokenization_duration_seconds", "Time of a shard in its worker",
                    parts + BTK_LATENCY_TOKENIZATION);
    write_histogram(&writer, "ipc_transfer_seconds", "Time of a shard on the way to its worker",
                    parts + BTK_LATENCY_IPC_TRANSFER);
    write_histogram(&writer, "queue_wait_seconds", "Time of a shard before a worker was free",
                    parts + BTK_LATENCY_QUEUE_WAIT);
    write_histogram(&writer, "return_seconds",
                    "Time from the end of a shard until its caller had it",
                    parts + BTK_LATENCY_RETURN);
    if (writer.status == 0) writer.status = btk_profile_report_metrics(snapshot, out_text);
    return writer.status;
}
