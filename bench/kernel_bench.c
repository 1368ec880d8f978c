// SPDX-License-Identifier: Apache-2.0
// Each kernel of each set that the processor has, beside the scalar one: first that it gives the same
// bytes, then how long it takes.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/settings.h"
#include "common/clock.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/kernels/sample_text.h"

enum {
    TEXT_BYTES = 4096, // the engine's own window
    SHORT_BYTES = 100,
    RUNS = 5,
    RUN_NS = 500000, // long enough for the clock's own cost to vanish
};

// Half a page apart in the low 12 bits: where a load follows a store to the same ones, the
// processor takes it for the same place and waits, and every set would be measured by that.
enum { OUT_OFFSET = 2 * TEXT_BYTES + 2048, ROOM_BYTES = 8 * TEXT_BYTES };

struct memory {
    uint8_t *text, *out, *expected;
};

struct case_run {
    const struct kernel_case *kernel;
    const struct btk_kernels *set;
    enum sample_kind kind;
    size_t length;
};

static double run_ns(const struct case_run *run, const struct memory *memory, size_t calls)
{
    const uint64_t begin = btk_clock_now_ns();
    for (size_t i = 0; i < calls; i++)
        run->kernel->run(run->set, memory->text, run->length, memory->out);
    return (double)(btk_clock_now_ns() - begin) / (double)calls;
}

static bool is_equal(const struct case_run *run, const struct memory *memory)
{
    const struct kernel_outcome right =
        run->kernel->run(&btk_kernels_scalar, memory->text, run->length, memory->expected);
    const struct kernel_outcome found =
        run->kernel->run(run->set, memory->text, run->length, memory->out);
    return right.value == found.value && right.out_bytes == found.out_bytes
           && memcmp(memory->expected, memory->out, right.out_bytes) == 0;
}

static int bench_case(struct btk_bench_settings *settings, const struct case_run *run,
                      const struct memory *memory, struct btk_error *error)
{
    double runs[BTK_BENCH_REPEAT_MAX];
    const size_t count = settings->repeat ? settings->repeat : RUNS;
    sample_fill(run->kind, 1, memory->text, run->length);
    if (!is_equal(run, memory))
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                             "kernel %s of %s, %zu bytes of %s: not what the scalar one gives",
                             run->kernel->name, run->set->name, run->length,
                             sample_kind_name(run->kind));
    const size_t calls = (size_t)(RUN_NS / (run_ns(run, memory, 64) + 1)) + 1;
    for (size_t i = 0; i < count; i++) runs[i] = run_ns(run, memory, calls) / 1e9;
    const struct btk_figure figure = {
        .bench = "kernels",
        .kernel = run->kernel->name,
        .input = sample_kind_name(run->kind),
        .threads = 1,
        .simd = run->set->name,
        .unit = BTK_FIGURE_BYTES,
        .bytes = run->length,
        .runs = runs,
        .run_count = count,
        .verified = run->set == &btk_kernels_scalar ? "specification" : "scalar",
    };
    return btk_report_add(&settings->report, &figure) < 0
               ? btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory")
               : 0;
}

// It stops at the first byte that is no ASCII: a rate by the length of such a text would be none.
static bool stops_early(const struct case_run *run)
{
    return strcmp(run->kernel->name, "ascii_prefix") == 0 && run->kind != SAMPLE_ENGLISH;
}

// --simd names those that are wanted.
static bool is_wanted(const struct btk_bench_settings *settings, const struct btk_kernels *set)
{
    bool is_named = !settings->set_count;
    for (unsigned i = 0; i < settings->set_count; i++)
        is_named |= strcmp(settings->sets[i], set->name) == 0;
    return is_named && btk_kernels_is_supported(set);
}

static int bench_sets(struct btk_bench_settings *settings, struct case_run run,
                      const struct memory *memory, struct btk_error *error)
{
    size_t count;
    const struct btk_kernels *const *const sets = btk_kernels_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(settings, sets[i])) continue;
        run.set = sets[i];
        const int status = bench_case(settings, &run, memory, error);
        if (status < 0) return status;
    }
    return 0;
}

static int bench_texts(struct btk_bench_settings *settings, const struct memory *memory,
                       struct btk_error *error)
{
    static const enum sample_kind kinds[] = {SAMPLE_ENGLISH, SAMPLE_LATIN, SAMPLE_CJK};
    for (size_t i = 0; i < kernel_case_count; i++)
        for (size_t k = 0; k <= BTK_ARRAY_COUNT(kinds); k++) {
            const bool is_short = k == BTK_ARRAY_COUNT(kinds);
            const struct case_run run = {.kernel = &kernel_cases[i],
                                         .kind = is_short ? SAMPLE_ENGLISH : kinds[k],
                                         .length = is_short ? SHORT_BYTES : TEXT_BYTES};
            if (stops_early(&run)) continue;
            const int status = bench_sets(settings, run, memory, error);
            if (status < 0) return status;
        }
    return 0;
}

int btk_bench_kernels(struct btk_bench_settings *settings, struct btk_error *error)
{
    uint8_t *const pages = aligned_alloc(4096, 3 * ROOM_BYTES);
    if (!pages) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    memset(pages, 0, 3 * ROOM_BYTES);
    const struct memory memory = {pages, pages + OUT_OFFSET, pages + 2 * ROOM_BYTES};
    const int status = bench_texts(settings, &memory, error);
    free(pages);
    return status;
}
