// SPDX-License-Identifier: Apache-2.0
// budtiktok-bench: the engine in this process, measured; figures only for what was verified.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/settings.h"
#include "common/json.h"
#include "common/mapped_file.h"
#include "common/profile.h"
#include "tools/options.h"

enum { REFERENCE_BYTES_MAX = 64 << 20 };

static int read_reference(const char *path, struct btk_json **out_reference,
                          struct btk_error *error)
{
    struct btk_mapped_file file;
    if (!path) return 0;
    int status = btk_mapped_file_map(path, REFERENCE_BYTES_MAX, &file, error);
    if (status < 0) return status;
    status = btk_json_parse((struct btk_bytes){file.data, file.length}, out_reference, error);
    btk_mapped_file_unmap(&file);
    return status < 0 ? btk_error_prefix(error, "%s", path) : 0;
}

static int run(struct btk_bench_settings *settings, struct btk_error *error)
{
    int status = btk_bench_texts(settings, error);
    if (!status && settings->benches & BTK_BENCH_BIT(KERNELS))
        status = btk_bench_kernels(settings, error);
    if (!status && settings->benches & BTK_BENCH_BIT(RING))
        status = btk_bench_ring(settings, error);
    if (!status && settings->benches & BTK_BENCH_BIT(MEMORY))
        status = btk_bench_memory(settings, error);
    return status;
}

// Nothing is kept of a run that had a difference: its figures are not all there.
static int save(const struct btk_bench_settings *settings, struct btk_error *error)
{
    char path[BTK_BASELINE_PATH_BYTES];
    const struct btk_buffer *const kept = &settings->report.kept;
    const int status = btk_baseline_save(settings->save_baseline,
                                         (struct btk_bytes){kept->data, kept->length}, path, error);
    if (!status) fprintf(stderr, "budtiktok-bench: kept in %s\n", path);
    return status;
}

static int compare(const struct btk_bench_settings *settings)
{
    if (!settings->report.comparison_count) {
        fprintf(stderr, "budtiktok-bench: the baseline \"%s\" has none of these figures\n",
                settings->baseline);
        return BTK_EXIT_DIFFERENCES;
    }
    if (settings->report.missing_count)
        fprintf(stderr, "budtiktok-bench: %zu figures are not in the baseline \"%s\"\n",
                settings->report.missing_count, settings->baseline);
    const size_t regressions = btk_report_compare(&settings->report);
    if (!regressions) return BTK_EXIT_DONE;
    fprintf(stderr,
            "budtiktok-bench: %zu of %zu figures are slower than \"%s\" by more than %g %%\n",
            regressions, settings->report.comparison_count, settings->baseline,
            settings->report.regression_percent);
    return BTK_EXIT_DIFFERENCES;
}

static int fail(int exit_status, const struct btk_error *error)
{
    fprintf(stderr, "budtiktok-bench: %s\n", error->message);
    return exit_status;
}

static int measure(struct btk_bench_settings *settings)
{
    struct btk_error error;
    struct btk_baseline *before = NULL;
    int status = read_reference(settings->reference_path, &settings->reference, &error);
    if (!status && settings->baseline)
        status = btk_baseline_load(settings->baseline, &before, &error);
    if (!status && settings->save_baseline) status = btk_baseline_make_folder(&error);
    settings->report.before = before;
    if (!status) status = run(settings, &error);
    if (!status && settings->save_baseline && !settings->has_differences)
        status = save(settings, &error);
    int exit_status = settings->has_differences ? BTK_EXIT_DIFFERENCES : BTK_EXIT_DONE;
    if (status < 0)
        exit_status = fail(BTK_EXIT_FILE, &error);
    else if (before && compare(settings) != BTK_EXIT_DONE)
        exit_status = BTK_EXIT_DIFFERENCES;
    btk_baseline_free(before);
    btk_report_clear(&settings->report);
    btk_json_free(settings->reference);
    return exit_status;
}

int main(int argc, char **argv)
{
    struct btk_bench_settings settings;
    struct btk_error error;
    bool wants_help = false;
    const int status = btk_bench_settings_read(argc, argv, &settings, &wants_help, &error);
    if (status < 0
        || btk_profile_wanted(getenv("BUDTIKTOK_PROFILE"), &settings.takes_profile, &error) < 0)
        return fail(BTK_EXIT_USAGE, &error);
    const int exit_status = wants_help ? BTK_EXIT_DONE : measure(&settings);
    if (fflush(stdout) == 0 && !ferror(stdout)) return exit_status;
    btk_error_set(&error, ENOSPC, BTK_NO_OFFSET, "standard output: %s",
                  strerror(errno ? errno : ENOSPC));
    return fail(BTK_EXIT_FILE, &error);
}
