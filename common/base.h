// SPDX-License-Identifier: Apache-2.0
// What every file needs: attributes, sizes, and the borrowed view of bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BTK_MUST_USE                        __attribute__((warn_unused_result))
#define BTK_EXPORT                          __attribute__((visibility("default")))
#define BTK_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#define BTK_UNUSED                          __attribute__((unused))

#define BTK_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// A borrowed view: never owns, passed by value. `data` may be NULL when `length` is 0.
struct btk_bytes {
    const uint8_t *data;
    size_t length; // bytes
};

static inline bool btk_bytes_equal(struct btk_bytes a, struct btk_bytes b)
{
    return a.length == b.length && (!a.length || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool btk_bytes_are(struct btk_bytes bytes, const char *text)
{
    return btk_bytes_equal(bytes, (struct btk_bytes){(const uint8_t *)text, strlen(text)});
}

static inline size_t btk_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t btk_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

// `alignment` is a power of two; value + alignment must not overflow.
static inline size_t btk_align_up(size_t value, size_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}
