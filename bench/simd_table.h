// SPDX-License-Identifier: Apache-2.0
// The same measurement with several sets of kernels, beside each other.
#pragma once

#include "bench/report.h"

// One row: the figure of each set, the last one being what all are compared with (scalar). JSON: a
// line each. -ENOMEM.
BTK_MUST_USE int btk_simd_table_add(struct btk_report *report, const struct btk_figure *figures,
                                    unsigned count);
