// SPDX-License-Identifier: Apache-2.0
// A growing buffer of bytes, for what is built at start-up or at the edges (JSON, HTTP, images).
//
// Ownership: the buffer owns `data` until btk_buffer_clear(). Threads: one at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct btk_buffer {
    uint8_t *data; // NULL while nothing was ever reserved
    size_t length;
    size_t capacity;
};

static inline void btk_buffer_init(struct btk_buffer *buffer)
{
    *buffer = (struct btk_buffer){0};
}

// Frees the memory; the buffer may be used again. NULL is fine.
void btk_buffer_clear(struct btk_buffer *buffer);

// Room for `more_bytes` behind the present length. -ENOMEM; the content stays.
BTK_MUST_USE int btk_buffer_reserve(struct btk_buffer *buffer, size_t more_bytes);

// Copies bytes behind the present content. -ENOMEM.
BTK_MUST_USE int btk_buffer_append(struct btk_buffer *buffer, const void *bytes, size_t length);

// Appends formatted text, without the NUL. -ENOMEM.
BTK_MUST_USE int btk_buffer_printf(struct btk_buffer *buffer, const char *format, ...)
    BTK_PRINTF(2, 3);
