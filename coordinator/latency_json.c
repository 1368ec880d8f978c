// SPDX-License-Identifier: Apache-2.0
#include "coordinator/latency_json.h"

#include <stdio.h>

#include "coordinator/coordinator_internal.h"
#include "coordinator/profile_report.h"

static const struct quantile {
    const char *name;
    double share;
} quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

void btk_latency_json_number(struct btk_json_writer *writer, const char *name, uint64_t number)
{
    btk_json_name(writer, name);
    btk_json_unsigned(writer, number);
}

static void write_us(struct btk_json_writer *writer, int part, const char *what, double value_ns)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s_us", btk_latency_names[part], what);
    btk_json_name(writer, name);
    btk_json_real(writer, value_ns / 1000);
}

static void write_quantile(struct btk_json_writer *writer, const struct btk_latency_set *set,
                           int part, size_t which)
{
    write_us(writer, part, quantiles[which].name,
             (double)btk_histogram_percentile(set->parts + part, quantiles[which].share));
}

// What the first keys of a set have said already.
static bool is_flat_first(int part, size_t quantile)
{
    return (part != BTK_LATENCY_RETURN && quantile == 0)
           || (part == BTK_LATENCY_TOKENIZATION && quantile == 2);
}

static void write_part(struct btk_json_writer *writer, const struct btk_latency_set *set, int part)
{
    const struct btk_histogram_snapshot *histogram = set->parts + part;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(quantiles); i++)
        if (!is_flat_first(part, i)) write_quantile(writer, set, part, i);
    const double count = histogram->count == 0 ? 1 : (double)histogram->count;
    write_us(writer, part, "mean", (double)histogram->sum_ns / count);
    write_us(writer, part, "max", (double)histogram->max_ns);
    char name[64];
    snprintf(name, sizeof name, "%s_count", btk_latency_names[part]);
    btk_latency_json_number(writer, name, histogram->count);
}

// The keys that people look for stand first.
static void write_parts(struct btk_json_writer *writer, const struct btk_latency_set *set,
                        int part_count)
{
    write_quantile(writer, set, BTK_LATENCY_TOKENIZATION, 0);
    write_quantile(writer, set, BTK_LATENCY_TOKENIZATION, 2);
    write_quantile(writer, set, BTK_LATENCY_IPC_TRANSFER, 0);
    write_quantile(writer, set, BTK_LATENCY_QUEUE_WAIT, 0);
    for (int part = 0; part < part_count; part++) write_part(writer, set, part);
}

void btk_latency_json_set(struct btk_json_writer *writer, const struct btk_latency_set *set)
{
    write_parts(writer, set, BTK_LATENCY_PARTS);
}

static void write_window(struct btk_json_writer *writer, const char *name,
                         const struct btk_latency_set *set, int part_count)
{
    btk_json_name(writer, name);
    btk_json_begin_object(writer);
    write_parts(writer, set, part_count);
    btk_json_end_object(writer);
}

void btk_latency_json_window(struct btk_json_writer *writer, const char *name,
                             const struct btk_latency_set *set)
{
    write_window(writer, name, set, BTK_LATENCY_PARTS);
}

// --- The cluster

static void write_counts(struct btk_json_writer *writer, const struct btk_scheduler_counts *counts)
{
    btk_latency_json_number(writer, "queue_depth", counts->queue_depth);
    btk_latency_json_number(writer, "queue_bytes", counts->queue_bytes);
    btk_latency_json_number(writer, "batches_in_flight", counts->batches_in_flight);
    btk_latency_json_number(writer, "shards_running", counts->shards_running);
    btk_latency_json_number(writer, "requests_total", counts->requests_total);
    btk_latency_json_number(writer, "batches_done_total", counts->batches_done_total);
    btk_latency_json_number(writer, "batches_failed_total", counts->batches_failed_total);
    btk_latency_json_number(writer, "batches_refused_total", counts->batches_refused_total);
    btk_latency_json_number(writer, "shards_total", counts->shards_total);
    btk_latency_json_number(writer, "shards_returned_total", counts->shards_returned_total);
    btk_latency_json_number(writer, "shards_poisoned_total", counts->shards_poisoned_total);
    btk_latency_json_number(writer, "documents_total", counts->documents_total);
    btk_latency_json_number(writer, "tokens_total", counts->tokens_total);
    btk_latency_json_number(writer, "bytes_total", counts->bytes_total);
}

