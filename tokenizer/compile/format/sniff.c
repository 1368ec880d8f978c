// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/format/sniff.h"

#include <string.h>

#include "common/base64.h"
#include "common/utf8.h"
#include "common/wire_reader.h"

enum { LINE_BYTES_MAX = 4096, HEAD_BYTES = 4096 };

static bool is_json(struct btk_bytes file)
{
    size_t at = 0;
    while (at < file.length && memchr(" \t\r\n", file.data[at], 4)) at++;
    return at < file.length && file.data[at] == '{';
}

static bool is_tiktoken(struct btk_bytes file)
{
    uint8_t bytes[LINE_BYTES_MAX]; // fewer than there are letters
    const size_t head = btk_min_size(file.length, LINE_BYTES_MAX);
    const uint8_t *const newline = memchr(file.data, '\n', head);
    size_t length = newline ? (size_t)(newline - file.data) : head;
    if (length && file.data[length - 1] == '\r') length--;
    const uint8_t *const space = memchr(file.data, ' ', length);
    if (!space || space == file.data || space + 1 == file.data + length) return false;
    for (const uint8_t *digit = space + 1; digit < file.data + length; digit++)
        if (*digit < '0' || *digit > '9') return false;
    size_t byte_count;
    return btk_base64_try_decode((struct btk_bytes){file.data, (size_t)(space - file.data)}, bytes,
                                 &byte_count);
}

// A piece begins with its text.
static bool is_piece(struct btk_bytes message)
{
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    btk_wire_reader_init(&reader, message);
    return btk_wire_reader_next(&reader, &field) && field.number == 1
           && field.type == BTK_WIRE_BYTES;
}

// Its parts have the numbers 1 to 5, and pieces are among them.
static bool is_sentencepiece(struct btk_bytes file)
{
    struct btk_wire_reader reader;
    struct btk_wire_field field;
    btk_wire_reader_init(&reader, file);
    while (btk_wire_reader_next(&reader, &field)) {
        if (field.type != BTK_WIRE_BYTES || field.number > 5) return false;
        if (field.number == 1) return is_piece(field.bytes);
    }
    return false;
}

static bool is_text(struct btk_bytes file)
{
    const size_t head = btk_min_size(file.length, HEAD_BYTES);
    const size_t valid = btk_utf8_valid_prefix(file.data, head);
    return head && head - valid < 4 && !memchr(file.data, 0, head);
}

enum btk_file_kind btk_sniff_file(struct btk_bytes file)
{
    if (file.length >= 4 && memcmp(file.data, "GGUF", 4) == 0) return BTK_FILE_GGUF;
    if (is_json(file)) return BTK_FILE_JSON;
    if (!file.length) return BTK_FILE_UNKNOWN;
    if (is_tiktoken(file)) return BTK_FILE_TIKTOKEN;
    if (is_sentencepiece(file)) return BTK_FILE_SENTENCEPIECE;
    return is_text(file) ? BTK_FILE_TEXT : BTK_FILE_UNKNOWN;
}
