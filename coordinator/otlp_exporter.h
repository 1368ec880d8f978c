// SPDX-License-Identifier: Apache-2.0
// Takes records from the loop and sends them to a collector, in a thread of its own.
//
//     loop --try_push--> ring of 16384 records --> spans --> requests of 512 --> POST
//                  full: dropped, counted          refused for now: again, later and later, 5 times
//
// The loop never waits for the thread, and the memory is what it was at the start, whatever the collector
// does: an address that nobody listens at costs what is dropped.
//
// Ownership: owns queue and thread; borrows the config. Threads: open, push, counts and close are the
// loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "coordinator/otlp_config.h"
#include "coordinator/otlp_record.h"

struct btk_otlp_exporter;

struct btk_otlp_counts {
    uint64_t exported; // spans that a collector took
    uint64_t dropped;  // that did not fit into the queue, or that no collector took
};

// -ENOMEM, -ENOTSUP, -errno, with a message.
BTK_MUST_USE int btk_otlp_exporter_open(const struct btk_otlp_config *config,
                                        struct btk_otlp_exporter **out_exporter,
                                        struct btk_error *error);
// Sends what is there, for two seconds at most, and ends the thread. NULL is fine.
void btk_otlp_exporter_close(struct btk_otlp_exporter **exporter);

void btk_otlp_exporter_push(struct btk_otlp_exporter *exporter,
                            const struct btk_otlp_record *record);
// Spans that could not even become records.
void btk_otlp_exporter_drop(struct btk_otlp_exporter *exporter, uint64_t count);
struct btk_otlp_counts btk_otlp_exporter_counts(struct btk_otlp_exporter *exporter);
