// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/scalar.h"
#include "kernels/x86/x86.h"

const struct btk_kernels btk_kernels_avx2 = {"avx2",
#define KERNEL(result, name, parameters) btk_scalar_##name,
                                             BTK_KERNEL_LIST(KERNEL)
#undef KERNEL
};
