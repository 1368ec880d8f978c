// SPDX-License-Identifier: Apache-2.0
// The sets for x86-64. Each stands in a library of its own, compiled for what it needs; nothing of
// it may run before btk_kernels_is_supported() has said yes.
#pragma once

#include "kernels/kernels.h"

extern const struct btk_kernels btk_kernels_avx2;
extern const struct btk_kernels btk_kernels_avx512;
