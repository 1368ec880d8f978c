// SPDX-License-Identifier: Apache-2.0
// The wire format of protocol buffers, and of opentelemetry-proto 1.x the numbers of the fields:
//
//     ExportTraceServiceRequest  1 ResourceSpans  1 Resource    1 KeyValue
//                                                 2 ScopeSpans  1 Scope     1 name  2 version
//                                                               2 Span
//     Span      1 trace_id  2 span_id  4 parent_span_id  5 name  6 kind  7 start  8 end  9 KeyValue
//               15 Status (2 message, 3 code)
//     KeyValue  1 key  2 AnyValue (1 string, 3 int)
//
// The length of a message stands before it and is known after it: it gets four bytes, which is a
// varint of that length with zeros above.
#include "coordinator/otlp_encode.h"

enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2 };
enum { LENGTH_BYTES = 4, STATUS_CODE_ERROR = 2 };

static void append(struct btk_otlp_encoder *encoder, const void *bytes, size_t length)
{
    if (encoder->status == 0) encoder->status = btk_buffer_append(&encoder->body, bytes, length);
}

static void add_varint(struct btk_otlp_encoder *encoder, uint64_t value)
{
    uint8_t bytes[10];
    size_t length = 0;
    do {
        bytes[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    } while (value != 0);
    bytes[length - 1] &= 0x7f;
    append(encoder, bytes, length);
}

static void add_tag(struct btk_otlp_encoder *encoder, uint32_t field, enum wire_type type)
{
    add_varint(encoder, field << 3 | type);
}

static void add_bytes(struct btk_otlp_encoder *encoder, uint32_t field, const void *bytes,
                      size_t length)
{
    add_tag(encoder, field, BYTES);
    add_varint(encoder, length);
    append(encoder, bytes, length);
}

static void add_text(struct btk_otlp_encoder *encoder, uint32_t field, const char *text)
{
    add_bytes(encoder, field, text, strlen(text));
}

static void add_number(struct btk_otlp_encoder *encoder, uint32_t field, uint64_t value)
{
    add_tag(encoder, field, VARINT);
    add_varint(encoder, value);
}

static void add_fixed64(struct btk_otlp_encoder *encoder, uint32_t field, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (8 * i));
    add_tag(encoder, field, FIXED64);
    append(encoder, bytes, sizeof bytes);
}

// Returns where it begins, for end_message.
static size_t begin_message(struct btk_otlp_encoder *encoder, uint32_t field)
{
    static const uint8_t room[LENGTH_BYTES];
    add_tag(encoder, field, BYTES);
    append(encoder, room, sizeof room);
    return encoder->body.length;
}

static void end_message(struct btk_otlp_encoder *encoder, size_t begin)
{
    if (encoder->status != 0) return;
    const size_t length = encoder->body.length - begin;
    uint8_t *at = encoder->body.data + begin - LENGTH_BYTES;
    for (int i = 0; i < LENGTH_BYTES; i++)
        at[i] = (uint8_t)((length >> (7 * i) & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}

static void add_attribute(struct btk_otlp_encoder *encoder, uint32_t field,
                          const struct btk_otlp_attribute *attribute)
{
    const size_t pair = begin_message(encoder, field);
    add_text(encoder, 1, attribute->key);
    const size_t value = begin_message(encoder, 2);
    if (attribute->text != NULL)
        add_text(encoder, 1, attribute->text);
    else
        add_number(encoder, 3, attribute->number);
    end_message(encoder, value);
    end_message(encoder, pair);
}

void btk_otlp_protobuf_begin(struct btk_otlp_encoder *encoder)
{
    const struct btk_otlp_pairs *resource = &encoder->config->resource;
    encoder->resource_at = begin_message(encoder, 1);
    const size_t attributes = begin_message(encoder, 1);
    for (size_t i = 0; i < resource->count; i++) {
        const struct btk_otlp_attribute attribute = {resource->pairs[i].key,
                                                     resource->pairs[i].value, 0};
        add_attribute(encoder, 1, &attribute);
    }
    end_message(encoder, attributes);
    encoder->scope_at = begin_message(encoder, 2);
    const size_t scope = begin_message(encoder, 1);
    add_text(encoder, 1, "budtiktok");
    add_text(encoder, 2, BTK_VERSION);
    end_message(encoder, scope);
}

void btk_otlp_protobuf_add(struct btk_otlp_encoder *encoder, const struct btk_otlp_span *span)
{
    const size_t message = begin_message(encoder, 2);
    add_bytes(encoder, 1, span->trace_id, sizeof span->trace_id);
    add_bytes(encoder, 2, span->span_id, sizeof span->span_id);
    if (span->has_parent) add_bytes(encoder, 4, span->parent_id, sizeof span->parent_id);
    add_text(encoder, 5, span->name);
    add_number(encoder, 6, span->kind);
    add_fixed64(encoder, 7, span->begin_ns);
    add_fixed64(encoder, 8, span->end_ns);
    for (size_t i = 0; i < span->attribute_count; i++)
        add_attribute(encoder, 9, span->attributes + i);
    if (span->error != NULL) {
        const size_t status = begin_message(encoder, 15);
        add_text(encoder, 2, span->error);
        add_number(encoder, 3, STATUS_CODE_ERROR);
        end_message(encoder, status);
    }
    end_message(encoder, message);
}

void btk_otlp_protobuf_end(struct btk_otlp_encoder *encoder)
{
    end_message(encoder, encoder->scope_at);
    end_message(encoder, encoder->resource_at);
}
