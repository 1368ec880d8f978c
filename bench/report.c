// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_writer.h"

void btk_report_clear(struct btk_report *report)
{
    btk_buffer_clear(&report->kept);
    free(report->comparisons);
    report->comparisons = NULL;
}

static double geometric_mean(const double *times, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += log(times[i]);
    return exp(sum / (double)count);
}

static int compare(struct btk_report *report, const struct btk_figure *figure)
{
    struct btk_comparison comparison;
    const double *before;
    btk_figures_name(figure, comparison.name, sizeof comparison.name);
    const size_t count = btk_baseline_find(report->before, comparison.name, &before);
    if (!count) {
        report->missing_count++;
        return 0;
    }
    struct btk_comparison *const comparisons =
        realloc(report->comparisons, (report->comparison_count + 1) * sizeof *comparisons);
    if (!comparisons) return -ENOMEM;
    comparison.before_s = geometric_mean(before, count);
    comparison.after_s = geometric_mean(figure->runs, figure->run_count);
    comparison.interval = btk_interval_of_ratio(before, count, figure->runs, figure->run_count);
    report->comparisons = comparisons;
    comparisons[report->comparison_count++] = comparison;
    return 0;
}

int btk_report_keep(struct btk_report *report, const struct btk_figure *figure)
{
    const size_t begin = report->kept.length;
    const bool is_verified = strcmp(figure->verified, "none") != 0;
    int status = btk_figures_write_json(figure, &report->kept);
    if (!status) status = btk_buffer_append(&report->kept, "\n", 1);
    if (status < 0) return status;
    if (report->is_json) fwrite(report->kept.data + begin, 1, report->kept.length - begin, stdout);
    fflush(stdout);
    if (!is_verified) report->kept.length = begin;
    return is_verified && report->before ? compare(report, figure) : 0;
}

int btk_report_add(struct btk_report *report, const struct btk_figure *figure)
{
    const int status = btk_report_keep(report, figure);
    if (status < 0 || report->is_json) return status;
    if (strcmp(figure->verified, "none") != 0
        && (!report->has_head || report->head_unit != figure->unit))
    {
        if (report->has_head) printf("\n");
        btk_figures_print_head(figure);
        report->has_head = true;
        report->head_unit = figure->unit;
    }
    btk_figures_print_row(figure);
    return 0;
}

static const char *verdict(const struct btk_report *report, const struct btk_interval *interval)
{
    if (!interval->is_known) return "unknown";
    if (interval->low > 1 + report->regression_percent / 100) return "regression";
    if (interval->low > 1) return "slower";
    return interval->high < 1 ? "faster" : "same";
}

static void print_json(const struct btk_comparison *comparison, const char *said)
{
    struct btk_json_writer writer;
    struct btk_buffer line;
    const double numbers[] = {comparison->before_s, comparison->after_s, comparison->interval.ratio,
                              comparison->interval.low, comparison->interval.high};
    static const char *const names[] = {"before_seconds", "after_seconds", "ratio", "low", "high"};
    btk_buffer_init(&line);
    btk_json_writer_init(&writer, &line);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "comparison");
    btk_json_string(&writer, comparison->name);
    const size_t count = comparison->interval.is_known ? 5 : 3;
    for (size_t i = 0; i < count; i++) {
        btk_json_name(&writer, names[i]);
        btk_json_real(&writer, numbers[i]);
    }
    btk_json_name(&writer, "verdict");
    btk_json_string(&writer, said);
    btk_json_end_object(&writer);
    if (!writer.status) printf("%.*s\n", (int)line.length, (const char *)line.data);
    btk_buffer_clear(&line);
}

static void print_row(const struct btk_comparison *comparison, const char *said)
{
    const struct btk_interval *const interval = &comparison->interval;
    char bounds[32] = "-";
    if (interval->is_known)
        snprintf(bounds, sizeof bounds, "%.3f..%.3f", interval->low, interval->high);
    printf("%-52s  %11.3f  %11.3f  %6.3f  %-14s  %s\n", comparison->name,
           comparison->before_s * 1e6, comparison->after_s * 1e6, interval->ratio, bounds, said);
}

size_t btk_report_compare(const struct btk_report *report)
{
    size_t regressions = 0;
    if (!report->is_json) {
        printf("\ncompared with %s%s\n", btk_baseline_origin(report->before),
               btk_baseline_is_foreign(report->before) ? " (ANOTHER KIND OF MACHINE)" : "");
        printf("%-52s  %11s  %11s  %6s  %-14s\n", "figure", "before, us", "now, us", "ratio",
               "95 %");
    }
    for (size_t i = 0; i < report->comparison_count; i++) {
        const struct btk_comparison *const comparison = &report->comparisons[i];
        const char *const said = verdict(report, &comparison->interval);
        regressions += strcmp(said, "regression") == 0;
        if (report->is_json)
            print_json(comparison, said);
        else
            print_row(comparison, said);
    }
    fflush(stdout);
    return regressions;
}
