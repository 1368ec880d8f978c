// SPDX-License-Identifier: Apache-2.0
// Programs that make up their inputs: random numbers from a seed, a round after the other.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

// splitmix64 (Steele, Lea, Flood, 2014).
static inline uint64_t next(struct random *random)
{
    uint64_t value = random->state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static inline size_t below(struct random *random, size_t limit)
{
    return limit ? next(random) % limit : 0;
}

// Was the input that it made taken for what it should be?
typedef bool round_fn(struct random *random);

// The main() of a program: rounds, at least one, until the seconds are over or there were so many. Options:
// --seed S (1), --round R (the first: 0), --seconds N, --rounds N.
int run_rounds(int argc, char **argv, uint64_t seconds, uint64_t rounds, round_fn *run_round);