void btk_latency_json_cluster(struct btk_json_writer *writer,
                              const struct btk_cluster_snapshot *snapshot)
{
    btk_latency_json_number(writer, "uptime_ms", snapshot->uptime_ns / 1000000);
    btk_json_name(writer, "draining");
    btk_json_bool(writer, snapshot->stage >= BTK_COORDINATOR_DRAINING);
    btk_latency_json_number(writer, "workers_ready", snapshot->ready_count);
    btk_latency_json_number(writer, "client_count", snapshot->client_count);
    write_counts(writer, &snapshot->counts);
}

void btk_latency_json_tokenizers(struct btk_json_writer *writer,
                                 const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "tokenizers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < snapshot->tokenizers.count; i++) {
        btk_json_begin_object(writer);
        btk_json_name(writer, "name");
        btk_json_string(writer, snapshot->tokenizers.list[i].name);
        btk_latency_json_number(writer, "id", snapshot->tokenizer_list[i].id);
        btk_latency_json_number(writer, "image_bytes", snapshot->tokenizer_list[i].image_bytes);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

// --- Workers

static void write_worker_counts(struct btk_json_writer *writer,
                                const struct btk_worker_totals *totals)
{
    btk_latency_json_number(writer, "shards", totals->shards);
    btk_latency_json_number(writer, "documents", totals->documents);
    btk_latency_json_number(writer, "document_errors", totals->document_errors);
    btk_latency_json_number(writer, "bytes", totals->bytes);
    btk_latency_json_number(writer, "tokens", totals->tokens);
    btk_latency_json_number(writer, "cache_hits", totals->cache_hits);
    btk_latency_json_number(writer, "cache_misses", totals->cache_misses);
    btk_json_name(writer, "duty_cycle_max_us");
    btk_json_real(writer, (double)totals->duty_cycle_max_ns / 1000);
}

void btk_latency_json_worker(struct btk_json_writer *writer,
                             const struct btk_worker_snapshot *worker)
{
    btk_latency_json_number(writer, "worker", worker->id);
    btk_latency_json_number(writer, "pid", worker->pid);
    btk_latency_json_number(writer, "epoch", worker->epoch);
    btk_latency_json_number(writer, "cpu", worker->cpu);
    btk_json_name(writer, "ready");
    btk_json_bool(writer, worker->is_ready);
    btk_json_name(writer, "utilization");
    btk_json_real(writer, worker->utilization);
    btk_latency_json_number(writer, "queue_depth", worker->queue_depth);
    btk_latency_json_number(writer, "restarts", worker->restarts);
    write_worker_counts(writer, &worker->totals);
}

static void write_worker(struct btk_json_writer *writer, const struct btk_worker_snapshot *worker)
{
    btk_json_begin_object(writer);
    btk_latency_json_worker(writer, worker);
    write_parts(writer, &worker->totals.latency, BTK_LATENCY_RETURN);
    btk_json_name(writer, "windows");
    btk_json_begin_object(writer);
    write_window(writer, "10s", &worker->last_10s, BTK_LATENCY_RETURN);
    write_window(writer, "60s", &worker->last_60s, BTK_LATENCY_RETURN);
    btk_json_end_object(writer);
    btk_json_end_object(writer);
}

static void write_workers(struct btk_json_writer *writer,
                          const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "workers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < snapshot->worker_count; i++)
        write_worker(writer, snapshot->workers + i);
    btk_json_end_array(writer);
}

// --- The whole

static void write_windows(struct btk_json_writer *writer,
                          const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "windows");
    btk_json_begin_object(writer);
    btk_latency_json_window(writer, "10s", &snapshot->last_10s);
    btk_latency_json_window(writer, "60s", &snapshot->last_60s);
    btk_latency_json_window(writer, "since_start", &snapshot->since_start);
    btk_json_end_object(writer);
}

int btk_latency_json_write(const struct btk_cluster_snapshot *snapshot, struct btk_buffer *out_json)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_object(&writer);
    btk_latency_json_set(&writer, &snapshot->since_start);
    btk_latency_json_cluster(&writer, snapshot);
    btk_latency_json_tokenizers(&writer, snapshot);
    write_workers(&writer, snapshot);
    write_windows(&writer, snapshot);
    btk_profile_report_json(&writer, snapshot);
    btk_json_end_object(&writer);
    return writer.status;
}
