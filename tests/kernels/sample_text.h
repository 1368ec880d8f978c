// SPDX-License-Identifier: Apache-2.0
// Texts for the kernels, the same for the same seed.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum sample_kind {
    SAMPLE_BYTES,   // all 256, at random
    SAMPLE_ASCII,   // all 128
    SAMPLE_UTF8,    // code points of all lengths, cut at a boundary
    SAMPLE_MUTATED, // SAMPLE_UTF8 with a few bytes changed
    SAMPLE_SPARSE,  // ASCII with a byte above 0x7f in some hundred
    SAMPLE_ENGLISH, // letters and spaces
    SAMPLE_LATIN,   // SAMPLE_ENGLISH with a letter of two bytes in twenty
    SAMPLE_CJK,     // three bytes each
    SAMPLE_KIND_COUNT,
};

const char *sample_kind_name(enum sample_kind kind);

// The next number of a seed (splitmix64).
uint64_t sample_random(uint64_t *seed);

void sample_fill(enum sample_kind kind, uint64_t seed, uint8_t *out, size_t length);
