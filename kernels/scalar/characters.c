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

// Eight bytes, the first lowest, as a matrix of bits: bit c of byte i becomes bit i of byte c (Hacker's
// Delight, 7-3).
static uint64_t transpose(uint64_t bits)
{
    uint64_t swapped = (bits ^ bits >> 7) & 0x00aa00aa00aa00aau;
    bits ^= swapped ^ swapped << 7;
    swapped = (bits ^ bits >> 14) & 0x0000cccc0000ccccu;
    bits ^= swapped ^ swapped << 14;
    swapped = (bits ^ bits >> 28) & 0x00000000f0f0f0f0u;
    return bits ^ swapped ^ swapped << 28;
}

static struct btk_char_masks characters_of(const uint8_t *text, size_t bytes,
                                           const uint8_t *classes_of_kind)
{
    struct btk_char_masks masks = {0};
    uint8_t classes[64] = {0};
    for (size_t i = 0; i < bytes; i++) {
        if (!is_lead(text[i])) continue;
        classes[masks.count++] = classes_of_kind[kind_at(text + i)];
        masks.leads |= (uint64_t)1 << i;
    }
    for (size_t i = 0; i < masks.count; i += 8) {
        uint64_t eight = 0;
        for (size_t k = 0; k < 8; k++) eight |= (uint64_t)classes[i + k] << 8 * k;
        eight = transpose(eight);
        for (size_t c = 0; c < BTK_ARRAY_COUNT(masks.classes); c++)
            masks.classes[c] |= (eight >> 8 * c & 0xff) << i;
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
