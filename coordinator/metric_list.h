// SPDX-License-Identifier: Apache-2.0
// THE list of metrics: /metrics is written from it, and a metric is here and where its value is
// counted, nowhere else.
//
//     CLUSTER(name, type, unit, help, value)      one series; of struct btk_cluster_snapshot
//     TOKENIZER(name, type, unit, help, value)    {tokenizer="NAME"}; of struct btk_tokenizer_snapshot
//     WORKER(name, type, unit, help, value)       {worker="0"}; of struct btk_worker_snapshot
//     HISTOGRAM(name, help, part)                 part: enum btk_latency_part
//
// Names are without "budtiktok_" and follow Prometheus: counters end in _total, times are in _seconds,
// sizes in _bytes. `unit` is what the value is kept in: count (written whole), ns (written as seconds)
// or share (0..1).
#pragma once

#define BTK_CLUSTER_METRICS(CLUSTER)                                                               \
    CLUSTER(requests_total, counter, count, "Batches that clients submitted",                      \
            counts.requests_total)                                                                 \
    CLUSTER(batches_done_total, counter, count, "Batches that were finished",                      \
            counts.batches_done_total)                                                             \
    CLUSTER(batches_failed_total, counter, count, "Batches that failed or were refused",           \
            counts.batches_failed_total)                                                           \
    CLUSTER(batches_refused_total, counter, count, "Batches refused for overload",                 \
            counts.batches_refused_total)                                                          \
    CLUSTER(shards_total, counter, count, "Shards that were finished", counts.shards_total)        \
    CLUSTER(shards_returned_total, counter, count, "Shards taken back from workers that died",     \
            counts.shards_returned_total)                                                          \
    CLUSTER(shards_poisoned_total, counter, count, "Shards given up because workers died of them", \
            counts.shards_poisoned_total)                                                          \
    CLUSTER(documents_total, counter, count, "Documents that were tokenized",                      \
            counts.documents_total)                                                                \
    CLUSTER(tokens_processed_total, counter, count, "Tokens that were produced",                   \
            counts.tokens_total)                                                                   \
    CLUSTER(tokens_processed, untyped, count, "The same, by its older name", counts.tokens_total)  \
    CLUSTER(bytes_processed_total, counter, count, "Text that was tokenized", counts.bytes_total)  \
    CLUSTER(queue_depth, gauge, count, "Batches and shards that wait for a worker",                \
            counts.queue_depth)                                                                    \
    CLUSTER(queue_bytes, gauge, count, "Text that waits for a worker", counts.queue_bytes)         \
    CLUSTER(batches_in_flight, gauge, count, "Batches submitted and not finished",                 \
            counts.batches_in_flight)                                                              \
    CLUSTER(shards_running, gauge, count, "Shards that workers have", counts.shards_running)       \
    CLUSTER(clients, gauge, count, "Attached clients", client_count)                               \
    CLUSTER(slab_bytes, gauge, count, "Shared memory for text", slab_bytes)                        \
    CLUSTER(trace_spans_exported_total, counter, count, "Spans that a collector took",             \
            trace_spans_exported)                                                                  \
    CLUSTER(trace_spans_dropped_total, counter, count, "Spans that no collector took",             \
            trace_spans_dropped)                                                                   \
    CLUSTER(workers, gauge, count, "Places for workers", worker_count)                             \
    CLUSTER(workers_ready, gauge, count, "Workers that take work", ready_count)                    \
    CLUSTER(draining, gauge, count, "1 while the cluster finishes what it has and takes no more",  \
            stage >= BTK_COORDINATOR_DRAINING)                                                     \
    CLUSTER(uptime_seconds, gauge, ns, "Time since the coordinator started", uptime_ns)

#define BTK_TOKENIZER_METRICS(TOKENIZER)                                                           \
    TOKENIZER(tokenizer_image_bytes, gauge, count, "Size of the compiled tokenizer", image_bytes)

#define BTK_WORKER_METRICS(WORKER)                                                                 \
    WORKER(worker_ready, gauge, count, "1 while the worker takes work", is_ready)                  \
    WORKER(worker_utilization, gauge, share, "Share of the last second spent encoding",            \
           utilization)                                                                            \
    WORKER(worker_queue_depth, gauge, count, "Shards that the worker has", queue_depth)            \
    WORKER(worker_restarts_total, counter, count, "Deaths in this place", restarts)                \
    WORKER(worker_busy_seconds_total, counter, ns, "Time spent encoding", totals.busy_ns)          \
    WORKER(worker_duty_cycle_max_seconds, gauge, ns, "Longest turn of the worker's loop",          \
           totals.duty_cycle_max_ns)                                                               \
    WORKER(worker_shards_total, counter, count, "Shards of this worker", totals.shards)            \
    WORKER(worker_documents_total, counter, count, "Documents of this worker", totals.documents)   \
    WORKER(worker_document_errors_total, counter, count, "Documents with an error of their own",   \
           totals.document_errors)                                                                 \
    WORKER(worker_bytes_total, counter, count, "Text of this worker", totals.bytes)                \
    WORKER(worker_tokens_total, counter, count, "Tokens of this worker", totals.tokens)            \
    WORKER(worker_cache_hits_total, counter, count, "Pieces found in the cache",                   \
           totals.cache_hits)                                                                      \
    WORKER(worker_cache_misses_total, counter, count, "Pieces not found in the cache",             \
           totals.cache_misses)

#define BTK_HISTOGRAM_METRICS(HISTOGRAM)                                                           \
    HISTOGRAM(queue_wait_seconds, "Time of a shard before a worker was free",                      \
              BTK_LATENCY_QUEUE_WAIT)                                                              \
    HISTOGRAM(ipc_transfer_seconds, "Time of a shard on the way to its worker",                    \
              BTK_LATENCY_IPC_TRANSFER)                                                            \
    HISTOGRAM(tokenization_duration_seconds, "Time of a shard in its worker",                      \
              BTK_LATENCY_TOKENIZATION)                                                            \
    HISTOGRAM(return_seconds, "Time from the end of a shard until its caller had it",              \
              BTK_LATENCY_RETURN)
