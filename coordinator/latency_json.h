// SPDX-License-Identifier: Apache-2.0
// /debug/latency, and the pieces that the status shares with it.
//
//     {"tokenization_p50_us":150, ..., flat keys of the whole life, "workers":[..], "windows":{..}}
//
// Threads: no state; the snapshot is being read.
#pragma once

#include "common/base.h"
#include "common/buffer.h"
#include "common/json_writer.h"
#include "coordinator/cluster_snapshot.h"

BTK_MUST_USE int btk_latency_json_write(const struct btk_cluster_snapshot *snapshot,
                                        struct btk_buffer *out_json); // -ENOMEM

// Members of an object that was begun.
void btk_latency_json_number(struct btk_json_writer *writer, const char *name, uint64_t number);
void btk_latency_json_set(struct btk_json_writer *writer, const struct btk_latency_set *set);
void btk_latency_json_counts(struct btk_json_writer *writer,
                             const struct btk_scheduler_counts *counts);
