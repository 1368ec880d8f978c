// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/format/gguf_reader.h"

enum { PAIRS_MAX = 1 << 20, KEY_BYTES_MAX = 1 << 16, MAGIC_BYTES = 4 };

struct cursor {
    struct btk_format *format;
    const uint8_t *begin;
    struct btk_bytes left;
    struct btk_bytes key; // of the pair that is being read
};

static int refuse(struct cursor *cursor, const char *what)
{
    const uint64_t at = (uint64_t)(cursor->left.data - cursor->begin);
    return btk_format_refuse(cursor->format, at, "GGUF, byte %llu, key \"%.*s\": %s",
                             (unsigned long long)at, (int)btk_min_size(cursor->key.length, 80),
                             cursor->key.length ? (const char *)cursor->key.data : "", what);
}

static int take(struct cursor *cursor, uint64_t bytes, struct btk_bytes *out)
{
    if (bytes > cursor->left.length) return refuse(cursor, "the file ends too early");
    *out = (struct btk_bytes){cursor->left.data, (size_t)bytes};
    cursor->left.data += bytes;
    cursor->left.length -= (size_t)bytes;
    return 0;
}

static uint64_t little_endian(const uint8_t *bytes, unsigned count)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < count; i++) number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

static int take_number(struct cursor *cursor, unsigned bytes, uint64_t *out)
{
    struct btk_bytes number = {0};
    const int status = take(cursor, bytes, &number);
    if (!status) *out = little_endian(number.data, bytes);
    return status;
}

static int take_string(struct cursor *cursor, struct btk_bytes *out)
{
    uint64_t length = 0;
    const int status = take_number(cursor, 8, &length);
    return status < 0 ? status : take(cursor, length, out);
}

// 0: it has none.
static unsigned bytes_of(uint64_t type)
{
    switch (type) {
    case BTK_GGUF_U8:
    case BTK_GGUF_I8:
    case BTK_GGUF_BOOL: return 1;
    case BTK_GGUF_U16:
    case BTK_GGUF_I16: return 2;
    case BTK_GGUF_U32:
    case BTK_GGUF_I32:
    case BTK_GGUF_F32: return 4;
    case BTK_GGUF_U64:
    case BTK_GGUF_I64:
    case BTK_GGUF_F64: return 8;
    default: return 0;
    }
}

static int take_strings(struct cursor *cursor, uint64_t count, struct btk_bytes *out)
{
    const uint8_t *const begin = cursor->left.data;
    struct btk_bytes string;
    for (uint64_t i = 0; i < count; i++) {
        const int status = take_string(cursor, &string);
        if (status < 0) return status;
    }
    *out = (struct btk_bytes){begin, (size_t)(cursor->left.data - begin)};
    return 0;
}

static int take_array(struct cursor *cursor, struct btk_gguf_value *out)
{
    uint64_t member_type = 0;
    int status = take_number(cursor, 4, &member_type);
    if (!status) status = take_number(cursor, 8, &out->count);
    if (status < 0) return status;
    out->member_type = (uint32_t)member_type;
    if (member_type == BTK_GGUF_STRING) return take_strings(cursor, out->count, &out->data);
    const unsigned member_bytes = bytes_of(member_type);
    if (!member_bytes) return refuse(cursor, "an array of a type that is not supported");
    if (out->count > UINT64_MAX / 8) return refuse(cursor, "the file ends too early");
    return take(cursor, out->count * member_bytes, &out->data);
}

static int take_value(struct cursor *cursor, struct btk_gguf_value *out)
{
    uint64_t type = 0;
    const int status = take_number(cursor, 4, &type);
    if (status < 0) return status;
    out->type = (uint32_t)type;
    if (type == BTK_GGUF_ARRAY) return take_array(cursor, out);
    if (type == BTK_GGUF_STRING) return take_string(cursor, &out->data);
    if (!bytes_of(type)) return refuse(cursor, "a value of an unknown type");
    return take(cursor, bytes_of(type), &out->data);
}

