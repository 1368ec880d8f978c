// SPDX-License-Identifier: Apache-2.0
// OTLP's own JSON: ids are hexadecimal, numbers of 64 bits are strings, enumerations are numbers.
#include <stdio.h>

#include "coordinator/otlp_encode.h"

static void add_text(struct btk_json_writer *writer, const char *name, const char *text)
{
    btk_json_name(writer, name);
    btk_json_string(writer, text);
}

static void add_id(struct btk_json_writer *writer, const char *name, const uint8_t *id,
                   size_t bytes)
{
    char text[2 * BTK_TRACE_ID_BYTES + 1];
    for (size_t i = 0; i < bytes; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
    add_text(writer, name, text);
}

static void add_number(struct btk_json_writer *writer, const char *name, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    add_text(writer, name, text);
}

static void add_attribute(struct btk_json_writer *writer,
                          const struct btk_otlp_attribute *attribute)
{
    btk_json_begin_object(writer);
    add_text(writer, "key", attribute->key);
    btk_json_name(writer, "value");
    btk_json_begin_object(writer);
    if (attribute->text != NULL)
        add_text(writer, "stringValue", attribute->text);
    else
        add_number(writer, "intValue", attribute->number);
    btk_json_end_object(writer);
    btk_json_end_object(writer);
}

static void begin_list(struct btk_json_writer *writer, const char *name)
{
    btk_json_name(writer, name);
    btk_json_begin_array(writer);
}

static void add_resource(struct btk_json_writer *writer, const struct btk_otlp_pairs *resource)
{
    btk_json_name(writer, "resource");
    btk_json_begin_object(writer);
    begin_list(writer, "attributes");
    for (size_t i = 0; i < resource->count; i++) {
        const struct btk_otlp_attribute attribute = {resource->pairs[i].key,
                                                     resource->pairs[i].value, 0};
        add_attribute(writer, &attribute);
    }
    btk_json_end_array(writer);
    btk_json_end_object(writer);
}

void btk_otlp_json_begin(struct btk_otlp_encoder *encoder)
{
    struct btk_json_writer *writer = &encoder->writer;
    btk_json_writer_init(writer, &encoder->body);
    btk_json_begin_object(writer);
    begin_list(writer, "resourceSpans");
    btk_json_begin_object(writer);
    add_resource(writer, &encoder->config->resource);
    begin_list(writer, "scopeSpans");
    btk_json_begin_object(writer);
    btk_json_name(writer, "scope");
    btk_json_begin_object(writer);
    add_text(writer, "name", "budtiktok");
    add_text(writer, "version", BTK_VERSION);
    btk_json_end_object(writer);
    begin_list(writer, "spans");
}

void btk_otlp_json_add(struct btk_otlp_encoder *encoder, const struct btk_otlp_span *span)
{
    struct btk_json_writer *writer = &encoder->writer;
    btk_json_begin_object(writer);
    add_id(writer, "traceId", span->trace_id, sizeof span->trace_id);
    add_id(writer, "spanId", span->span_id, sizeof span->span_id);
    if (span->has_parent) add_id(writer, "parentSpanId", span->parent_id, sizeof span->parent_id);
    add_text(writer, "name", span->name);
    btk_json_name(writer, "kind");
    btk_json_unsigned(writer, span->kind);
    add_number(writer, "startTimeUnixNano", span->begin_ns);
    add_number(writer, "endTimeUnixNano", span->end_ns);
    begin_list(writer, "attributes");
    for (size_t i = 0; i < span->attribute_count; i++) add_attribute(writer, span->attributes + i);
    btk_json_end_array(writer);
    if (span->error != NULL) {
        btk_json_name(writer, "status");
        btk_json_begin_object(writer);
        add_text(writer, "message", span->error);
        btk_json_name(writer, "code");
        btk_json_unsigned(writer, 2);
        btk_json_end_object(writer);
    }
    btk_json_end_object(writer);
}

void btk_otlp_json_end(struct btk_otlp_encoder *encoder)
{
    struct btk_json_writer *writer = &encoder->writer;
    btk_json_end_array(writer);
    btk_json_end_object(writer);
    btk_json_end_array(writer);
    btk_json_end_object(writer);
    btk_json_end_array(writer);
    btk_json_end_object(writer);
    encoder->status = writer->status;
}
