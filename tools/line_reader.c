// SPDX-License-Identifier: Apache-2.0
#include "tools/line_reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20 };

void btk_line_reader_init(struct btk_line_reader *reader, int fd, size_t line_bytes_max)
{
    *reader = (struct btk_line_reader){.fd = fd, .line_bytes_max = line_bytes_max};
    btk_buffer_init(&reader->buffer);
}

void btk_line_reader_clear(struct btk_line_reader *reader)
{
    btk_buffer_clear(&reader->buffer);
}

// Puts more bytes behind those that are there; sets is_at_end when there are none.
static int read_more(struct btk_line_reader *reader)
{
    struct btk_buffer *const buffer = &reader->buffer;
    if (reader->position) {
        buffer->length -= reader->position;
        memmove(buffer->data, buffer->data + reader->position, buffer->length);
        reader->position = 0;
    }
    const int status = btk_buffer_reserve(buffer, READ_BYTES);
    if (status < 0) return status;
    ssize_t bytes;
    do {
        bytes = read(reader->fd, buffer->data + buffer->length, READ_BYTES);
    } while (bytes < 0 && errno == EINTR);
    if (bytes < 0) return -errno;
    if (bytes == 0) reader->is_at_end = true;
    buffer->length += (size_t)bytes;
    reader->bytes_read += (uint64_t)bytes;
    return 0;
}

static struct btk_bytes take(struct btk_line_reader *reader, size_t length, size_t with_end)
{
    const uint8_t *const data = reader->buffer.data + reader->position;
    reader->position += with_end;
    if (length && with_end > length && data[length - 1] == '\r') length--;
    return (struct btk_bytes){data, length};
}

// Reads up to the end of a line that is too long and forgets it all.
static int skip_line(struct btk_line_reader *reader)
{
    for (;;) {
        const size_t left = reader->buffer.length - reader->position;
        const uint8_t *const begin = reader->buffer.data + reader->position;
        const uint8_t *const end = left ? memchr(begin, '\n', left) : NULL;
        reader->position += end ? (size_t)(end - begin) + 1 : left;
        if (end || reader->is_at_end) return 0;
        const int status = read_more(reader);
        if (status < 0) return status;
    }
}

int btk_line_reader_next(struct btk_line_reader *reader, struct btk_bytes *out_line,
                         bool *out_is_too_long)
{
    size_t searched = 0;
    for (;;) {
        const size_t left = reader->buffer.length - reader->position;
        const uint8_t *const begin = reader->buffer.data + reader->position;
        const uint8_t *const end =
            left > searched ? memchr(begin + searched, '\n', left - searched) : NULL;
        const size_t length = end ? (size_t)(end - begin) : left;
        if (length > reader->line_bytes_max) {
            *out_is_too_long = true;
            *out_line = (struct btk_bytes){NULL, 0};
            const int status = skip_line(reader);
            return status < 0 ? status : 1;
        }
        if (end || (reader->is_at_end && left)) {
            *out_is_too_long = false;
            *out_line = take(reader, length, end ? length + 1 : length);
            return 1;
        }
        if (reader->is_at_end) return 0;
        searched = left;
        const int status = read_more(reader);
        if (status < 0) return status;
    }
}

bool btk_line_reader_has_line(const struct btk_line_reader *reader)
{
    const size_t left = reader->buffer.length - reader->position;
    return reader->is_at_end
           || (left && memchr(reader->buffer.data + reader->position, '\n', left) != NULL);
}