static int take_pair(struct cursor *cursor, struct btk_gguf_value *values, size_t value_count)
{
    struct btk_gguf_value value = {.is_there = true};
    cursor->key = (struct btk_bytes){0};
    int status = take_string(cursor, &cursor->key);
    if (!status && cursor->key.length > KEY_BYTES_MAX) status = refuse(cursor, "it is too long");
    if (!status) status = take_value(cursor, &value);
    if (status < 0) return status;
    for (size_t i = 0; i < value_count; i++) {
        if (values[i].is_there || !btk_bytes_are(cursor->key, values[i].key)) continue;
        value.key = values[i].key;
        values[i] = value;
    }
    return 0;
}

static int check_head(struct cursor *cursor, uint64_t *out_pair_count)
{
    struct btk_bytes magic;
    uint64_t version = 0, tensor_count;
    int status = take(cursor, MAGIC_BYTES, &magic);
    if (!status) status = take_number(cursor, 4, &version);
    if (!status && (version == 2u << 24 || version == 3u << 24))
        return refuse(cursor, "the file is big-endian, which is not supported");
    if (!status && version != 2 && version != 3)
        return refuse(cursor, "the file is of another version than 2 and 3");
    if (!status) status = take_number(cursor, 8, &tensor_count);
    if (!status) status = take_number(cursor, 8, out_pair_count);
    if (!status && *out_pair_count > PAIRS_MAX) return refuse(cursor, "too many keys");
    return status;
}

int btk_gguf_read(struct btk_format *format, struct btk_bytes file, struct btk_gguf_value *values,
                  size_t value_count)
{
    struct cursor cursor = {.format = format, .begin = file.data, .left = file};
    uint64_t pair_count = 0;
    int status = check_head(&cursor, &pair_count);
    for (uint64_t i = 0; i < pair_count && !status; i++)
        status = take_pair(&cursor, values, value_count);
    return status;
}

// --- Values

static int refuse_type(struct btk_format *format, const struct btk_gguf_value *value,
                       const char *wanted)
{
    return btk_format_refuse(format, BTK_NO_OFFSET, "GGUF, key \"%s\": is to be %s, not of type %u",
                             value->key, wanted, value->type);
}

int btk_gguf_take_u32(struct btk_format *format, const struct btk_gguf_value *value,
                      uint32_t *in_out_number)
{
    if (!value->is_there) return 0;
    if (value->type != BTK_GGUF_U32) return refuse_type(format, value, "a number of 32 bits");
    *in_out_number = (uint32_t)little_endian(value->data.data, 4);
    return 0;
}

int btk_gguf_take_bool(struct btk_format *format, const struct btk_gguf_value *value,
                       bool *in_out_flag)
{
    if (!value->is_there) return 0;
    if (value->type != BTK_GGUF_BOOL) return refuse_type(format, value, "true or false");
    *in_out_flag = value->data.data[0] != 0;
    return 0;
}

int btk_gguf_take_text(struct btk_format *format, const struct btk_gguf_value *value,
                       struct btk_bytes *in_out_text)
{
    if (!value->is_there) return 0;
    if (value->type != BTK_GGUF_STRING) return refuse_type(format, value, "a string");
    *in_out_text = value->data;
    return 0;
}

bool btk_gguf_is_array(const struct btk_gguf_value *value, uint32_t member_type)
{
    return value->is_there && value->type == BTK_GGUF_ARRAY && value->member_type == member_type;
}

struct btk_bytes btk_gguf_next_string(struct btk_bytes *in_out_data)
{
    const size_t length = (size_t)little_endian(in_out_data->data, 8);
    const struct btk_bytes string = {in_out_data->data + 8, length};
    in_out_data->data += 8 + length;
    in_out_data->length -= 8 + length;
    return string;
}

uint32_t btk_gguf_number_at(const struct btk_gguf_value *value, uint64_t index)
{
    return (uint32_t)little_endian(value->data.data + 4 * index, 4);
}
