// SPDX-License-Identifier: Apache-2.0
#include "common/histogram.h"

#include <stddef.h>

#define SUB_COUNT (1u << BTK_HISTOGRAM_SUB_BITS)

// Values below 2 * SUB_COUNT are their own index; above, the exponent picks a row of SUB_COUNT
// buckets and the bits below the leading one pick the bucket in it.
static size_t bucket_index(uint64_t value_ns)
{
    if (value_ns >= (uint64_t)1 << BTK_HISTOGRAM_MAX_BITS) return BTK_HISTOGRAM_BUCKETS - 1;
    if (value_ns < SUB_COUNT) return (size_t)value_ns;
    const unsigned shift = 63u - (unsigned)__builtin_clzll(value_ns) - BTK_HISTOGRAM_SUB_BITS;
    return ((size_t)(shift + 1) << BTK_HISTOGRAM_SUB_BITS)
           + (size_t)((value_ns >> shift) - SUB_COUNT);
}

static uint64_t bucket_last_ns(size_t index)
{
    if (index < SUB_COUNT) return index;
    const size_t shift = (index >> BTK_HISTOGRAM_SUB_BITS) - 1;
    const uint64_t mantissa = (index & (SUB_COUNT - 1)) + SUB_COUNT;
    return ((mantissa + 1) << shift) - 1;
}

static void add_relaxed(_Atomic uint64_t *counter, uint64_t more)
{
    // Only this process writes, so a load and a store do what a locked addition would.
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void btk_histogram_record(struct btk_histogram *histogram, uint64_t value_ns)
{
    add_relaxed(&histogram->buckets[bucket_index(value_ns)], 1);
    add_relaxed(&histogram->sum_ns, value_ns);
    if (value_ns > atomic_load_explicit(&histogram->max_ns, memory_order_relaxed)) {
        atomic_store_explicit(&histogram->max_ns, value_ns, memory_order_relaxed);
    }
}

void btk_histogram_read(const struct btk_histogram *histogram,
                        struct btk_histogram_snapshot *out_snapshot)
{
    uint64_t count = 0;
    for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS; i++) {
        out_snapshot->buckets[i] =
            atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        count += out_snapshot->buckets[i];
    }
    out_snapshot->count = count;
    out_snapshot->sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed);
    out_snapshot->max_ns = atomic_load_explicit(&histogram->max_ns, memory_order_relaxed);
}

void btk_histogram_merge(struct btk_histogram_snapshot *total,
                         const struct btk_histogram_snapshot *more)
{
    for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS; i++) total->buckets[i] += more->buckets[i];
    total->count += more->count;
    total->sum_ns += more->sum_ns;
    if (more->max_ns > total->max_ns) total->max_ns = more->max_ns;
}

uint64_t btk_histogram_max_within(const struct btk_histogram_snapshot *snapshot,
                                  uint64_t longer_max_ns)
{
    size_t index = BTK_HISTOGRAM_BUCKETS - 1;
    if (snapshot->buckets[index] != 0) return longer_max_ns; // it has no end
    while (index > 0 && snapshot->buckets[index] == 0) index--;
    if (snapshot->buckets[index] == 0) return 0;
    const uint64_t last_ns = bucket_last_ns(index);
    return last_ns < longer_max_ns ? last_ns : longer_max_ns;
}

void btk_histogram_subtract(struct btk_histogram_snapshot *later,
                            const struct btk_histogram_snapshot *earlier)
{
    later->count = 0;
    for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS; i++) {
        const uint64_t before = earlier->buckets[i];
        later->buckets[i] = later->buckets[i] > before ? later->buckets[i] - before : 0;
        later->count += later->buckets[i];
    }
    later->sum_ns = later->sum_ns > earlier->sum_ns ? later->sum_ns - earlier->sum_ns : 0;
    later->max_ns = btk_histogram_max_within(later, later->max_ns);
}

uint64_t btk_histogram_percentile(const struct btk_histogram_snapshot *snapshot, double quantile)
{
    if (snapshot->count == 0) return 0;
    const double wanted = quantile * (double)snapshot->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS; i++) {
        seen += snapshot->buckets[i];
        if (snapshot->buckets[i] == 0 || (double)seen < wanted) continue;
        const uint64_t bound = bucket_last_ns(i);
        return bound < snapshot->max_ns ? bound : snapshot->max_ns;
    }
    return snapshot->max_ns;
}

uint64_t btk_histogram_count_below(const struct btk_histogram_snapshot *snapshot, uint64_t limit_ns)
{
    uint64_t count = 0;
    for (size_t i = 0; i < BTK_HISTOGRAM_BUCKETS && bucket_last_ns(i) <= limit_ns; i++) {
        count += snapshot->buckets[i];
    }
    return count;
}
