// SPDX-License-Identifier: Apache-2.0
// The scalar bodies by name, for sets that have no better one for some kernel.
#pragma once

#include "kernels/kernel_list.h"

#define KERNEL(result, name, parameters) result btk_scalar_##name parameters;
BTK_KERNEL_LIST(KERNEL)
#undef KERNEL
