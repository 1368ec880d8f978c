// SPDX-License-Identifier: Apache-2.0
#include "coordinator/profile_report.h"

#include <stdio.h>

#include "common/profile.h"

// --- /debug/latency

static void write_tokenizers(struct btk_json_writer *writer,
                             const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "tokenizers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < snapshot->tokenizers.count; i++) {
        btk_json_begin_object(writer);
        btk_json_name(writer, "tokenizer");
        btk_json_string(writer, snapshot->tokenizers.list[i].name);
        btk_profile_json_write_members(writer, &snapshot->profiles[i]);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

static void write_workers(struct btk_json_writer *writer,
                          const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "workers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < snapshot->worker_count; i++) {
        btk_json_begin_object(writer);
        btk_json_name(writer, "worker");
        btk_json_unsigned(writer, snapshot->workers[i].id);
        btk_profile_json_write_members(writer, &snapshot->workers[i].totals.profile);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

void btk_profile_report_json(struct btk_json_writer *writer,
                             const struct btk_cluster_snapshot *snapshot)
{
    if (!snapshot->has_profiles) return;
    btk_json_name(writer, "profile");
    btk_json_begin_object(writer);
    write_tokenizers(writer, snapshot);
    write_workers(writer, snapshot);
    btk_json_end_object(writer);
}

// --- /metrics

// What a profile is of: one label.
struct subject {
    const char *prefix; // of the metrics' names
    const char *label;
    char value[BTK_IMAGE_NAME_MAX * 2]; // escaped
    const struct btk_profile *profile;
};

// The text format's escapes of a label's value; names have no newline.
static void escape(const char *name, char *out, size_t out_bytes)
{
    size_t at = 0;
    for (; *name && at + 2 < out_bytes; name++) {
        if (*name == '"' || *name == '\\') out[at++] = '\\';
        out[at++] = *name;
    }
    out[at] = 0;
}

static struct subject subject_of(const struct btk_cluster_snapshot *snapshot, bool is_worker,
                                 uint32_t index)
{
    struct subject subject = {.prefix = is_worker ? "worker_" : "",
                              .label = is_worker ? "worker" : "tokenizer"};
    if (is_worker) {
        snprintf(subject.value, sizeof subject.value, "%u", snapshot->workers[index].id);
        subject.profile = &snapshot->workers[index].totals.profile;
    } else {
        escape(snapshot->tokenizers.list[index].name, subject.value, sizeof subject.value);
        subject.profile = &snapshot->profiles[index];
    }
    return subject;
}

static int print_stages(const struct subject *subject, struct btk_buffer *out)
{
    int status = 0;
    for (int stage = 0; stage < BTK_ENCODE_STAGE_COUNT && !status; stage++)
        status = btk_buffer_printf(
            out, "budtiktok_%sstage_seconds_total{%s=\"%s\",stage=\"%s\"} %.9f\n", subject->prefix,
            subject->label, subject->value, btk_encode_stage_names[stage],
            (double)subject->profile->stage_ns[stage] / 1e9);
    return status;
}

static int print_staged_bytes(const struct subject *subject, struct btk_buffer *out)
{
    return btk_buffer_printf(out, "budtiktok_%sstage_sampled_bytes_total{%s=\"%s\"} %llu\n",
                             subject->prefix, subject->label, subject->value,
                             (unsigned long long)subject->profile->staged.bytes);
}

static int print_staged_seconds(const struct subject *subject, struct btk_buffer *out)
{
    return btk_buffer_printf(out, "budtiktok_%sstage_sampled_seconds_total{%s=\"%s\"} %.9f\n",
                             subject->prefix, subject->label, subject->value,
                             (double)subject->profile->staged.ns / 1e9);
}

static int print_fused_bytes(const struct subject *subject, struct btk_buffer *out)
{
    return btk_buffer_printf(out, "budtiktok_%sstage_fused_bytes_total{%s=\"%s\"} %llu\n",
                             subject->prefix, subject->label, subject->value,
                             (unsigned long long)subject->profile->plain.bytes);
}

static int print_fused_seconds(const struct subject *subject, struct btk_buffer *out)
{
    return btk_buffer_printf(out, "budtiktok_%sstage_fused_seconds_total{%s=\"%s\"} %.9f\n",
                             subject->prefix, subject->label, subject->value,
                             (double)subject->profile->plain.ns / 1e9);
}

static const struct family {
    const char *name;
    const char *help;
    int (*print)(const struct subject *subject, struct btk_buffer *out);
} families[] = {
    {"stage_seconds_total", "Time of each stage in the calls of encode that were sampled",
     print_stages},
    {"stage_sampled_seconds_total", "Time of the calls that were sampled", print_staged_seconds},
    {"stage_sampled_bytes_total", "Text of the calls that were sampled", print_staged_bytes},
    {"stage_fused_seconds_total", "Time of as many calls that read no clock within",
     print_fused_seconds},
    {"stage_fused_bytes_total", "Text of those", print_fused_bytes},
};

static int print_family(const struct btk_cluster_snapshot *snapshot, const struct family *family,
                        bool is_worker, struct btk_buffer *out)
{
    const uint32_t count = is_worker ? snapshot->worker_count : snapshot->tokenizers.count;
    const char *const prefix = is_worker ? "worker_" : "";
    int status = btk_buffer_printf(
        out, "# HELP budtiktok_%s%s %s, %s.\n# TYPE budtiktok_%s%s counter\n", prefix, family->name,
        family->help, is_worker ? "by worker" : "by tokenizer", prefix, family->name);
    for (uint32_t i = 0; i < count && !status; i++) {
        const struct subject subject = subject_of(snapshot, is_worker, i);
        status = family->print(&subject, out);
    }
    return status;
}

int btk_profile_report_metrics(const struct btk_cluster_snapshot *snapshot,
                               struct btk_buffer *out_text)
{
    int status = 0;
    if (!snapshot->has_profiles) return 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(families) && !status; i++) {
        status = print_family(snapshot, &families[i], false, out_text);
        if (!status) status = print_family(snapshot, &families[i], true, out_text);
    }
    return status;
}
