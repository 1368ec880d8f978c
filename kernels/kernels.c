// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernels/cpu_features.h"
#ifdef BTK_KERNELS_X86
#include "kernels/x86/x86.h"
#define X86_SET(kernels) (&(kernels))
#else
#define X86_SET(kernels) NULL
#endif

#define AVX2_NEEDS (BTK_CPU_AVX2 | BTK_CPU_BMI | BTK_CPU_BMI2 | BTK_CPU_LZCNT | BTK_CPU_POPCNT)
#define AVX512_NEEDS                                                                               \
    (AVX2_NEEDS | BTK_CPU_AVX512F | BTK_CPU_AVX512BW | BTK_CPU_AVX512VL | BTK_CPU_AVX512VBMI       \
     | BTK_CPU_AVX512VBMI2)

// Every set of the source, best last; `needs` is what its library is compiled for. VBMI also keeps
// the first processors with AVX-512 out, whose clock falls where 64-byte vectors are used.
static const struct known_set {
    const char *name;
    const struct btk_kernels *kernels; // NULL: not in this build
    uint32_t needs;
} known_sets[] = {
    {"scalar", &btk_kernels_scalar, 0},
    {"avx2", X86_SET(btk_kernels_avx2), AVX2_NEEDS},
    {"avx512", X86_SET(btk_kernels_avx512), AVX512_NEEDS},
};

static const struct btk_kernels *const built_sets[] = {
    &btk_kernels_scalar,
#ifdef BTK_KERNELS_X86
    &btk_kernels_avx2,
    &btk_kernels_avx512,
#endif
};

const struct btk_kernels *const *btk_kernels_all(size_t *out_count)
{
    *out_count = BTK_ARRAY_COUNT(built_sets);
    return built_sets;
}

static const struct known_set *find_set(const char *name)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known_sets); i++)
        if (strcmp(name, known_sets[i].name) == 0) return &known_sets[i];
    return NULL;
}

bool btk_kernels_is_supported(const struct btk_kernels *kernels)
{
    return (find_set(kernels->name)->needs & ~btk_cpu_features_detect()) == 0;
}

static const struct btk_kernels *best_set(void)
{
    const uint32_t features = btk_cpu_features_detect();
    const struct btk_kernels *best = &btk_kernels_scalar;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known_sets); i++)
        if (known_sets[i].kernels && (known_sets[i].needs & ~features) == 0)
            best = known_sets[i].kernels;
    return best;
}

static int refuse_unknown(const char *name, struct btk_error *error)
{
    char names[64] = "";
    size_t used = 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(known_sets) && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                 known_sets[i].name);
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                         "unknown set of kernels '%.32s': expected one of %s", name, names);
}

static int refuse_unsupported(const struct known_set *set, uint32_t features,
                              struct btk_error *error)
{
    char has[BTK_CPU_FEATURES_TEXT_BYTES], lacks[BTK_CPU_FEATURES_TEXT_BYTES];
    btk_cpu_features_format(features, has, sizeof has);
    if (!set->kernels)
        return btk_error_set(error, ENOTSUP, BTK_NO_OFFSET,
                             "the %s kernels are not in this build; the processor has: %s",
                             set->name, has);
    btk_cpu_features_format(set->needs & ~features, lacks, sizeof lacks);
    return btk_error_set(error, ENOTSUP, BTK_NO_OFFSET,
                         "the processor cannot run the %s kernels: it lacks %s; it has: %s",
                         set->name, lacks, has);
}

int btk_kernels_select(const char *name, const struct btk_kernels **out_kernels,
                       struct btk_error *error)
{
    if (!name || !*name) {
        *out_kernels = best_set();
        return 0;
    }
    const struct known_set *set = find_set(name);
    if (!set) return refuse_unknown(name, error);
    const uint32_t features = btk_cpu_features_detect();
    if (!set->kernels || (set->needs & ~features) != 0)
        return refuse_unsupported(set, features, error);
    *out_kernels = set->kernels;
    return 0;
}
