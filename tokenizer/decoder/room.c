// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/decoder/room.h"

#include <stdlib.h>

int btk_room_reserve(struct btk_room *room, size_t more_bytes)
{
    if (more_bytes <= room->capacity - room->length) return 0;
    if (room->is_fixed) return -ENOBUFS;
    if (more_bytes > BTK_ROOM_BYTES_MAX || room->length > BTK_ROOM_BYTES_MAX - more_bytes)
        return -E2BIG;
    const size_t capacity = btk_max_size(2 * room->capacity, room->length + more_bytes);
    uint8_t *const data = realloc(room->is_owned ? room->data : NULL, capacity);
    if (!data) return -ENOMEM;
    if (!room->is_owned && room->length) memcpy(data, room->data, room->length);
    room->data = data;
    room->capacity = capacity;
    room->is_owned = true;
    return 0;
}

void btk_room_clear(struct btk_room *room)
{
    if (room->is_owned) free(room->data);
    *room = (struct btk_room){0};
}
