// SPDX-License-Identifier: Apache-2.0
// From what the loop told to the spans of OpenTelemetry:
//
//     batch (SERVER)        submitted .......................................... returned
//       queue_wait            submitted ... ready
//       ipc_transfer                        ready ... started
//       tokenization                                  started ... finished
//       return                                                    finished ... returned
//
// The first three are there for each shard. What the coordinator knows of the way back is when the caller
// had the batch: `return` is that of the shard that was finished last, and together with the other
// three of that shard it is all of the batch.
//
// Threads: no state.
#pragma once

#include <stdbool.h>

#include "coordinator/otlp_record.h"

enum { BTK_OTLP_SPANS_PER_RECORD = 3, BTK_OTLP_ATTRIBUTES_MAX = 8 };

// OpenTelemetry's numbers.
enum btk_otlp_span_kind { BTK_OTLP_INTERNAL = 1, BTK_OTLP_SERVER = 2 };

struct btk_otlp_attribute {
    const char *key;
    const char *text; // NULL: the number
    uint64_t number;
};

// Borrows from the record.
struct btk_otlp_span {
    uint8_t trace_id[BTK_TRACE_ID_BYTES];
    uint8_t span_id[BTK_SPAN_ID_BYTES];
    uint8_t parent_id[BTK_SPAN_ID_BYTES];
    bool has_parent;
    enum btk_otlp_span_kind kind;
    const char *name;
    uint64_t begin_ns; // since 1970
    uint64_t end_ns;
    struct btk_otlp_attribute attributes[BTK_OTLP_ATTRIBUTES_MAX];
    size_t attribute_count;
    const char *error; // NULL: all is well
};

// Random numbers that nobody has to be unable to guess. xoshiro256**.
struct btk_otlp_random {
    uint64_t state[4];
};
BTK_MUST_USE int btk_otlp_random_init(struct btk_otlp_random *random);                 // -EIO
void btk_otlp_random_fill(struct btk_otlp_random *random, uint8_t *out, size_t bytes); // never zero

// Their count. `clock_offset_ns`: from CLOCK_MONOTONIC to the time since 1970.
size_t btk_otlp_spans_make(const struct btk_otlp_record *record, uint64_t clock_offset_ns,
                           struct btk_otlp_random *random,
                           struct btk_otlp_span out_spans[BTK_OTLP_SPANS_PER_RECORD]);
// The same without making them.
size_t btk_otlp_spans_count(const struct btk_otlp_record *record);
