// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/postprocessor/windows.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static enum btk_truncation_fault cut(struct btk_windows *windows, uint64_t size,
                                     const struct btk_truncation *truncation)
{
    if (size >= windows->length) return BTK_TRUNCATION_OK;
    windows->is_from_left = truncation->direction == BTK_DIRECTION_LEFT;
    windows->size = size;
    if (size == 0) {
        windows->keeps_nothing = true;
        windows->count = 2;
        return BTK_TRUNCATION_OK;
    }
    if (truncation->stride >= size) return BTK_TRUNCATION_STRIDE;
    windows->step = size - truncation->stride;
    windows->count = (windows->length - size - 1) / windows->step + 2;
    return BTK_TRUNCATION_OK;
}

// Sizes that the two are cut to: not token by token, but as the reference divides them.
static void share(uint64_t most, const uint64_t *lengths, uint64_t *out_sizes)
{
    const unsigned shorter = lengths[0] > lengths[1];
    uint64_t small = lengths[shorter], large = lengths[1 - shorter];
    large = small > most ? small : small > most - small ? small : most - small;
    if (small + large > most) {
        small = most / 2;
        large = small + most % 2;
    }
    out_sizes[shorter] = small;
    out_sizes[1 - shorter] = large;
}

static enum btk_truncation_fault cut_longest(const struct btk_truncation *truncation, uint64_t most,
                                             const uint64_t *lengths, unsigned sequence_count,
                                             struct btk_windows *windows)
{
    uint64_t sizes[2] = {most, most};
    if (sequence_count == 2) share(most, lengths, sizes);
    for (unsigned i = 0; i < sequence_count; i++) {
        const enum btk_truncation_fault fault = cut(&windows[i], sizes[i], truncation);
        if (fault) return fault;
    }
    return BTK_TRUNCATION_OK;
}

enum btk_truncation_fault btk_windows_make(const struct btk_truncation *truncation,
                                           uint64_t added_count, const uint64_t *lengths,
                                           unsigned sequence_count, struct btk_windows *out_windows)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < sequence_count; i++) {
        out_windows[i] = (struct btk_windows){.length = lengths[i], .size = lengths[i], .count = 1};
        total += lengths[i];
    }
    if (!truncation || !truncation->is_on) return BTK_TRUNCATION_OK;
    // With more special tokens than tokens the reference's number wraps, and nothing is cut.
    const uint64_t most = truncation->max_length - added_count;
    if (total <= most) return BTK_TRUNCATION_OK;
    if (most == 0 || truncation->strategy == BTK_TRUNCATE_LONGEST_FIRST)
        return cut_longest(truncation, most, lengths, sequence_count, out_windows);
    const unsigned target = truncation->strategy == BTK_TRUNCATE_ONLY_SECOND;
    if (target >= sequence_count) return BTK_TRUNCATION_NO_PAIR;
    const uint64_t removed = total - most;
    if (lengths[target] <= removed) return BTK_TRUNCATION_TOO_SHORT;
    return cut(&out_windows[target], lengths[target] - removed, truncation);
}

struct btk_window btk_windows_get(const struct btk_windows *windows, uint64_t index)
{
    if (windows->keeps_nothing) return (struct btk_window){0, index ? windows->length : 0};
    const uint64_t moved = index * windows->step;
    if (!windows->is_from_left)
        return (struct btk_window){moved, min_u64(moved + windows->size, windows->length)};
    const uint64_t end = windows->length - moved;
    return (struct btk_window){end > windows->size ? end - windows->size : 0, end};
}

uint64_t btk_windows_total(const struct btk_windows *windows)
{
    if (windows->keeps_nothing || windows->count == 1) return windows->length;
    // All are of the full size but the last.
    uint64_t total;
    const struct btk_window last = btk_windows_get(windows, windows->count - 1);
    if (__builtin_mul_overflow(windows->count - 1, windows->size, &total)
        || __builtin_add_overflow(total, last.end - last.begin, &total))
        return UINT64_MAX;
    return total;
}
