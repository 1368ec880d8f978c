// SPDX-License-Identifier: Apache-2.0
#include "coordinator/metrics_text.h"

#include "coordinator/coordinator_internal.h"
#include "coordinator/metric_list.h"
#include "coordinator/profile_report.h"

#define NS_PER_SECOND 1e9

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

// --- Values

static void write_count(struct writer *writer, uint64_t value)
{
    PRINT(writer, " %llu\n", (unsigned long long)value);
}

static void write_share(struct writer *writer, double value)
{
    PRINT(writer, " %.6f\n", value);
}

static void write_ns(struct writer *writer, uint64_t value_ns)
{
    PRINT(writer, " %.9f\n", (double)value_ns / NS_PER_SECOND);
}

// A label's value: backslash, quote and newline are escaped, all else stands for itself.
static void write_label(struct writer *writer, const char *value)
{
    for (; *value != 0; value++) {
        if (*value == '\n')
            PRINT(writer, "\\n");
        else
            PRINT(writer, *value == '\\' || *value == '"' ? "\\%c" : "%c", *value);
    }
}

// --- Families

static void write_cluster(struct writer *writer, const struct btk_cluster_snapshot *snapshot)
{
#define CLUSTER(name, type, unit, help, value)                                                     \
    write_head(writer, #name, #type, help);                                                        \
    PRINT(writer, "budtiktok_" #name);                                                             \
    write_##unit(writer, snapshot->value);
    BTK_CLUSTER_METRICS(CLUSTER)
#undef CLUSTER
}

static void write_version(struct writer *writer)
{
    write_head(writer, "build_info", "gauge", "The version that runs, as a label");
    PRINT(writer, "budtiktok_build_info{version=\"%s\"} 1\n", BTK_VERSION);
}

static void write_tokenizer_label(struct writer *writer, const struct btk_image_name *tokenizer)
{
    PRINT(writer, "{tokenizer=\"");
    write_label(writer, tokenizer->name);
    PRINT(writer, "\"}");
}

static void write_tokenizers(struct writer *writer, const struct btk_cluster_snapshot *snapshot)
{
#define TOKENIZER(name, type, unit, help, value)                                                   \
    write_head(writer, #name, #type, help);                                                        \
    for (uint32_t i = 0; i < snapshot->tokenizers.count; i++) {                                    \
        PRINT(writer, "budtiktok_" #name);                                                         \
        write_tokenizer_label(writer, snapshot->tokenizers.list + i);                              \
        write_##unit(writer, snapshot->tokenizer_list[i].value);                                   \
    }
    BTK_TOKENIZER_METRICS(TOKENIZER)
#undef TOKENIZER
}

static void write_workers(struct writer *writer, const struct btk_cluster_snapshot *snapshot)
{
#define WORKER(name, type, unit, help, value)                                                      \
    write_head(writer, #name, #type, help);                                                        \
    for (uint32_t i = 0; i < snapshot->worker_count; i++) {                                        \
        PRINT(writer, "budtiktok_" #name "{worker=\"%u\"}", i);                                    \
        write_##unit(writer, snapshot->workers[i].value);                                          \
    }
    BTK_WORKER_METRICS(WORKER)
#undef WORKER
}

// A bucket of ours is counted where all of it is below the bound: at most 3.2 % too few.
static void write_histogram(struct writer *writer, const char *name, const char *help,
                            const struct btk_histogram_snapshot *histogram)
{
    static const uint64_t bounds_us[] = {
        1,    2,     5,     10,    20,     50,     100,    200,     500,     1000,    2000,
        5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000, 10000000};
    write_head(writer, name, "histogram", help);
    for (size_t i = 0; i < BTK_ARRAY_COUNT(bounds_us); i++)
        PRINT(writer, "budtiktok_%s_bucket{le=\"%g\"} %llu\n", name, (double)bounds_us[i] / 1e6,
              (unsigned long long)btk_histogram_count_below(histogram, bounds_us[i] * 1000));
    PRINT(writer, "budtiktok_%s_bucket{le=\"+Inf\"} %llu\n", name,
          (unsigned long long)histogram->count);
    PRINT(writer, "budtiktok_%s_sum %.9f\nbudtiktok_%s_count %llu\n", name,
          (double)histogram->sum_ns / NS_PER_SECOND, name, (unsigned long long)histogram->count);
}

static void write_histograms(struct writer *writer, const struct btk_latency_set *set)
{
#define HISTOGRAM(name, help, part) write_histogram(writer, #name, help, set->parts + (part));
    BTK_HISTOGRAM_METRICS(HISTOGRAM)
#undef HISTOGRAM
}

int btk_metrics_text_write(const struct btk_cluster_snapshot *snapshot, struct btk_buffer *out_text)
{
    struct writer writer = {.text = out_text};
    write_cluster(&writer, snapshot);
    write_version(&writer);
    write_tokenizers(&writer, snapshot);
    write_workers(&writer, snapshot);
    write_histograms(&writer, &snapshot->since_start);
    if (writer.status == 0) writer.status = btk_profile_report_metrics(snapshot, out_text);
    return writer.status;
}
