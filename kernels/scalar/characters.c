// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>

#include "common/base.h"
#include "kernels/ascii_kinds.h"
#include "kernels/scalar/scalar.h"

static bool is_lead(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

static uint8_t kind_at(const uint8_t *text)
{
    if (text[0] < 0x80) return ascii_kinds[text[0]];
    return kinds_of_page(text)[text[btk_utf8_length(text[0]) - 1] & 0x3f];
}

static struct btk_char_masks characters_of(const uint8_t *text, size_t bytes,
                                           const uint8_t *classes_of_kind)
{
    struct btk_char_masks masks = {0};
    for (size_t i = 0; i < bytes; i++) {
        if (!is_lead(text[i])) continue;
        const uint64_t classes = classes_of_kind[kind_at(text + i)];
        for (size_t c = 0; c < BTK_ARRAY_COUNT(masks.classes); c++)
            masks.classes[c] |= (classes >> c & 1) << masks.count;
        masks.leads |= (uint64_t)1 << i;
        masks.count++;
    }
    return masks;
}

void btk_scalar_char_masks(const uint8_t *text, size_t length, size_t blocks,
                           const uint8_t classes_of_kind[BTK_CHAR_KIND_ROOM],
                           struct btk_char_masks *out_masks)
{
    for (size_t i = 0; i < blocks; i++)
        out_masks[i] =
            characters_of(text + i * 64, btk_min_size(length - i * 64, 64), classes_of_kind);
}

size_t btk_scalar_mark_offsets(const struct btk_char_masks *masks, const uint64_t *marks,
                               size_t blocks, uint32_t begin, uint32_t *out_offsets)
{
    size_t count = 0;
    for (size_t i = 0; i < blocks; i++) {
        uint64_t marks_left = marks[i];
        for (uint64_t leads = masks[i].leads; leads && marks_left; leads &= leads - 1) {
            if (marks_left & 1)
                out_offsets[count++] =
                    begin + (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(leads);
            marks_left >>= 1;
        }
    }
    return count;
}
