// SPDX-License-Identifier: Apache-2.0
#include "common/wire_reader.h"

#include <string.h>

enum { VARINT_BYTES_MAX = 10 };

static bool try_varint(struct btk_wire_reader *reader, uint64_t *out_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && reader->position < reader->message.length; i++) {
        const uint8_t byte = reader->message.data[reader->position++];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80) continue;
        *out_value = value;
        return true;
    }
    return false;
}

static bool try_fixed(struct btk_wire_reader *reader, unsigned byte_count, uint64_t *out_value)
{
    if (reader->message.length - reader->position < byte_count) return false;
    *out_value = 0;
    for (unsigned i = 0; i < byte_count; i++)
        *out_value |= (uint64_t)reader->message.data[reader->position++] << (8 * i);
    return true;
}

static bool try_bytes(struct btk_wire_reader *reader, struct btk_bytes *out_bytes)
{
    uint64_t length;
    if (!try_varint(reader, &length) || length > reader->message.length - reader->position)
        return false;
    *out_bytes = (struct btk_bytes){reader->message.data + reader->position, (size_t)length};
    reader->position += (size_t)length;
    return true;
}

static bool try_value(struct btk_wire_reader *reader, struct btk_wire_field *field)
{
    switch (field->type) {
    case BTK_WIRE_VARINT: return try_varint(reader, &field->value);
    case BTK_WIRE_FIXED64: return try_fixed(reader, 8, &field->value);
    case BTK_WIRE_FIXED32: return try_fixed(reader, 4, &field->value);
    case BTK_WIRE_BYTES: return try_bytes(reader, &field->bytes);
    default: return false; // groups, which nobody writes any more
    }
}

bool btk_wire_reader_next(struct btk_wire_reader *reader, struct btk_wire_field *out_field)
{
    if (reader->is_broken || reader->position >= reader->message.length) return false;
    const size_t begin = reader->position;
    struct btk_wire_field field = {0};
    uint64_t key;
    if (try_varint(reader, &key) && key >> 3 != 0 && key >> 3 < 1u << 29) {
        field.number = (uint32_t)(key >> 3);
        field.type = (uint32_t)(key & 7);
        if (try_value(reader, &field)) {
            *out_field = field;
            return true;
        }
    }
    reader->position = begin;
    reader->is_broken = true;
    return false;
}

float btk_wire_float(const struct btk_wire_field *field)
{
    const uint32_t bits = (uint32_t)field->value;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
