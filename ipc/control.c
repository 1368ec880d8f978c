// SPDX-License-Identifier: Apache-2.0
#include "ipc/control.h"

#include <errno.h>
#include <msgpack.h>
#include <stdbool.h>
#include <string.h>

// --- Encoding

struct writer {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
};

static int write_bytes(void *data, const char *bytes, size_t length)
{
    struct writer *writer = data;
    if (writer->capacity - writer->length < length) return -1;
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
    return 0;
}

static int pack_text(msgpack_packer *packer, const char *text, size_t maximum)
{
    const size_t length = strnlen(text, maximum);
    if (length == maximum) return -1;
    return msgpack_pack_str(packer, length) | msgpack_pack_str_body(packer, text, length);
}

static int pack_blob(msgpack_packer *packer, struct btk_bytes bytes, size_t maximum)
{
    if (bytes.length > maximum) return -1;
    int rc = msgpack_pack_bin(packer, bytes.length);
    if (bytes.length > 0) rc |= msgpack_pack_bin_body(packer, bytes.data, bytes.length);
    return rc;
}

// One function a message, so that the fields of the list turn into calls.
#define U32(field)            rc |= msgpack_pack_uint32(packer, fields->field);
#define U64(field)            rc |= msgpack_pack_uint64(packer, fields->field);
#define TEXT(field, maximum)  rc |= pack_text(packer, fields->field, maximum);
#define BYTES(field, maximum) rc |= pack_blob(packer, fields->field, maximum);
#define MESSAGE(name, NAME)                                                                        \
    static int pack_##name(msgpack_packer *packer, const struct btk_control_##name *fields)        \
    {                                                                                              \
        int rc = 0;                                                                                \
        BTK_FIELDS_##NAME(U32, U64, TEXT, BYTES) return rc;                                        \
    }
BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
#undef U32
#undef U64
#undef TEXT
#undef BYTES

#define U32(field)            +1
#define U64(field)            +1
#define TEXT(field, maximum)  +1
#define BYTES(field, maximum) +1
#define MESSAGE(name, NAME)   [BTK_CONTROL_##NAME] = 0 BTK_FIELDS_##NAME(U32, U64, TEXT, BYTES),
static const uint8_t field_counts[BTK_CONTROL_KIND_COUNT] = {BTK_CONTROL_MESSAGES(MESSAGE)};
#undef MESSAGE
#undef U32
#undef U64
#undef TEXT
#undef BYTES

static int pack_fields(msgpack_packer *packer, const struct btk_control_message *message)
{
    switch (message->kind) {
#define MESSAGE(name, NAME)                                                                        \
    case BTK_CONTROL_##NAME: return pack_##name(packer, &message->name);
        BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
    case BTK_CONTROL_NONE:
    case BTK_CONTROL_KIND_COUNT: break;
    }
    return -1;
}

int btk_control_encode(const struct btk_control_message *message, void *out_frame,
                       size_t capacity_bytes, size_t *out_length)
{
    struct writer writer = {.bytes = out_frame, .capacity = capacity_bytes};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &writer, write_bytes);
    if (message->kind <= BTK_CONTROL_NONE || message->kind >= BTK_CONTROL_KIND_COUNT)
        return -EINVAL;
    if (msgpack_pack_array(&packer, 1u + field_counts[message->kind]) != 0
        || msgpack_pack_uint8(&packer, (uint8_t)message->kind) != 0
        || pack_fields(&packer, message) != 0)
        return -EMSGSIZE;
    *out_length = writer.length;
    return 0;
}

// --- Decoding

struct reader {
    const uint8_t *bytes;
    size_t length;
    size_t at;
    const char *message; // being read, for errors
    struct btk_error *error;
};

static int refuse(const struct reader *reader, const char *field, const char *expected)
{
    return btk_error_set(reader->error, EPROTO, reader->at,
                         "control message %s, field %s: expected %s", reader->message, field,
                         expected);
}

// A big-endian number of 1, 2, 4 or 8 bytes behind a header byte.
static bool take_number(struct reader *reader, size_t bytes, uint64_t *out_value)
{
    if (reader->length - reader->at < bytes) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value = value << 8 | reader->bytes[reader->at + i];
    reader->at += bytes;
    *out_value = value;
    return true;
}

static bool take_byte(struct reader *reader, uint8_t *out_byte)
{
    if (reader->at >= reader->length) return false;
    *out_byte = reader->bytes[reader->at++];
    return true;
}

// Header forms are those of the msgpack format document: positive fixint, uint 8..64.
static bool take_unsigned(struct reader *reader, uint64_t *out_value)
{
    uint8_t header = 0;
    if (!take_byte(reader, &header)) return false;
    if (header < 0x80) {
        *out_value = header;
        return true;
    }
    if (header < 0xcc || header > 0xcf) return false;
    return take_number(reader, (size_t)1 << (header - 0xcc), out_value);
}

static bool take_array(struct reader *reader, uint64_t *out_count)
{
    uint8_t header = 0;
    if (!take_byte(reader, &header)) return false;
    *out_count = header & 0x0f;
    if (header >= 0x90 && header <= 0x9f) return true;
    return header == 0xdc && take_number(reader, 2, out_count);
}

