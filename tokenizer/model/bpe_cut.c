// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/bpe_cut.h"

#include "common/utf8.h"
#include "tokenizer/lookup_hash.h"

static bool is_joined(const struct btk_image *image, uint32_t left, uint32_t right)
{
    const uint64_t key = (uint64_t)left << 32 | right;
    for (uint64_t at = btk_merge_hash(key);; at++) {
        const uint64_t slot = image->cut_pairs[at & image->cut_mask];
        if (slot == key) return true;
        if (slot == UINT64_MAX) return false;
    }
}

static bool is_known(const struct btk_image *image, uint32_t code_point)
{
    const uint32_t id =
        code_point < 0x80 ? image->byte_ids[code_point] : btk_bpe_find_char(image, code_point, 0);
    return id != BTK_NO_TOKEN;
}

static bool is_cut(const struct btk_image *image, uint32_t left, uint32_t right)
{
    const uint32_t row = btk_cut_class(left), column = btk_cut_class(right);
    if (row != BTK_CUT_NO_CLASS && column != BTK_CUT_NO_CLASS)
        return image->cut_bits[row * BTK_CUT_ROW_WORDS + column / 64] >> column % 64 & 1;
    return !is_joined(image, left, right) && is_known(image, left) && is_known(image, right);
}

size_t btk_bpe_next_cut(const struct btk_image *image, struct btk_bytes piece, size_t begin)
{
    size_t length;
    uint32_t left = btk_utf8_decode(piece.data + begin, &length);
    size_t at = begin + length;
    while (at < piece.length) {
        const uint32_t right = btk_utf8_decode(piece.data + at, &length);
        if (is_cut(image, left, right)) return at;
        left = right;
        at += length;
    }
    return piece.length;
}
