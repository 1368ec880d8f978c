// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/bpe_line.h"

#include "tokenizer/model/merge_table.h"

enum { PLACE_BITS = 6, KEYS_A_STEP = 8 };

_Static_assert(BTK_LINE_SYMBOLS_MAX == 1 << PLACE_BITS,
               "the places of a line are one word of bits");

#define NO_KEY INT32_MAX

struct line {
    uint64_t alive; // places that have a token
    uint32_t *ids;
    int32_t keys[BTK_LINE_SYMBOLS_MAX];
    uint32_t merged[BTK_LINE_SYMBOLS_MAX]; // by merges that are not packed
};

// UINT32_MAX: there is none.
static inline uint32_t place_after(const struct line *line, uint32_t at)
{
    const uint64_t after = line->alive & (UINT64_MAX << at << 1);
    return after ? (uint32_t)__builtin_ctzll(after) : UINT32_MAX;
}

static inline uint32_t place_before(const struct line *line, uint32_t at)
{
    const uint64_t before = line->alive & ((UINT64_C(1) << at) - 1);
    return before ? 63 - (uint32_t)__builtin_clzll(before) : UINT32_MAX;
}

static inline void look_up(const struct btk_image *image, struct line *line, uint32_t at,
                           uint32_t right)
{
    const struct btk_merge_slot merge = btk_merge_find(image, line->ids[at], line->ids[right]);
    line->keys[at] = merge.rank == BTK_NO_RANK ? NO_KEY : (int32_t)(merge.rank << PLACE_BITS | at);
    line->merged[at] = merge.id;
}

static inline int32_t least_key(const struct line *line, uint32_t count)
{
    int32_t least = NO_KEY;
    for (uint32_t i = 0; i < count; i += KEYS_A_STEP)
        for (uint32_t j = i; j < i + KEYS_A_STEP; j++)
            least = line->keys[j] < least ? line->keys[j] : least;
    return least;
}

static inline void merge_at(const struct btk_image *image, struct line *line, uint32_t at)
{
    const uint32_t right = place_after(line, at);
    line->ids[at] =
        btk_merge_id(image, (struct btk_merge_slot){.rank = (uint32_t)line->keys[at] >> PLACE_BITS,
                                                    .id = line->merged[at]});
    line->keys[right] = NO_KEY;
    line->alive &= ~(UINT64_C(1) << right);
    const uint32_t before = place_before(line, at), after = place_after(line, at);
    line->keys[at] = NO_KEY;
    if (after != UINT32_MAX) look_up(image, line, at, after);
    if (before != UINT32_MAX) look_up(image, line, before, at);
}

// The tokens of a line, one behind the other.
static size_t pack(const struct line *line, uint32_t *lengths, uint32_t count)
{
    size_t packed = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = lengths[i];
        if (!(line->alive >> i & 1)) {
            lengths[packed - 1] += length;
            continue;
        }
        line->ids[packed] = line->ids[i];
        lengths[packed++] = length;
    }
    return packed;
}

size_t btk_bpe_merge_line(const struct btk_image *image, uint32_t *ids, uint32_t *lengths,
                          uint32_t count)
{
    struct line line; // no initializer: it would clear all of it
    line.alive = UINT64_MAX >> (BTK_LINE_SYMBOLS_MAX - count);
    line.ids = ids;
    const uint32_t steps_end = (uint32_t)btk_align_up(count, KEYS_A_STEP);
    for (uint32_t i = count - 1; i < steps_end; i++) line.keys[i] = NO_KEY;
    for (uint32_t i = 0; i + 1 < count; i++) look_up(image, &line, i, i + 1);
    for (;;) {
        const int32_t least = least_key(&line, count);
        if (least == NO_KEY) break;
        merge_at(image, &line, (uint32_t)least % BTK_LINE_SYMBOLS_MAX);
    }
    return pack(&line, lengths, count);
}
