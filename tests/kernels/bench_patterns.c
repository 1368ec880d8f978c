// SPDX-License-Identifier: Apache-2.0
// bench_patterns FILE...: MB/s of each pattern on each file, which is UTF-8.
// bench_patterns --hostile [PATTERN]: on 20 MB of one thing over and over; what is not linear is told: twice the
// text in more than 2.2 times the time.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/utf8.h"
#include "tests/kernels/hostile_units.h"
#include "tests/kernels/patterns.h"

enum { MOST_BYTES = 20 << 20, FILE_BYTES = 256 << 10, RUNS = 3, FILE_RUNS = 40, BATCH = 256 };

static struct btk_pretok pretok;

// Of this thread: what others do on the machine does not count.
static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static double run_ns(btk_pretok_next_fn *next, const struct btk_kernels *kernels,
                     struct btk_bytes text)
{
    struct btk_piece pieces[BATCH];
    const double begin = cpu_ns();
    btk_pretok_init(&pretok, kernels, text);
    while (next(&pretok, pieces, BATCH)) continue;
    return cpu_ns() - begin;
}

static double fastest_ns(btk_pretok_next_fn *next, const struct btk_kernels *kernels,
                         struct btk_bytes text, int runs)
{
    double fastest = run_ns(next, kernels, text);
    for (int run = 1; run < runs; run++) {
        const double ns = run_ns(next, kernels, text);
        if (ns < fastest) fastest = ns;
    }
    return fastest;
}

static void bench_text(const char *name, const struct btk_kernels *kernels, struct btk_bytes text)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(patterns); i++)
        printf("%-28s %-24s %7.0f MB/s\n", patterns[i].name, name,
               1e3 * (double)text.length / fastest_ns(patterns[i].next, kernels, text, FILE_RUNS));
    fflush(stdout);
}

static int bench_file(const char *path, const struct btk_kernels *kernels, uint8_t *room)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    const size_t length = fread(room, 1, FILE_BYTES, file);
    fclose(file);
    const char *const slash = strrchr(path, '/');
    bench_text(slash ? slash + 1 : path, kernels,
               (struct btk_bytes){room, btk_utf8_valid_prefix(room, length)});
    return 0;
}

// Returns whether it was linear.
static bool bench_hostile_unit(size_t unit, const struct pattern *pattern,
                               const struct btk_kernels *kernels, uint8_t *room)
{
    const size_t length = hostile_fill(hostile_units[unit], room, MOST_BYTES);
    const size_t half = hostile_fill(hostile_units[unit], room, MOST_BYTES / 2);
    const double whole_ns =
        fastest_ns(pattern->next, kernels, (struct btk_bytes){room, length}, RUNS);
    const double half_ns = fastest_ns(pattern->next, kernels, (struct btk_bytes){room, half}, RUNS);
    const bool is_linear = whole_ns <= 2.2 * half_ns;
    printf("%-28s unit %2zu %7.0f MB/s, twice the text %.2f times the time%s\n", pattern->name,
           unit, 1e3 * (double)length / whole_ns, whole_ns / half_ns,
           is_linear ? "" : ": NOT LINEAR");
    fflush(stdout);
    return is_linear;
}

static int bench_hostile(const char *name, const struct btk_kernels *kernels, uint8_t *room)
{
    bool is_linear = true;
    for (size_t unit = 0; unit < BTK_ARRAY_COUNT(hostile_units); unit++)
        for (size_t i = 0; i < BTK_ARRAY_COUNT(patterns); i++)
            if (!name || strcmp(name, patterns[i].name) == 0)
                is_linear &= bench_hostile_unit(unit, &patterns[i], kernels, room);
    return is_linear ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct btk_kernels *kernels;
    struct btk_error error = {0};
    uint8_t *room = malloc(MOST_BYTES);
    if (argc < 2 || !room) {
        fprintf(stderr, "usage: bench_patterns FILE... | --hostile [PATTERN]\n");
        return 2;
    }
    if (btk_kernels_select(getenv("BUDTIKTOK_SIMD"), &kernels, &error) != 0) {
        fprintf(stderr, "bench_patterns: %s\n", error.message);
        return 2;
    }
    int status = 0;
    if (strcmp(argv[1], "--hostile") == 0)
        status = bench_hostile(argc > 2 ? argv[2] : NULL, kernels, room);
    else
        for (int i = 1; i < argc; i++) status |= bench_file(argv[i], kernels, room);
    free(room);
    return status;
}
