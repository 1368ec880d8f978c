// SPDX-License-Identifier: Apache-2.0
// Which two tokens merge, and in which order. Asked for every two neighbours of a piece that is not
// remembered, and most do not merge: first one bit is looked at, then one slot.
//
//     MERGE_FILTER   uint64_t[]: the bit of a hash of each pair. 0: they do not merge
//     MERGES         packed: | left | right | rank | with `merge_token_bits` for each token and what is
//                    left for the rank; all bits set: empty. The token that comes of it: RANK_IDS[rank]
//                    not packed: struct btk_merge_slot; where two tokens share a rank, or where the
//                    numbers do not fit
//
// Both tables are of a power of two and probed linearly; at least a quarter of the slots are empty.
//
// Ownership: part of the image. Threads: read only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/lookup_hash.h"

#define BTK_NO_RANK UINT32_MAX

static inline uint64_t btk_merge_filter_bit(uint64_t hash, uint64_t word_mask)
{
    return hash >> 36 & (word_mask * 64 + 63);
}

static inline bool btk_merge_is_packed(const struct btk_image *image)
{
    return image->config->model_flags & BTK_MODEL_PACKED_MERGES;
}

static inline uint64_t btk_merge_packed_key(uint32_t left, uint32_t right, uint32_t token_bits)
{
    return (uint64_t)left << token_bits | right;
}

// The rank of a packed merge; BTK_NO_RANK.
static inline uint32_t btk_merge_find_packed(const struct btk_image *image, uint32_t left,
                                             uint32_t right, uint64_t hash)
{
    const uint32_t token_bits = image->config->merge_token_bits;
    const uint32_t rank_bits = 64 - 2 * token_bits;
    const uint64_t wanted = btk_merge_packed_key(left, right, token_bits);
    for (uint64_t at = hash;; at++) {
        const uint64_t slot = image->packed_merges[at & image->merge_mask];
        if (slot >> rank_bits == wanted && slot != UINT64_MAX)
            return (uint32_t)(slot & ((UINT64_C(1) << rank_bits) - 1));
        if (slot == UINT64_MAX) return BTK_NO_RANK;
    }
}

// The merge of two tokens; rank BTK_NO_RANK: there is none. Its token: btk_merge_id().
static inline struct btk_merge_slot btk_merge_find(const struct btk_image *image, uint32_t left,
                                                   uint32_t right)
{
    const struct btk_merge_slot none = {.rank = BTK_NO_RANK, .id = BTK_NO_TOKEN};
    const uint64_t key = (uint64_t)left << 32 | right;
    const uint64_t hash = btk_merge_hash(key);
    const uint64_t bit = btk_merge_filter_bit(hash, image->merge_filter_mask);
    if (!(image->merge_filter[bit / 64] >> bit % 64 & 1)) return none;
    if (btk_merge_is_packed(image))
        return (struct btk_merge_slot){.rank = btk_merge_find_packed(image, left, right, hash)};
    for (uint64_t at = hash;; at++) {
        const struct btk_merge_slot slot = image->merges[at & image->merge_mask];
        if (slot.key == key) return slot;
        if (slot.key == UINT64_MAX) return none;
    }
}

// The token of a merge that was found.
static inline uint32_t btk_merge_id(const struct btk_image *image, struct btk_merge_slot merge)
{
    return btk_merge_is_packed(image) ? image->rank_ids[merge.rank] : merge.id;
}
