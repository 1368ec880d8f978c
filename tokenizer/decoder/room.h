// SPDX-License-Identifier: Apache-2.0
// Where a decoder writes: the caller's memory, which is as large as it is, or memory that grows.
//
// Ownership: btk_room_clear() frees what grew. Threads: one at a time.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"

// What a step may make of a text: a file's steps could make it double with each.
#define BTK_ROOM_BYTES_MAX ((size_t)1 << 30)

struct btk_room {
    uint8_t *data;
    size_t length;
    size_t capacity;
    bool is_fixed; // the caller's: it does not grow
    bool is_owned; // it has grown: freed by clear
};

// Room for `more_bytes` behind the present length. -ENOBUFS: it is fixed; -ENOMEM; -E2BIG.
BTK_MUST_USE int btk_room_reserve(struct btk_room *room, size_t more_bytes);
void btk_room_clear(struct btk_room *room); // it may be used again

static inline struct btk_room btk_room_on(void *memory, size_t capacity)
{
    return (struct btk_room){.data = memory, .capacity = capacity};
}

static inline struct btk_bytes btk_room_text(const struct btk_room *room)
{
    return (struct btk_bytes){room->data, room->length};
}

BTK_MUST_USE static inline int btk_room_append(struct btk_room *room, struct btk_bytes bytes)
{
    if (bytes.length > room->capacity - room->length) {
        const int status = btk_room_reserve(room, bytes.length);
        if (status < 0) return status;
    }
    if (bytes.length) memcpy(room->data + room->length, bytes.data, bytes.length);
    room->length += bytes.length;
    return 0;
}
