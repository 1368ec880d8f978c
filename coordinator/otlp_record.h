// SPDX-License-Identifier: Apache-2.0
// What the loop tells the exporter's thread of a traced batch: two slots of a ring (ipc/ring.h) for each
// shard that was reported, and for the batch at its end.
//
// Stamps are ns of CLOCK_MONOTONIC.
#pragma once

#include <stdint.h>

#include "common/base.h"
#include "common/trace_parent.h"

enum btk_otlp_record_kind { BTK_OTLP_RECORD_SHARD = 1, BTK_OTLP_RECORD_BATCH = 2 };

enum { BTK_OTLP_RECORD_SLOTS = 2, BTK_OTLP_NAME_BYTES = 32 };

struct btk_otlp_shard_part {
    uint64_t submitted_ns;
    uint64_t ready_ns; // when a worker could have begun
    uint64_t started_ns;
    uint64_t finished_ns;
    uint64_t bytes;
    uint64_t tokens;
    uint32_t worker_id;
    uint32_t pid;
    uint32_t epoch;
    uint32_t shard_index;
    uint32_t document_count;
    uint32_t reserved;
};

struct btk_otlp_batch_part {
    uint8_t parent_id[BTK_SPAN_ID_BYTES]; // zero: none
    uint64_t submitted_ns;
    uint64_t finished_ns; // of the last shard; 0: none was finished
    uint64_t returned_ns; // 0: not known
    uint64_t bytes;
    uint64_t tokens;
    uint32_t document_count;
    uint32_t shard_count;
    uint32_t last_worker_id;
    uint32_t last_shard_index;
    char tokenizer[BTK_OTLP_NAME_BYTES]; // cut
};

struct btk_otlp_record {
    uint8_t trace_id[BTK_TRACE_ID_BYTES];
    uint8_t batch_span_id[BTK_SPAN_ID_BYTES];
    uint16_t kind;
    uint16_t status; // enum btk_status
    uint32_t reserved;
    union {
        struct btk_otlp_shard_part shard;
        struct btk_otlp_batch_part batch;
    };
};

_Static_assert(sizeof(struct btk_otlp_record) == 128, "two slots of a ring");
