// SPDX-License-Identifier: Apache-2.0
#include "common/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void btk_buffer_clear(struct btk_buffer *buffer)
{
    if (!buffer) return;
    free(buffer->data);
    btk_buffer_init(buffer);
}

int btk_buffer_reserve(struct btk_buffer *buffer, size_t more_bytes)
{
    if (buffer->capacity - buffer->length >= more_bytes) return 0;
    size_t needed;
    if (__builtin_add_overflow(buffer->length, more_bytes, &needed)) return -ENOMEM;
    size_t capacity = btk_max_size(buffer->capacity, 256);
    while (capacity < needed) {
        if (__builtin_mul_overflow(capacity, 2, &capacity)) return -ENOMEM;
    }
    uint8_t *const data = realloc(buffer->data, capacity);
    if (!data) return -ENOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int btk_buffer_append(struct btk_buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0) return 0;
    const int status = btk_buffer_reserve(buffer, length);
    if (status) return status;
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
    return 0;
}

int btk_buffer_printf(struct btk_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    const int status = length < 0 ? -EINVAL : btk_buffer_reserve(buffer, (size_t)length + 1);
    if (status == 0) {
        vsnprintf((char *)buffer->data + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return status;
}
