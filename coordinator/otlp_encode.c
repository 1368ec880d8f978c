// SPDX-License-Identifier: Apache-2.0
#include "coordinator/otlp_encode.h"

void btk_otlp_encoder_init(struct btk_otlp_encoder *encoder, const struct btk_otlp_config *config)
{
    *encoder = (struct btk_otlp_encoder){.config = config};
    btk_buffer_init(&encoder->body);
}

void btk_otlp_encoder_clear(struct btk_otlp_encoder *encoder)
{
    btk_buffer_clear(&encoder->body);
}

void btk_otlp_encoder_begin(struct btk_otlp_encoder *encoder)
{
    encoder->body.length = 0;
    encoder->span_count = 0;
    encoder->status = 0;
    if (encoder->config->protocol == BTK_OTLP_JSON)
        btk_otlp_json_begin(encoder);
    else
        btk_otlp_protobuf_begin(encoder);
}

void btk_otlp_encoder_add(struct btk_otlp_encoder *encoder, const struct btk_otlp_span *span)
{
    encoder->span_count++;
    if (encoder->config->protocol == BTK_OTLP_JSON)
        btk_otlp_json_add(encoder, span);
    else
        btk_otlp_protobuf_add(encoder, span);
}

int btk_otlp_encoder_end(struct btk_otlp_encoder *encoder)
{
    if (encoder->config->protocol == BTK_OTLP_JSON)
        btk_otlp_json_end(encoder);
    else
        btk_otlp_protobuf_end(encoder);
    return encoder->status;
}
