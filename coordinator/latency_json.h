// SPDX-License-Identifier: Apache-2.0
// /debug/latency, and the pieces that the status shares with it.
//
//     {"tokenization_p50_us":150, ...         p50, p90, p99, p999, mean, max, count of each part
//      "uptime_ms":.., "draining":false, "workers_ready":2, "requests_total":.., ...
//      "tokenizers":[{"name":"bpe", "id":1, "image_bytes":..}, ..],
//      "workers":[{"worker":0, "utilization":0.93, "queue_depth":1, ..., "windows":{..}}, ..],
//      "windows":{"10s":{..}, "60s":{..}, "since_start":{..}}}
//
// Parts of one shard add up, and so do their means; percentiles do not. A worker has no `return`: that
// is between its client and the end of the shard, and clients do not count it by worker.
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
// An object: the set by itself.
void btk_latency_json_window(struct btk_json_writer *writer, const char *name,
                             const struct btk_latency_set *set);
// The cluster's state and counts.
void btk_latency_json_cluster(struct btk_json_writer *writer,
                              const struct btk_cluster_snapshot *snapshot);
void btk_latency_json_tokenizers(struct btk_json_writer *writer,
                                 const struct btk_cluster_snapshot *snapshot);
// State and counts of a worker, without its latency.
void btk_latency_json_worker(struct btk_json_writer *writer,
                             const struct btk_worker_snapshot *worker);
