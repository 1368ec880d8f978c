// SPDX-License-Identifier: Apache-2.0
// The body of a request to a collector: ExportTraceServiceRequest, as protobuf or as JSON.
//
// Ownership: an encoder owns its buffer, which it uses again; it borrows the config. Threads: one.
#pragma once

#include "common/buffer.h"
#include "common/json_writer.h"
#include "coordinator/otlp_config.h"
#include "coordinator/otlp_spans.h"

struct btk_otlp_encoder {
    const struct btk_otlp_config *config;
    struct btk_buffer body;
    size_t span_count;
    int status;                    // 0, or -ENOMEM
    struct btk_json_writer writer; // JSON's
    size_t resource_at, scope_at;  // protobuf's: messages that are not ended
};

void btk_otlp_encoder_init(struct btk_otlp_encoder *encoder, const struct btk_otlp_config *config);
void btk_otlp_encoder_clear(struct btk_otlp_encoder *encoder);

void btk_otlp_encoder_begin(struct btk_otlp_encoder *encoder);
void btk_otlp_encoder_add(struct btk_otlp_encoder *encoder, const struct btk_otlp_span *span);
// The body is whole now. -ENOMEM.
BTK_MUST_USE int btk_otlp_encoder_end(struct btk_otlp_encoder *encoder);

// otlp_protobuf.c, otlp_json.c
void btk_otlp_protobuf_begin(struct btk_otlp_encoder *encoder);
void btk_otlp_protobuf_add(struct btk_otlp_encoder *encoder, const struct btk_otlp_span *span);
void btk_otlp_protobuf_end(struct btk_otlp_encoder *encoder);
void btk_otlp_json_begin(struct btk_otlp_encoder *encoder);
void btk_otlp_json_add(struct btk_otlp_encoder *encoder, const struct btk_otlp_span *span);
void btk_otlp_json_end(struct btk_otlp_encoder *encoder);
