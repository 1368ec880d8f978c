// SPDX-License-Identifier: Apache-2.0
// What a flight recorder holds, as a table for people or as a trace for a viewer.
#pragma once

#include <stdio.h>

#include "ipc/recorder_reader.h"

// A line for each shard, in the order in which they began; times in us since the first submission.
BTK_MUST_USE int btk_recorder_print_table(const struct btk_recording *recording, FILE *file);

// A trace file in Chrome's JSON format, which Perfetto reads: one lane for each process.
//
//     coordinator   queue_wait of each shard (asynchronous: they overlap)
//     worker N      ipc_transfer and tokenization
//
// -ENOMEM.
BTK_MUST_USE int btk_recorder_print_chrome(const struct btk_recording *recording, FILE *file);

// When the first shard was submitted, ns; of none: when the coordinator began.
uint64_t btk_recorder_first_ns(const struct btk_recording *recording);
