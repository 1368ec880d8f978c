// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/short_piece.h"

#define X 0xff
const uint8_t btk_short_padding[BTK_SHORT_BYTES_MAX + 1][BTK_SHORT_BYTES_MAX] = {
    {X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X},
    {0, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X},
    {0, 0, X, X, X, X, X, X, X, X, X, X, X, X, X, X},
    {0, 0, 0, X, X, X, X, X, X, X, X, X, X, X, X, X},
    {0, 0, 0, 0, X, X, X, X, X, X, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, X, X, X, X, X, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, X, X, X, X, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, X, X, X, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, X, X, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, X, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
};
#undef X

bool btk_piece_ends(const uint32_t *places, size_t count, size_t length, uint32_t *out_ends)
{
    uint32_t ends = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t end = places[2 * i + 1];
        if (places[2 * i] != at || end <= at || end > length) return false;
        if (end < length) ends |= UINT32_C(1) << (end - 1);
        at = end;
    }
    *out_ends = ends;
    return at == length;
}

bool btk_short_piece_try_fill(struct btk_short_piece *out_piece, const struct btk_short_key *key,
                              size_t length, const uint32_t *ids, const uint32_t *places,
                              size_t count)
{
    uint32_t ends;
    if (!count || count > BTK_SHORT_IDS_MAX || !btk_piece_ends(places, count, length, &ends))
        return false;
    *out_piece = (struct btk_short_piece){.words = {key->words[0], key->words[1]},
                                          .layout = (uint32_t)count | ends << 2};
    memcpy(out_piece->ids, ids, count * sizeof *ids);
    return true;
}
