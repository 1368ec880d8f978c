// SPDX-License-Identifier: Apache-2.0
// Profiles of encode (budtiktok/profile.h): adding them up, and showing them to people and programs.
//
// Threads: no state.
#pragma once

#include <budtiktok/profile.h>

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/json_writer.h"

// What BUDTIKTOK_PROFILE says: "1" is on; unset (NULL), empty or "0" off. -EINVAL: anything else.
BTK_MUST_USE int btk_profile_wanted(const char *value, bool *out_is_wanted,
                                    struct btk_error *error);

void btk_profile_add(struct btk_profile *total, const struct btk_profile *more);

// Time a byte, in ns; 0 where there were no bytes.
double btk_profile_ns_per_byte(const struct btk_profile_calls *calls);
// What the calls with stages took a byte, against those without. 0: one of them is not known.
double btk_profile_ratio(const struct btk_profile *profile);

// The members of an object:
//
//     "calls", "bytes", "cache_hits", "cache_misses", "sampled_one_in": 64,
//     "sampled": {"calls", "bytes", "ns", "ns_per_byte"}, "fused": the same,
//     "sampled_to_fused": 1.02,
//     "stages": {"normalization": {"ns", "ns_per_byte", "share"}, ..}
void btk_profile_json_write_members(struct btk_json_writer *writer,
                                    const struct btk_profile *profile);

// A table of some lines for people; `name`: of the tokenizer. -ENOMEM.
BTK_MUST_USE int btk_profile_print(const struct btk_profile *profile, const char *name,
                                   struct btk_buffer *out);
