// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prints ns a call and GB/s of every kernel, for every set that the processor has, on texts of
// three lengths. Each figure is the fastest of several runs. Returns an exit code.
int bench_kernels(void);
