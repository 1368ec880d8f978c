// SPDX-License-Identifier: Apache-2.0
// Every kernel of the list behind one signature, for the checks and the benchmark.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

struct kernel_outcome {
    size_t value;     // what the kernel returned; 0 if nothing
    size_t out_bytes; // how much of the output is specified
};

struct kernel_case {
    const char *name;
    struct kernel_outcome (*run)(const struct btk_kernels *set, const uint8_t *text, size_t length,
                                 uint8_t *out);
    size_t out_per_byte;  // bytes of output for each byte of text
    size_t out_per_block; // and for each 64 of them, or part of it
};

// In the order of the list.
extern const struct kernel_case kernel_cases[];
extern const size_t kernel_case_count;

static inline size_t kernel_case_out_bytes(const struct kernel_case *kernel, size_t length)
{
    return kernel->out_per_byte * length + kernel->out_per_block * ((length + 63) / 64);
}
