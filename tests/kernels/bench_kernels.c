// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/bench_kernels.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "kernels/cpu_features.h"
#include "tests/kernels/kernel_cases.h"
#include "tests/kernels/sample_text.h"

#define LONGEST_TEXT (64u << 10)
#define RUNS         9
#define RUN_NS       2000000 // long enough for the clock's own cost to vanish

// Half a page apart in the low 12 bits: where a load follows a store to the same ones, the
// processor takes it for the same place and waits, and every set would be measured by that.
#define OUT_OFFSET (2u * LONGEST_TEXT + 2048)

struct bench_memory {
    uint8_t *text;
    uint8_t *out;
};

static double run_once_ns(const struct kernel_case *kernel, const struct btk_kernels *set,
                          const struct bench_memory *memory, size_t length, size_t calls)
{
    const uint64_t begin = btk_clock_now_ns();
    for (size_t i = 0; i < calls; i++) kernel->run(set, memory->text, length, memory->out);
    return (double)(btk_clock_now_ns() - begin) / (double)calls;
}

static double fastest_ns(const struct kernel_case *kernel, const struct btk_kernels *set,
                         const struct bench_memory *memory, size_t length)
{
    const double first = run_once_ns(kernel, set, memory, length, 16);
    const size_t calls = (size_t)(RUN_NS / (first + 1)) + 1;
    double fastest = first;
    for (int run = 0; run < RUNS; run++) {
        const double ns = run_once_ns(kernel, set, memory, length, calls);
        if (ns < fastest) fastest = ns;
    }
    return fastest;
}

static void print_header(const struct btk_kernels *const *sets, size_t set_count)
{
    printf("%-18s %-8s %6s", "kernel", "text", "bytes");
    for (size_t i = 0; i < set_count; i++)
        if (btk_kernels_is_supported(sets[i])) printf(" %10s ns %7s", sets[i]->name, "GB/s");
    printf("\n");
}

static void bench_kernel(const struct kernel_case *kernel, enum sample_kind kind,
                         const struct bench_memory *memory, size_t length)
{
    size_t set_count;
    const struct btk_kernels *const *sets = btk_kernels_all(&set_count);
    sample_fill(kind, 1, memory->text, length);
    printf("%-18s %-8s %6zu", kernel->name, sample_kind_name(kind), length);
    for (size_t i = 0; i < set_count; i++) {
        if (!btk_kernels_is_supported(sets[i])) continue;
        const double ns = fastest_ns(kernel, sets[i], memory, length);
        printf(" %13.1f %7.2f", ns, (double)length / ns);
    }
    printf("\n");
    fflush(stdout);
}

static void bench_all(const struct bench_memory *memory)
{
    static const enum sample_kind kinds[] = {SAMPLE_ENGLISH, SAMPLE_LATIN, SAMPLE_CJK};
    static const size_t lengths[] = {100, 4096, LONGEST_TEXT};
    for (size_t i = 0; i < kernel_case_count; i++)
        for (size_t k = 0; k < BTK_ARRAY_COUNT(kinds); k++)
            for (size_t n = 0; n < BTK_ARRAY_COUNT(lengths); n++)
                bench_kernel(&kernel_cases[i], kinds[k], memory, lengths[n]);
}

int bench_kernels(void)
{
    uint8_t *pages = aligned_alloc(4096, 8 * LONGEST_TEXT);
    if (!pages) {
        fprintf(stderr, "check_kernels: no memory\n");
        return 1;
    }
    const struct bench_memory memory = {pages, pages + OUT_OFFSET};
    char features[BTK_CPU_FEATURES_TEXT_BYTES];
    btk_cpu_features_format(btk_cpu_features_detect(), features, sizeof features);
    printf("processor: %s\n", features);
    size_t set_count;
    const struct btk_kernels *const *sets = btk_kernels_all(&set_count);
    print_header(sets, set_count);
    bench_all(&memory);
    free(pages);
    return 0;
}
