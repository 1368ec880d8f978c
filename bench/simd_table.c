// SPDX-License-Identifier: Apache-2.0
#include "bench/simd_table.h"

#include <stdio.h>
#include <string.h>

static void print_head(const struct btk_figure *figures, unsigned count)
{
    printf("%-12s  %-14s  %-10s  %-5s", "bench", "tokenizer", "input", "mode");
    for (unsigned i = 0; i < count; i++) printf("  %11s", figures[i].simd);
    for (unsigned i = 0; i + 1 < count; i++)
        printf("  %8s/%s", figures[i].simd, figures[count - 1].simd);
    printf("  ids verified by\n%44s", "");
    for (unsigned i = 0; i < count; i++) printf("  %11s", "MB/s");
    printf("\n");
}

static void print_row(const struct btk_figure *figures, unsigned count)
{
    const struct btk_figure *const last = &figures[count - 1];
    const double scalar = btk_figures_rate(last);
    printf("%-12s  %-14s  %-10s  %-5s", last->bench, last->tokenizer, last->input, last->mode);
    for (unsigned i = 0; i < count; i++) printf("  %11.1f", btk_figures_rate(&figures[i]));
    for (unsigned i = 0; i + 1 < count; i++)
        printf("  %*.2fx", (int)(8 + strlen(last->simd)),
               scalar > 0 ? btk_figures_rate(&figures[i]) / scalar : 0);
    printf("  %s\n", last->verified);
}

int btk_simd_table_add(struct btk_report *report, const struct btk_figure *figures, unsigned count)
{
    if (strcmp(figures[0].verified, "none") == 0) {
        for (unsigned i = 0; i < count; i++) {
            const int status = btk_report_add(report, &figures[i]);
            if (status < 0) return status;
        }
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        const int status = btk_report_keep(report, &figures[i]);
        if (status < 0) return status;
    }
    if (report->is_json) return 0;
    if (!report->has_head) print_head(figures, count);
    report->has_head = true;
    print_row(figures, count);
    fflush(stdout);
    return 0;
}