static bool take_body(struct reader *reader, uint64_t length, struct btk_bytes *out_bytes)
{
    if (length > reader->length - reader->at) return false;
    *out_bytes = (struct btk_bytes){reader->bytes + reader->at, (size_t)length};
    reader->at += (size_t)length;
    return true;
}

static bool take_string(struct reader *reader, struct btk_bytes *out_text)
{
    uint8_t header = 0;
    uint64_t length = 0;
    if (!take_byte(reader, &header)) return false;
    if (header >= 0xa0 && header <= 0xbf) return take_body(reader, header & 0x1f, out_text);
    if (header < 0xd9 || header > 0xdb) return false;
    return take_number(reader, (size_t)1 << (header - 0xd9), &length)
           && take_body(reader, length, out_text);
}

static bool take_binary(struct reader *reader, struct btk_bytes *out_bytes)
{
    uint8_t header = 0;
    uint64_t length = 0;
    if (!take_byte(reader, &header) || header < 0xc4 || header > 0xc6) return false;
    return take_number(reader, (size_t)1 << (header - 0xc4), &length)
           && take_body(reader, length, out_bytes);
}

static int read_u32(struct reader *reader, const char *field, uint32_t *out_value)
{
    uint64_t value = 0;
    if (!take_unsigned(reader, &value) || value > UINT32_MAX)
        return refuse(reader, field, "an unsigned 32-bit integer");
    *out_value = (uint32_t)value;
    return 0;
}

static int read_u64(struct reader *reader, const char *field, uint64_t *out_value)
{
    if (!take_unsigned(reader, out_value)) return refuse(reader, field, "an unsigned integer");
    return 0;
}

static int read_text(struct reader *reader, const char *field, char *out_text, size_t maximum)
{
    struct btk_bytes text = {0};
    if (!take_string(reader, &text) || text.length >= maximum
        || memchr(text.data, 0, text.length) != NULL)
        return refuse(reader, field, "a string without NUL that is short enough");
    memcpy(out_text, text.data, text.length);
    out_text[text.length] = 0;
    return 0;
}

static int read_blob(struct reader *reader, const char *field, struct btk_bytes *out_bytes,
                     size_t maximum)
{
    struct btk_bytes bytes = {0};
    if (!take_binary(reader, &bytes) || bytes.length > maximum)
        return refuse(reader, field, "bytes that are short enough");
    *out_bytes = bytes;
    return 0;
}

#define U32(field)                                                                                 \
    if (rc == 0) rc = read_u32(reader, #field, &fields->field);
#define U64(field)                                                                                 \
    if (rc == 0) rc = read_u64(reader, #field, &fields->field);
#define TEXT(field, maximum)                                                                       \
    if (rc == 0) rc = read_text(reader, #field, fields->field, maximum);
#define BYTES(field, maximum)                                                                      \
    if (rc == 0) rc = read_blob(reader, #field, &fields->field, maximum);
#define MESSAGE(name, NAME)                                                                        \
    static int read_##name(struct reader *reader, struct btk_control_##name *fields)               \
    {                                                                                              \
        int rc = 0;                                                                                \
        BTK_FIELDS_##NAME(U32, U64, TEXT, BYTES) return rc;                                        \
    }
BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
#undef U32
#undef U64
#undef TEXT
#undef BYTES

static int read_fields(struct reader *reader, struct btk_control_message *message)
{
    switch (message->kind) {
#define MESSAGE(name, NAME)                                                                        \
    case BTK_CONTROL_##NAME: return read_##name(reader, &message->name);
        BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
    case BTK_CONTROL_NONE:
    case BTK_CONTROL_KIND_COUNT: break;
    }
    return -EPROTO;
}

const char *btk_control_name(enum btk_control_kind kind)
{
    switch (kind) {
#define MESSAGE(name, NAME)                                                                        \
    case BTK_CONTROL_##NAME: return #name;
        BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
    case BTK_CONTROL_NONE:
    case BTK_CONTROL_KIND_COUNT: break;
    }
    return "unknown";
}

int btk_control_decode(struct btk_bytes frame, struct btk_control_message *out_message,
                       struct btk_error *error)
{
    struct reader reader = {frame.data, frame.length, 0, "?", error};
    uint64_t count = 0;
    uint64_t kind = 0;
    if (!take_array(&reader, &count)) return refuse(&reader, "(all)", "an array");
    if (!take_unsigned(&reader, &kind) || kind == BTK_CONTROL_NONE
        || kind >= BTK_CONTROL_KIND_COUNT)
        return refuse(&reader, "kind", "the number of a message");
    reader.message = btk_control_name((enum btk_control_kind)kind);
    if (count != 1u + field_counts[kind])
        return refuse(&reader, "(all)", "another count of fields");
    struct btk_control_message message = {.kind = (enum btk_control_kind)kind};
    const int rc = read_fields(&reader, &message);
    if (rc != 0) return rc;
    if (reader.at != reader.length) return refuse(&reader, "(end)", "nothing more");
    *out_message = message;
    return 0;
}
