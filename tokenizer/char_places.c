// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/char_places.h"

void btk_char_places_init(struct btk_char_places *places, struct btk_bytes text)
{
    places->text = text;
    places->begin = places->end = 0;
    places->next = 0;
}

// The window behind the present one.
static void advance(struct btk_char_places *places)
{
    const size_t begin = places->end;
    const size_t end = btk_min_size(begin + BTK_CHAR_WINDOW_BYTES, places->text.length);
    const uint8_t *const text = places->text.data + begin;
    uint32_t next = places->next;
    for (size_t i = 0; i < end - begin; i++) {
        next += (text[i] & 0xc0) != 0x80;
        places->numbers[i] = next - 1;
    }
    places->begin = begin;
    places->end = end;
    places->next = next;
}

size_t btk_char_places_convert(struct btk_char_places *places, uint32_t *offsets, size_t count)
{
    size_t i = 0;
    for (;;) {
        const size_t begin = places->begin, bytes = places->end - begin;
        const uint32_t *const numbers = places->numbers;
        for (; i < count; i++) {
            const size_t first = offsets[2 * i] - begin, last = offsets[2 * i + 1] - begin - 1;
            if (first >= bytes || last >= bytes) break;
            offsets[2 * i] = numbers[first];
            offsets[2 * i + 1] = numbers[last] + 1;
        }
        if (i == count || offsets[2 * i] < places->end || places->end == places->text.length)
            return i;
        advance(places);
    }
}
