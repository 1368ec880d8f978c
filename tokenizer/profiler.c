// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/profiler.h"

#include "common/clock.h"

void btk_profiler_begin_call(struct btk_profiler *profiler, size_t bytes)
{
    if (profiler->depth++) return;
    const uint64_t number = profiler->profile.calls++;
    profiler->profile.bytes += bytes;
    profiler->bytes = bytes;
    profiler->times_stages = number % BTK_PROFILE_ONE_IN == 0;
    profiler->times_ends = number % BTK_PROFILE_ONE_IN == BTK_PROFILE_ONE_IN / 2;
    if (!profiler->times_stages && !profiler->times_ends) return;
    profiler->stage = BTK_STAGE_VALIDATION;
    profiler->began_ns = profiler->stage_began_ns = btk_clock_now_ns();
}

void btk_profiler_switch(struct btk_profiler *profiler, enum btk_encode_stage stage)
{
    if (stage == profiler->stage) return;
    const uint64_t now_ns = btk_clock_now_ns();
    profiler->profile.stage_ns[profiler->stage] += now_ns - profiler->stage_began_ns;
    profiler->stage = stage;
    profiler->stage_began_ns = now_ns;
}

static void add_call(const struct btk_profiler *profiler, struct btk_profile_calls *calls,
                     uint64_t now_ns)
{
    calls->calls++;
    calls->bytes += profiler->bytes;
    calls->ns += now_ns - profiler->began_ns;
}

void btk_profiler_end_call(struct btk_profiler *profiler)
{
    if (--profiler->depth || (!profiler->times_stages && !profiler->times_ends)) return;
    const uint64_t now_ns = btk_clock_now_ns();
    if (profiler->times_stages) {
        profiler->profile.stage_ns[profiler->stage] += now_ns - profiler->stage_began_ns;
        add_call(profiler, &profiler->profile.staged, now_ns);
    } else {
        add_call(profiler, &profiler->profile.plain, now_ns);
    }
    profiler->times_stages = profiler->times_ends = false;
}
