// SPDX-License-Identifier: Apache-2.0
#include "bench/figures.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

double btk_figures_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    const double upper = values[count / 2];
    return count % 2 ? upper : (upper + values[count / 2 - 1]) / 2;
}

bool btk_figures_add_up(uint64_t caller_ns, uint64_t parts_ns)
{
    const uint64_t gap_ns = caller_ns > parts_ns ? caller_ns - parts_ns : parts_ns - caller_ns;
    return gap_ns <= 20000 || gap_ns <= caller_ns / 20;
}

// Runs keep their order, so the median takes a copy.
double btk_figures_seconds(const struct btk_figure *figure)
{
    double *const sorted = malloc(figure->run_count * sizeof *sorted);
    if (!sorted) return 0;
    memcpy(sorted, figure->runs, figure->run_count * sizeof *sorted);
    const double seconds = btk_figures_median(sorted, figure->run_count);
    free(sorted);
    return seconds;
}

double btk_figures_rate(const struct btk_figure *figure)
{
    const double seconds = btk_figures_seconds(figure);
    if (seconds <= 0) return 0;
    switch (figure->unit) {
    case BTK_FIGURE_TEXT: return (double)figure->bytes / seconds / 1e6;
    case BTK_FIGURE_BYTES: return (double)figure->bytes / seconds / 1e9;
    default: return seconds * 1e9 / (double)figure->count;
    }
}

static void write_string(struct btk_json_writer *writer, const char *name, const char *text)
{
    if (!text) return;
    btk_json_name(writer, name);
    btk_json_string(writer, text);
}

static void write_number(struct btk_json_writer *writer, const char *name, uint64_t number)
{
    if (!number) return;
    btk_json_name(writer, name);
    btk_json_unsigned(writer, number);
}

// With so many digits behind the point.
static void write_rate(struct btk_json_writer *writer, const char *name, double rate, double digits)
{
    const double scale = pow(10, digits);
    btk_json_name(writer, name);
    btk_json_real(writer, round(rate * scale) / scale);
}

static void write_rates(struct btk_json_writer *writer, const struct btk_figure *figure)
{
    const double rate = btk_figures_rate(figure);
    switch (figure->unit) {
    case BTK_FIGURE_TEXT: write_rate(writer, "mb_per_s", rate, 1); break;
    case BTK_FIGURE_BYTES:
        write_rate(writer, "gb_per_s", rate, 2);
        write_rate(writer, "ns_per_byte", rate > 0 ? 1 / rate : 0, 4);
        break;
    case BTK_FIGURE_SLOTS: write_rate(writer, "ns_per_slot", rate, 2); break;
    case BTK_FIGURE_ACCESS: write_rate(writer, "ns_per_access", rate, 2); break;
    }
}

static void write_runs(struct btk_json_writer *writer, const struct btk_figure *figure)
{
    btk_json_name(writer, "runs");
    btk_json_begin_array(writer);
    for (size_t i = 0; i < figure->run_count; i++) btk_json_real(writer, figure->runs[i]);
    btk_json_end_array(writer);
    write_rates(writer, figure);
}

static const char *count_name(const struct btk_figure *figure)
{
    return figure->unit == BTK_FIGURE_SLOTS ? "slots" : "accesses";
}

int btk_figures_write_json(const struct btk_figure *figure, struct btk_buffer *line)
{
    struct btk_json_writer writer;
    char digest[17];
    char name[256];
    snprintf(digest, sizeof digest, "%016" PRIx64, figure->ids_xxh64);
    btk_figures_name(figure, name, sizeof name);
    btk_json_writer_init(&writer, line);
    btk_json_begin_object(&writer);
    write_string(&writer, "bench", figure->bench);
    write_string(&writer, "tokenizer", figure->tokenizer);
    write_string(&writer, "kernel", figure->kernel);
    write_string(&writer, "input", figure->input);
    write_string(&writer, "mode", figure->mode);
    write_number(&writer, "chunk_bytes", figure->chunk_bytes);
    write_number(&writer, "threads", figure->threads);
    write_string(&writer, "fields", figure->fields);
    write_string(&writer, "simd", figure->simd);
    write_number(&writer, "bytes", figure->bytes);
    write_number(&writer, "pieces", figure->pieces);
    write_number(&writer, "tokens", figure->tokens);
    write_number(&writer, count_name(figure), figure->count);
    if (figure->items_name) write_number(&writer, figure->items_name, figure->items);
    write_runs(&writer, figure);
    if (figure->has_ids) write_string(&writer, "ids_xxh64", digest);
    write_string(&writer, "verified", figure->verified);
    write_string(&writer, "name", name);
    btk_json_end_object(&writer);
    return writer.status;
}

