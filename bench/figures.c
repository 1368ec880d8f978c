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
static double megabytes_per_second(const struct btk_figure *figure)
{
    double *const sorted = malloc(figure->run_count * sizeof *sorted);
    if (!sorted) return 0;
    memcpy(sorted, figure->runs, figure->run_count * sizeof *sorted);
    const double seconds = btk_figures_median(sorted, figure->run_count);
    free(sorted);
    return seconds > 0 ? (double)figure->bytes / seconds / 1e6 : 0;
}

static void write_string(struct btk_json_writer *writer, const char *name, const char *text)
{
    btk_json_name(writer, name);
    btk_json_string(writer, text);
}

static void write_number(struct btk_json_writer *writer, const char *name, uint64_t number)
{
    btk_json_name(writer, name);
    btk_json_unsigned(writer, number);
}

static void write_runs(struct btk_json_writer *writer, const struct btk_figure *figure)
{
    btk_json_name(writer, "runs");
    btk_json_begin_array(writer);
    for (size_t i = 0; i < figure->run_count; i++) btk_json_real(writer, figure->runs[i]);
    btk_json_end_array(writer);
    btk_json_name(writer, "mb_per_s");
    btk_json_real(writer, round(megabytes_per_second(figure) * 10) / 10);
}

static void write_figure(struct btk_json_writer *writer, const struct btk_figure *figure)
{
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, figure->ids_xxh64);
    btk_json_begin_object(writer);
    write_string(writer, "bench", figure->bench);
    write_string(writer, "tokenizer", figure->tokenizer);
    write_string(writer, "input", figure->input);
    write_string(writer, "mode", figure->mode);
    write_number(writer, "chunk_bytes", figure->chunk_bytes);
    write_number(writer, "threads", figure->threads);
    write_string(writer, "fields", figure->fields);
    write_string(writer, "simd", figure->simd);
    write_number(writer, "bytes", figure->bytes);
    write_number(writer, "pieces", figure->pieces);
    write_number(writer, "tokens", figure->tokens);
    write_runs(writer, figure);
    write_string(writer, "ids_xxh64", digest);
    write_string(writer, "verified", figure->verified);
    btk_json_end_object(writer);
}

int btk_figures_print_json(const struct btk_figure *figure)
{
    struct btk_buffer line;
    struct btk_json_writer writer;
    btk_buffer_init(&line);
    btk_json_writer_init(&writer, &line);
    write_figure(&writer, figure);
    if (!writer.status) printf("%.*s\n", (int)line.length, (const char *)line.data);
    fflush(stdout);
    btk_buffer_clear(&line);
    return writer.status;
}

void btk_figures_print_head(void)
{
    printf("%-9s  %-22s  %-16s  %-5s  %7s  %-11s  %-6s  %9s  %9s  %s\n", "bench", "tokenizer",
           "input", "mode", "threads", "fields", "simd", "tokens", "MB/s", "ids verified by");
}

void btk_figures_print_row(const struct btk_figure *figure)
{
    const double rate = megabytes_per_second(figure);
    if (strcmp(figure->verified, "none") == 0)
        printf("not verified (none): %s, %s, %s, %s: ids_xxh64 %016" PRIx64
               " after %.1f MB/s; --reference names digests to compare with\n",
               figure->bench, figure->tokenizer, figure->input, figure->mode, figure->ids_xxh64,
               rate);
    else
        printf("%-9s  %-22s  %-16s  %-5s  %7u  %-11s  %-6s  %9" PRIu64 "  %9.1f  %s\n",
               figure->bench, figure->tokenizer, figure->input, figure->mode, figure->threads,
               figure->fields, figure->simd, figure->tokens, rate, figure->verified);
    fflush(stdout);
}
