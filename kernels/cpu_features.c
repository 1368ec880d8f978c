// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu_features.h"

#include <stdbool.h>
#include <stdio.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

enum cpuid_register { EBX, ECX };
enum needed_state { NO_STATE, YMM_STATE, ZMM_STATE };

// Where each feature stands: Intel's manual (volume 2, CPUID) and AMD's (volume 3, appendix E).
static const struct feature {
    const char *name;
    uint32_t bit;
    uint32_t leaf;
    enum cpuid_register in;
    int position;
    enum needed_state needs;
} features[] = {
    {"popcnt", BTK_CPU_POPCNT, 1, ECX, 23, NO_STATE},
    {"lzcnt", BTK_CPU_LZCNT, 0x80000001, ECX, 5, NO_STATE},
    {"bmi", BTK_CPU_BMI, 7, EBX, 3, NO_STATE},
    {"bmi2", BTK_CPU_BMI2, 7, EBX, 8, NO_STATE},
    {"avx2", BTK_CPU_AVX2, 7, EBX, 5, YMM_STATE},
    {"avx512f", BTK_CPU_AVX512F, 7, EBX, 16, ZMM_STATE},
    {"avx512bw", BTK_CPU_AVX512BW, 7, EBX, 30, ZMM_STATE},
    {"avx512vl", BTK_CPU_AVX512VL, 7, EBX, 31, ZMM_STATE},
    {"avx512vbmi", BTK_CPU_AVX512VBMI, 7, ECX, 1, ZMM_STATE},
    {"avx512vbmi2", BTK_CPU_AVX512VBMI2, 7, ECX, 6, ZMM_STATE},
};

#ifdef __x86_64__
// The registers that the system saves: 0x6 is XMM and YMM, 0xe0 is the masks and ZMM.
static uint32_t saved_state(void)
{
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) return 0;
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

static bool is_present(const struct feature *feature)
{
    uint32_t eax, ebx, ecx, edx;
    if (!__get_cpuid_count(feature->leaf, 0, &eax, &ebx, &ecx, &edx)) return false;
    return (feature->in == EBX ? ebx : ecx) >> feature->position & 1;
}

uint32_t btk_cpu_features_detect(void)
{
    static const uint32_t state_bits[] = {[NO_STATE] = 0, [YMM_STATE] = 0x6, [ZMM_STATE] = 0xe6};
    const uint32_t saved = saved_state();
    uint32_t found = 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(features); i++) {
        const uint32_t needed = state_bits[features[i].needs];
        if ((saved & needed) == needed && is_present(&features[i])) found |= features[i].bit;
    }
    return found;
}
#else
uint32_t btk_cpu_features_detect(void)
{
    return 0;
}
#endif

void btk_cpu_features_format(uint32_t set, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "none");
    size_t used = 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(features) && used < out_bytes; i++) {
        if (!(set & features[i].bit)) continue;
        const char *space = used ? " " : "";
        used += (size_t)snprintf(out + used, out_bytes - used, "%s%s", space, features[i].name);
    }
}
