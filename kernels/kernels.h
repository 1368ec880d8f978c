// SPDX-License-Identifier: Apache-2.0
// The kernels: what moves and classifies bytes, once for each instruction set.
//
//     kernel_list.h   THE list; struct btk_kernels, the tests and the benchmark follow from it
//     scalar/         the specification: every other body gives the same bytes
//     x86/            one static library per instruction set, with its own compiler flags
//
// Kernels cannot fail, allocate nothing, and never touch a byte outside of the lengths they are
// given. Threads: a set is constant.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "kernels/kernel_list.h"

struct btk_kernels {
    const char *name; // "scalar", "avx2", "avx512"
#define KERNEL(result, name, parameters) result(*name) parameters;
    BTK_KERNEL_LIST(KERNEL)
#undef KERNEL
};

// The specification. Always there.
extern const struct btk_kernels btk_kernels_scalar;

// All sets that this build has, best last; *out_count of them. Whether the processor can run one
// says btk_kernels_is_supported().
const struct btk_kernels *const *btk_kernels_all(size_t *out_count);
bool btk_kernels_is_supported(const struct btk_kernels *kernels);

// The set that `name` (usually getenv("BUDTIKTOK_SIMD")) asks for; NULL or empty: the best one that
// the processor has. -EINVAL: no such set; -ENOTSUP: not built, or the processor does not have it.
BTK_MUST_USE int btk_kernels_select(const char *name, const struct btk_kernels **out_kernels,
                                    struct btk_error *error);
