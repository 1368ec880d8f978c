// SPDX-License-Identifier: Apache-2.0
#include "bench/load_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/json_writer.h"

static const char *const row_names[BTK_LOAD_ROWS] = {"latency",      "queue_wait", "ipc_transfer",
                                                     "tokenization", "return",     "send_delay"};

static const struct {
    const char *name;
    double quantile;
} percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

static double percentile_us(const struct btk_histogram_snapshot *row, double quantile)
{
    return (double)btk_histogram_percentile(row, quantile) / 1000;
}

static bool is_shown(unsigned row, const struct btk_load_run_plan *plan, bool has_parts)
{
    if (row == BTK_LOAD_LATENCY) return true;
    return row == BTK_LOAD_SEND_DELAY ? plan->rate > 0 : has_parts;
}

static void print_load(const struct btk_load_run_plan *plan)
{
    if (plan->rate > 0)
        printf("open loop, %g requests/s, %s arrivals; latency from when a request was due\n",
               plan->rate, plan->is_poisson ? "poisson" : "constant");
    else
        printf("closed loop, %u in flight\n", plan->in_flight);
}

void btk_load_report_print(const struct btk_load_run_plan *plan, bool has_parts,
                           const struct btk_load_result *result)
{
    print_load(plan);
    printf("  %.2f s: %" PRIu64 " done (%.1f/s, %.2f MB/s", result->seconds, result->done,
           (double)result->done / result->seconds, (double)result->bytes / 1e6 / result->seconds);
    // By HTTP nobody counts them.
    if (has_parts) printf(", %.0f tokens/s", (double)result->tokens / result->seconds);
    printf("), %" PRIu64 " refused, %" PRIu64 " failed, %" PRIu64 " not sent, %" PRIu64 " lost\n",
           result->refused, result->failed, result->not_sent, result->lost);
    for (unsigned i = 0; i < BTK_LOAD_ROWS; i++) {
        const struct btk_histogram_snapshot *const row = &result->rows[i];
        if (!is_shown(i, plan, has_parts)) continue;
        printf("  %-12s", row_names[i]);
        for (size_t j = 0; j < BTK_ARRAY_COUNT(percentiles); j++)
            printf("  %s %9.1f", percentiles[j].name, percentile_us(row, percentiles[j].quantile));
        printf("  max %9.1f us\n", (double)row->max_ns / 1000);
    }
    if (!has_parts) return;
    printf("  parts add up to the caller's clock within 5 %% or 20 us: %" PRIu64 " of %" PRIu64
           "; in sum they explain %.2f %% of it\n",
           result->sums_right, result->sums_checked,
           result->caller_ns ? 100.0 * (double)result->parts_ns / (double)result->caller_ns
                             : 100.0);
}

static void write_number(struct btk_json_writer *writer, const char *name, uint64_t value)
{
    btk_json_name(writer, name);
    btk_json_unsigned(writer, value);
}

static void write_real(struct btk_json_writer *writer, const char *name, double value)
{
    btk_json_name(writer, name);
    btk_json_real(writer, value);
}

static void write_row(struct btk_json_writer *writer, const char *name,
                      const struct btk_histogram_snapshot *row)
{
    char full[64];
    for (size_t i = 0; i < BTK_ARRAY_COUNT(percentiles); i++) {
        snprintf(full, sizeof full, "%s_%s_us", name, percentiles[i].name);
        write_real(writer, full, percentile_us(row, percentiles[i].quantile));
    }
    snprintf(full, sizeof full, "%s_max_us", name);
    write_real(writer, full, (double)row->max_ns / 1000);
}

static void write_load(struct btk_json_writer *writer, const struct btk_load_run_plan *plan)
{
    btk_json_name(writer, "loop");
    btk_json_string(writer, plan->rate > 0 ? "open" : "closed");
    if (plan->rate > 0) {
        write_real(writer, "rate", plan->rate);
        btk_json_name(writer, "arrivals");
        btk_json_string(writer, plan->is_poisson ? "poisson" : "constant");
    } else {
        write_number(writer, "concurrency", plan->in_flight);
    }
}

static void write_counts(struct btk_json_writer *writer, bool has_parts,
                         const struct btk_load_result *result)
{
    write_real(writer, "seconds", result->seconds);
    write_number(writer, "done", result->done);
    write_number(writer, "refused", result->refused);
    write_number(writer, "failed", result->failed);
    write_number(writer, "not_sent", result->not_sent);
    write_number(writer, "lost", result->lost);
    write_real(writer, "requests_per_s", (double)result->done / result->seconds);
    write_real(writer, "mb_per_s", (double)result->bytes / 1e6 / result->seconds);
    write_number(writer, "bytes", result->bytes);
    if (has_parts) write_number(writer, "tokens", result->tokens);
}

int btk_load_report_print_json(const struct btk_load_run_plan *plan, bool has_parts,
                               const struct btk_load_result *result)
{
    struct btk_buffer line;
    struct btk_json_writer writer;
    btk_buffer_init(&line);
    btk_json_writer_init(&writer, &line);
    btk_json_begin_object(&writer);
    write_load(&writer, plan);
    write_counts(&writer, has_parts, result);
    for (unsigned i = 0; i < BTK_LOAD_ROWS; i++)
        if (is_shown(i, plan, has_parts)) write_row(&writer, row_names[i], &result->rows[i]);
    if (has_parts) {
        write_number(&writer, "sums_checked", result->sums_checked);
        write_number(&writer, "sums_right", result->sums_right);
        write_number(&writer, "caller_ns", result->caller_ns);
        write_number(&writer, "parts_ns", result->parts_ns);
    }
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)line.length, (const char *)line.data);
    fflush(stdout);
    btk_buffer_clear(&line);
    return writer.status;
}
