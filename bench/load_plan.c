// SPDX-License-Identifier: Apache-2.0
#include "bench/load_plan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/arguments.h"

static int parse_lognormal(const char *text, struct btk_load_sizes *out_sizes,
                           struct btk_error *error)
{
    struct btk_load_sizes sizes = {.kind = BTK_LOAD_SIZE_LOGNORMAL};
    char median[32];
    const size_t length = strcspn(text, ",");
    if (!text[length] || length >= sizeof median)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--size: lognormal:MEDIAN,SIGMA was expected");
    snprintf(median, sizeof median, "%.*s", (int)length, text);
    int status =
        btk_arguments_real("size", median, BTK_LOAD_DOCUMENT_BYTES_MAX, &sizes.median_bytes, error);
    if (!status) status = btk_arguments_real("size", text + length + 1, 10, &sizes.sigma, error);
    if (!status) *out_sizes = sizes;
    return status;
}

int btk_load_sizes_parse(const char *text, struct btk_load_sizes *out_sizes,
                         struct btk_error *error)
{
    static const char lognormal[] = "lognormal:";
    if (strcmp(text, "file") == 0) {
        *out_sizes = (struct btk_load_sizes){.kind = BTK_LOAD_SIZE_LINES};
        return 0;
    }
    if (strncmp(text, lognormal, strlen(lognormal)) == 0)
        return parse_lognormal(text + strlen(lognormal), out_sizes, error);
    uint64_t bytes = 0;
    const int status =
        btk_arguments_number("size", text, 1, BTK_LOAD_DOCUMENT_BYTES_MAX, &bytes, error);
    if (status < 0) return status;
    *out_sizes =
        (struct btk_load_sizes){.kind = BTK_LOAD_SIZE_FIXED, .median_bytes = (double)bytes};
    return 0;
}

int btk_load_rates_parse(const char *text, struct btk_load_rates *out_rates,
                         struct btk_error *error)
{
    struct btk_load_rates rates = {0};
    for (const char *at = text;;) {
        char one[32];
        const size_t length = strcspn(at, ",");
        if (rates.count == BTK_LOAD_RATES_MAX || length >= sizeof one)
            return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--rate: at most %d numbers",
                                 BTK_LOAD_RATES_MAX);
        snprintf(one, sizeof one, "%.*s", (int)length, at);
        const int status = btk_arguments_real("rate", one, 1e7, &rates.rates[rates.count++], error);
        if (status < 0) return status;
        if (!at[length]) break;
        at += length + 1;
    }
    *out_rates = rates;
    return 0;
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
static uint64_t next_bits(struct btk_load_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double btk_load_random_unit(struct btk_load_random *random)
{
    return (double)((next_bits(random) >> 11) + 1) * 0x1p-53;
}

uint64_t btk_load_gap_ns(struct btk_load_random *random, double rate, bool is_poisson)
{
    const double mean_ns = 1e9 / rate;
    return (uint64_t)(is_poisson ? -log(btk_load_random_unit(random)) * mean_ns : mean_ns);
}

// Box and Muller; the second number is not needed.
static double next_normal(struct btk_load_random *random)
{
    const double radius = sqrt(-2 * log(btk_load_random_unit(random)));
    return radius * cos(2 * M_PI * btk_load_random_unit(random));
}

struct btk_bytes btk_load_document(struct btk_load_random *random,
                                   const struct btk_load_sizes *sizes,
                                   struct btk_text_source *source)
{
    double bytes = sizes->median_bytes;
    if (sizes->kind == BTK_LOAD_SIZE_LINES) return btk_text_source_next_line(source);
    if (sizes->kind == BTK_LOAD_SIZE_LOGNORMAL) bytes *= exp(sizes->sigma * next_normal(random));
    bytes = fmin(fmax(bytes, 1), BTK_LOAD_DOCUMENT_BYTES_MAX);
    return btk_text_source_next(source, (size_t)bytes);
}