static size_t append_name(char *name, size_t used, size_t capacity, const char *part)
{
    if (!part || used >= capacity) return used;
    return used + (size_t)snprintf(name + used, capacity - used, "%s%s", used ? " " : "", part);
}

void btk_figures_name(const struct btk_figure *figure, char *out_name, size_t capacity)
{
    char numbers[64];
    size_t used = append_name(out_name, 0, capacity, figure->bench);
    // A family and its embedded model have one name.
    if (figure->tokenizer && strcmp(figure->tokenizer, figure->bench) != 0)
        used = append_name(out_name, used, capacity, figure->tokenizer);
    used = append_name(out_name, used, capacity, figure->kernel);
    if (figure->kernel) used = append_name(out_name, used, capacity, figure->simd);
    used = append_name(out_name, used, capacity, figure->input);
    used = append_name(out_name, used, capacity, figure->mode);
    if (figure->fields && strcmp(figure->fields, "ids") != 0)
        used = append_name(out_name, used, capacity, figure->fields);
    snprintf(numbers, sizeof numbers, "%" PRIu64, figure->bytes);
    if (figure->bytes) used = append_name(out_name, used, capacity, numbers);
    snprintf(numbers, sizeof numbers, "chunk=%" PRIu64, figure->chunk_bytes);
    if (figure->chunk_bytes && figure->chunk_bytes != 4096)
        used = append_name(out_name, used, capacity, numbers);
    snprintf(numbers, sizeof numbers, "threads=%u", figure->threads);
    if (figure->threads > 1) append_name(out_name, used, capacity, numbers);
}

static const char *or_none(const char *text)
{
    return text ? text : "-";
}

void btk_figures_print_head(const struct btk_figure *figure)
{
    switch (figure->unit) {
    case BTK_FIGURE_TEXT:
        printf("%-12s  %-22s  %-16s  %-5s  %7s  %-11s  %-6s  %9s  %9s  %s\n", "bench", "tokenizer",
               "input", "mode", "threads", "fields", "simd", "tokens", "MB/s", "ids verified by");
        break;
    case BTK_FIGURE_BYTES:
        printf("%-8s  %-18s  %-8s  %10s  %7s  %-6s  %9s  %9s  %s\n", "bench", "what", "input",
               "bytes", "threads", "simd", "ns/byte", "GB/s", "equal to");
        break;
    case BTK_FIGURE_SLOTS:
        printf("%-8s  %-26s  %10s  %7s  %9s  %s\n", "bench", "what", "slots", "threads", "ns/slot",
               "equal to");
        break;
    case BTK_FIGURE_ACCESS:
        printf("%-8s  %-18s  %10s  %7s  %9s  %s\n", "bench", "what", "bytes", "threads",
               "ns/access", "equal to");
        break;
    }
}

static void print_unverified(const struct btk_figure *figure, double rate)
{
    printf("not verified (none): %s, %s, %s, %s: ids_xxh64 %016" PRIx64
           " after %.1f MB/s; --reference names digests to compare with\n",
           figure->bench, figure->tokenizer, figure->input, figure->mode, figure->ids_xxh64, rate);
}

static void print_verified(const struct btk_figure *figure, double rate)
{
    switch (figure->unit) {
    case BTK_FIGURE_TEXT:
        printf("%-12s  %-22s  %-16s  %-5s  %7u  %-11s  %-6s  %9" PRIu64 "  %9.1f  %s\n",
               figure->bench, figure->tokenizer, figure->input, figure->mode, figure->threads,
               figure->fields, figure->simd, figure->tokens, rate, figure->verified);
        break;
    case BTK_FIGURE_BYTES:
        printf("%-8s  %-18s  %-8s  %10" PRIu64 "  %7u  %-6s  %9.4f  %9.2f  %s\n", figure->bench,
               or_none(figure->kernel ? figure->kernel : figure->mode), or_none(figure->input),
               figure->bytes, figure->threads, or_none(figure->simd), rate > 0 ? 1 / rate : 0, rate,
               figure->verified);
        break;
    case BTK_FIGURE_SLOTS:
        printf("%-8s  %-26s  %10" PRIu64 "  %7u  %9.2f  %s\n", figure->bench, figure->mode,
               figure->count, figure->threads, rate, figure->verified);
        break;
    case BTK_FIGURE_ACCESS:
        printf("%-8s  %-18s  %10" PRIu64 "  %7u  %9.2f  %s\n", figure->bench, figure->mode,
               figure->bytes, figure->threads, rate, figure->verified);
        break;
    }
}

void btk_figures_print_row(const struct btk_figure *figure)
{
    const double rate = btk_figures_rate(figure);
    if (strcmp(figure->verified, "none") == 0)
        print_unverified(figure, rate);
    else
        print_verified(figure, rate);
    fflush(stdout);
}
