// SPDX-License-Identifier: Apache-2.0
// What the processor has and the operating system lets us use, of what the kernels care about.
//
// A feature that needs wide registers counts only when the system saves them (XCR0): a processor
// with AVX-512 under a kernel without it has none. Threads: any.
#pragma once

#include <stdint.h>

#include "common/base.h"

enum btk_cpu_feature {
    BTK_CPU_POPCNT = 1u << 0,
    BTK_CPU_LZCNT = 1u << 1,
    BTK_CPU_BMI = 1u << 2,
    BTK_CPU_BMI2 = 1u << 3,
    BTK_CPU_AVX2 = 1u << 4,
    BTK_CPU_AVX512F = 1u << 5,
    BTK_CPU_AVX512BW = 1u << 6,
    BTK_CPU_AVX512VL = 1u << 7,
    BTK_CPU_AVX512VBMI = 1u << 8,
    BTK_CPU_AVX512VBMI2 = 1u << 9,
};

// Room for the names of all features.
#define BTK_CPU_FEATURES_TEXT_BYTES 128

// A set of enum btk_cpu_feature; 0 on processors other than x86-64. Asks the processor each time,
// which a hypervisor makes slow: call it at start-up.
uint32_t btk_cpu_features_detect(void);

// "avx2 avx512bw", or "none"; cut where `out` ends. `out_bytes` > 0.
void btk_cpu_features_format(uint32_t set, char *out, size_t out_bytes);
