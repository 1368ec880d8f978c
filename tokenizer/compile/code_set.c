// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/code_set.h"

#include <string.h>

#define CODE_POINT_LAST 0x10ffffu
#define SURROGATE_FIRST 0xd800u
#define SURROGATE_LAST  0xdfffu

static struct btk_unicode_range *new_ranges(struct btk_arena *arena, size_t count)
{
    return btk_arena_allocate(arena, (count ? count : 1) * sizeof(struct btk_unicode_range));
}

bool btk_code_set_range(struct btk_arena *arena, uint32_t first, uint32_t last,
                        struct btk_code_set *out)
{
    struct btk_unicode_range *const ranges = new_ranges(arena, 2);
    size_t count = 0;
    if (!ranges) return false;
    if (last > CODE_POINT_LAST) last = CODE_POINT_LAST;
    if (first < SURROGATE_FIRST && first <= last)
        ranges[count++] =
            (struct btk_unicode_range){first, last < SURROGATE_FIRST ? last : SURROGATE_FIRST - 1};
    if (last > SURROGATE_LAST && first <= last)
        ranges[count++] =
            (struct btk_unicode_range){first > SURROGATE_LAST ? first : SURROGATE_LAST + 1, last};
    *out = (struct btk_code_set){ranges, count};
    return true;
}

bool btk_code_set_property(struct btk_arena *arena, int property, struct btk_code_set *out)
{
    const size_t count = btk_unicode_property_range_count(property);
    struct btk_unicode_range *const ranges = new_ranges(arena, count);
    if (!ranges) return false;
    btk_unicode_property_ranges(property, ranges);
    *out = (struct btk_code_set){ranges, count};
    return true;
}

// Adds a range that begins no earlier than those before it. Only ranges that overlap or touch
// become one; those on both sides of the surrogates stay two.
static size_t add_range(struct btk_unicode_range *ranges, size_t count,
                        struct btk_unicode_range range)
{
    if (count && range.first <= ranges[count - 1].last + 1) {
        if (range.last > ranges[count - 1].last) ranges[count - 1].last = range.last;
        return count;
    }
    ranges[count] = range;
    return count + 1;
}

bool btk_code_set_union(struct btk_arena *arena, struct btk_code_set a, struct btk_code_set b,
                        struct btk_code_set *out)
{
    if (!a.count || !b.count) {
        *out = a.count ? a : b;
        return true;
    }
    struct btk_unicode_range *const ranges = new_ranges(arena, a.count + b.count);
    size_t count = 0, i = 0, j = 0;
    if (!ranges) return false;
    while (i < a.count || j < b.count) {
        const bool take_a = j == b.count || (i < a.count && a.ranges[i].first <= b.ranges[j].first);
        count = add_range(ranges, count, take_a ? a.ranges[i++] : b.ranges[j++]);
    }
    *out = (struct btk_code_set){ranges, count};
    return true;
}

// How many overlaps there are, up to `limit`; writes them if `out` is given.
static size_t overlaps(struct btk_code_set a, struct btk_code_set b, size_t limit,
                       struct btk_unicode_range *out)
{
    size_t count = 0;
    for (size_t i = 0, j = 0; i < a.count && j < b.count && count < limit;) {
        const struct btk_unicode_range x = a.ranges[i], y = b.ranges[j];
        const uint32_t first = x.first > y.first ? x.first : y.first;
        const uint32_t last = x.last < y.last ? x.last : y.last;
        if (first <= last) {
            if (out) out[count] = (struct btk_unicode_range){first, last};
            count++;
        }
        if (x.last < y.last)
            i++;
        else
            j++;
    }
    return count;
}

bool btk_code_set_intersection(struct btk_arena *arena, struct btk_code_set a,
                               struct btk_code_set b, struct btk_code_set *out)
{
    struct btk_unicode_range *const ranges = new_ranges(arena, overlaps(a, b, SIZE_MAX, NULL));
    if (!ranges) return false;
    *out = (struct btk_code_set){ranges, overlaps(a, b, SIZE_MAX, ranges)};
    return true;
}

bool btk_code_set_complement(struct btk_arena *arena, struct btk_code_set set,
                             struct btk_code_set *out)
{
    // The surrogates are held for members, so that they are in no complement.
    static const struct btk_unicode_range surrogates = {SURROGATE_FIRST, SURROGATE_LAST};
    struct btk_code_set held = set;
    if (!btk_code_set_union(arena, set, (struct btk_code_set){&surrogates, 1}, &held)) return false;
    struct btk_unicode_range *const ranges = new_ranges(arena, held.count + 1);
    size_t count = 0;
    uint32_t first = 0;
    if (!ranges) return false;
    for (size_t i = 0; i < held.count; i++) {
        if (held.ranges[i].first > first)
            ranges[count++] = (struct btk_unicode_range){first, held.ranges[i].first - 1};
        first = held.ranges[i].last + 1;
    }
    if (first <= CODE_POINT_LAST)
        ranges[count++] = (struct btk_unicode_range){first, CODE_POINT_LAST};
    *out = (struct btk_code_set){ranges, count};
    return true;
}

bool btk_code_set_fold(struct btk_arena *arena, enum btk_unicode_engine engine,
                       struct btk_code_set set, struct btk_code_set *out)
{
    // Cased code points come in order: those that are added do too.
    const size_t cased = btk_unicode_cased_count();
    struct btk_unicode_range *const added = new_ranges(arena, cased);
    size_t count = 0;
    if (!added) return false;
    for (size_t i = 0; i < cased; i++) {
        const uint32_t code_point = btk_unicode_cased(i);
        uint32_t other = btk_unicode_fold_next(engine, code_point);
        while (other != code_point && !btk_code_set_has(set, other))
            other = btk_unicode_fold_next(engine, other);
        if (other != code_point)
            count = add_range(added, count, (struct btk_unicode_range){code_point, code_point});
    }
    return btk_code_set_union(arena, set, (struct btk_code_set){added, count}, out);
}

bool btk_code_set_has(struct btk_code_set set, uint32_t code_point)
{
    size_t low = 0, high = set.count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (set.ranges[middle].last < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set.count && set.ranges[low].first <= code_point;
}

bool btk_code_set_equal(struct btk_code_set a, struct btk_code_set b)
{
    return a.count == b.count
           && (a.count == 0 || memcmp(a.ranges, b.ranges, a.count * sizeof *a.ranges) == 0);
}

bool btk_code_set_disjoint(struct btk_code_set a, struct btk_code_set b)
{
    return overlaps(a, b, 1, NULL) == 0;
}

bool btk_code_set_within(struct btk_code_set inner, struct btk_code_set outer)
{
    for (size_t i = 0, j = 0; i < inner.count; i++) {
        while (j < outer.count && outer.ranges[j].last < inner.ranges[i].first) j++;
        if (j == outer.count || outer.ranges[j].first > inner.ranges[i].first
            || outer.ranges[j].last < inner.ranges[i].last)
            return false;
    }
    return true;
}
