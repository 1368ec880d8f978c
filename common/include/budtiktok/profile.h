// SPDX-License-Identifier: Apache-2.0
// Where the time of encode goes: what a profile holds, in the words that the engine, the workers and the
// coordinator share.
//
// Most calls run as ever. One call in BTK_PROFILE_ONE_IN reads the clock wherever one stage hands on to
// the next, so its stages add up to it; and as many others, half-way between, read the clock at their two
// ends alone. The first tell how the time is divided, the second what a call takes when nobody looks:
// their quotient is what looking costs, and is shown, not corrected.
//
//     call      0   1   2  ...  32  ...  63  64  ...
//     clock   stages            ends         stages
//
// Plain data. Threads: a profile is the caller's own copy.
#pragma once

#include <stdint.h>

#include <budtiktok/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum btk_encode_stage {
    BTK_STAGE_VALIDATION = 0, // copying the text, and its check as UTF-8
    BTK_STAGE_ADDED_TOKENS,   // looking for them in the source and in the normalized text
    BTK_STAGE_NORMALIZATION,
    BTK_STAGE_PRETOKENIZATION, // finding pieces
    BTK_STAGE_MODEL, // piece -> tokens, with the cache of pieces and the columns of each token
    BTK_STAGE_POST_PROCESSING, // special tokens, units of offsets, truncation, padding
    BTK_ENCODE_STAGE_COUNT
};

// "validation", "added_tokens", "normalization", "pre_tokenization", "model", "post_processing".
BTK_API extern const char *const btk_encode_stage_names[BTK_ENCODE_STAGE_COUNT];

#define BTK_PROFILE_ONE_IN 64

// Counts of one group of calls, and the time of all of them.
struct btk_profile_calls {
    uint64_t calls;
    uint64_t bytes; // of the texts
    uint64_t ns;
};

// Sums since profiling was turned on. Numbers of 64 bits alone: see BTK_PROFILE_NUMBERS.
struct btk_profile {
    uint64_t calls;
    uint64_t bytes;
    uint64_t cache_hits; // pieces
    uint64_t cache_misses;
    struct btk_profile_calls staged; // that read the clock at each stage
    uint64_t stage_ns[BTK_ENCODE_STAGE_COUNT];
    struct btk_profile_calls plain; // that read it at their ends
};

// A profile is an array of so many numbers, which are added up one by one.
#define BTK_PROFILE_NUMBERS (sizeof(struct btk_profile) / sizeof(uint64_t))

#ifdef __cplusplus
}
#endif
