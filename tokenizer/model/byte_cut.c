// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/byte_cut.h"

#include "common/utf8.h"

static bool has_bit(const struct btk_image *image, uint32_t left, uint32_t right)
{
    const uint64_t bit = btk_cut_bit(left, right, image->cut_filter_mask);
    return image->cut_filter[bit / 64] >> bit % 64 & 1;
}

static bool is_cut(const struct btk_image *image, uint32_t left, uint32_t right, const uint8_t *at)
{
    return !has_bit(image, left, right) && !has_bit(image, left, BTK_CUT_ANY)
           && !has_bit(image, BTK_CUT_ANY, right)
           && !has_bit(image, BTK_CUT_BYTE | at[-1], BTK_CUT_BYTE | at[0]);
}

size_t btk_byte_next_cut(const struct btk_image *image, struct btk_bytes piece, size_t begin)
{
    size_t length;
    uint32_t left = btk_utf8_decode(piece.data + begin, &length);
    size_t at = begin + length;
    while (at < piece.length) {
        const uint32_t right = btk_utf8_decode(piece.data + at, &length);
        if (is_cut(image, left, right, piece.data + at)) return at;
        left = right;
        at += length;
    }
    return piece.length;
}
