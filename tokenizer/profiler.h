// SPDX-License-Identifier: Apache-2.0
// Takes the profile of encode (budtiktok/profile.h): whoever goes on with the work of a stage says so, and
// the time since then is that of the stage before. Off, and in 63 of 64 calls, that is one test.
//
// Ownership: part of the scratch. Threads: one.
#pragma once

#include <budtiktok/profile.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btk_profiler {
    bool is_on;
    bool times_stages; // of the call that runs
    bool times_ends;
    uint32_t depth; // calls within calls are part of the outermost
    enum btk_encode_stage stage;
    size_t bytes; // of the call
    uint64_t began_ns;
    uint64_t stage_began_ns;
    struct btk_profile profile; // without what the cache counts
    uint64_t cache_hits_before; // of the cache, when profiling was turned on
    uint64_t cache_misses_before;
};

void btk_profiler_begin_call(struct btk_profiler *profiler, size_t bytes);
void btk_profiler_end_call(struct btk_profiler *profiler);
void btk_profiler_switch(struct btk_profiler *profiler, enum btk_encode_stage stage);

// A call with a text of `bytes` bytes, in its validation.
static inline void btk_profiler_begin(struct btk_profiler *profiler, size_t bytes)
{
    if (profiler->is_on) btk_profiler_begin_call(profiler, bytes);
}

static inline void btk_profiler_end(struct btk_profiler *profiler)
{
    if (profiler->is_on) btk_profiler_end_call(profiler);
}

// What follows is the work of `stage`.
static inline void btk_profiler_enter(struct btk_profiler *profiler, enum btk_encode_stage stage)
{
    if (__builtin_expect(profiler->times_stages, false)) btk_profiler_switch(profiler, stage);
}
