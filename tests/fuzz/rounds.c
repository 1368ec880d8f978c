// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

static uint64_t number_of(int argc, char **argv, const char *option, uint64_t fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], option) == 0) return strtoull(argv[i + 1], NULL, 10);
    return fallback;
}

int run_rounds(int argc, char **argv, uint64_t seconds, uint64_t rounds, round_fn *run_round)
{
    const uint64_t seed = number_of(argc, argv, "--seed", 1);
    const uint64_t first = number_of(argc, argv, "--round", 0);
    const uint64_t end_ns =
        btk_clock_now_ns() + number_of(argc, argv, "--seconds", seconds) * UINT64_C(1000000000);
    const uint64_t wanted = number_of(argc, argv, "--rounds", rounds);
    uint64_t round = first, taken = 0;
    do {
        struct random random = {.state = seed * UINT64_C(0x100000001b3) + round};
        // Written first: what dies leaves its round on the terminal.
        fprintf(stderr, "\rseed %llu round %llu ", (unsigned long long)seed,
                (unsigned long long)round);
        taken += run_round(&random);
        round++;
    } while (round - first < wanted && btk_clock_now_ns() < end_ns);
    fprintf(stderr, "\n%llu rounds, %llu inputs taken\n", (unsigned long long)(round - first),
            (unsigned long long)taken);
    return 0;
}
