// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/scalar.h"

#include "kernels/kernels.h"

const struct btk_kernels btk_kernels_scalar = {"scalar",
#define KERNEL(result, name, parameters) btk_scalar_##name,
                                               BTK_KERNEL_LIST(KERNEL)
#undef KERNEL
};
