// SPDX-License-Identifier: Apache-2.0
#include "coordinator/latency_json.h"

#include <stdio.h>

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

static void write_us(struct btk_json_writer *writer, int part, const char *what, uint64_t value_ns)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s_us", btk_latency_names[part], what);
    btk_json_name(writer, name);
    btk_json_real(writer, (double)value_ns / 1000);
}

static void write_quantile(struct btk_json_writer *writer, const struct btk_latency_set *set,
                           int part, size_t which)
{
    write_us(writer, part, quantiles[which].name,
             btk_histogram_percentile(set->parts + part, quantiles[which].share));
}

// The keys that people look for stand first.
void btk_latency_json_set(struct btk_json_writer *writer, const struct btk_latency_set *set)
{
    write_quantile(writer, set, BTK_LATENCY_TOKENIZATION, 0);
    write_quantile(writer, set, BTK_LATENCY_TOKENIZATION, 2);
    write_quantile(writer, set, BTK_LATENCY_IPC_TRANSFER, 0);
    write_quantile(writer, set, BTK_LATENCY_QUEUE_WAIT, 0);
    for (int part = 0; part < BTK_LATENCY_PARTS; part++) {
        for (size_t i = 0; i < BTK_ARRAY_COUNT(quantiles); i++) {
            const bool is_written = (part != BTK_LATENCY_RETURN && i == 0)
                                    || (part == BTK_LATENCY_TOKENIZATION && i == 2);
            if (!is_written) write_quantile(writer, set, part, i);
        }
        write_us(writer, part, "max", set->parts[part].max_ns);
        char name[64];
        snprintf(name, sizeof name, "%s_count", btk_latency_names[part]);
        btk_latency_json_number(writer, name, set->parts[part].count);
    }
}

void btk_latency_json_counts(struct btk_json_writer *writer,
                             const struct btk_scheduler_counts *counts)
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

static void write_window(struct btk_json_writer *writer, const char *name,
                         const struct btk_latency_set *set)
{
    btk_json_name(writer, name);
    btk_json_begin_object(writer);
    btk_latency_json_set(writer, set);
    btk_json_end_object(writer);
}

static void write_worker(struct btk_json_writer *writer, const struct btk_worker_snapshot *worker)
{
    btk_json_begin_object(writer);
    btk_latency_json_number(writer, "worker", worker->id);
    btk_json_name(writer, "utilization");
    btk_json_real(writer, worker->utilization);
    btk_json_name(writer, "duty_cycle_max_us");
    btk_json_real(writer, (double)worker->totals.duty_cycle_max_ns / 1000);
    btk_latency_json_set(writer, &worker->totals.latency);
    btk_json_end_object(writer);
}

int btk_latency_json_write(const struct btk_cluster_snapshot *snapshot, struct btk_buffer *out_json)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, out_json);
    btk_json_begin_object(&writer);
    btk_latency_json_set(&writer, &snapshot->since_start);
    btk_latency_json_number(&writer, "uptime_ms",
                            (snapshot->taken_ns - snapshot->started_ns) / 1000000);
    btk_json_name(&writer, "workers");
    btk_json_begin_array(&writer);
    for (uint32_t i = 0; i < snapshot->worker_count; i++)
        write_worker(&writer, snapshot->workers + i);
    btk_json_end_array(&writer);
    btk_json_name(&writer, "windows");
    btk_json_begin_object(&writer);
    write_window(&writer, "10s", &snapshot->last_10s);
    write_window(&writer, "60s", &snapshot->last_60s);
    write_window(&writer, "since_start", &snapshot->since_start);
    btk_json_end_object(&writer);
    btk_profile_report_json(&writer, snapshot);
    btk_json_end_object(&writer);
    return writer.status;
}
