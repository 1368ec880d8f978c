// SPDX-License-Identifier: Apache-2.0
// What the load driver prints of a run.
#pragma once

#include <stdbool.h>

#include "bench/load_run.h"

// Throughput, latency and where it went.
void btk_load_report_print(const struct btk_load_run_plan *plan, bool has_parts,
                           const struct btk_load_result *result);

// The same as one line of JSON. -ENOMEM.
BTK_MUST_USE int btk_load_report_print_json(const struct btk_load_run_plan *plan, bool has_parts,
                                            const struct btk_load_result *result);
