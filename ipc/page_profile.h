// SPDX-License-Identifier: Apache-2.0
// The profiles of encode (budtiktok/profile.h) in a worker's page: a place for each tokenizer that is
// loaded, and one for all that were.
//
//     places[0]     tokenizers that are not loaded any more
//     places[1..]   tokenizer_id, numbers; id 0: free
//
// One writer, the worker; read by the coordinator's timer. Memory order: relaxed everywhere, as in all of
// the page: a reader may see a call in one number and not yet in the next.
#pragma once

#include <budtiktok/profile.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { BTK_PAGE_PROFILES_MAX = 128 }; // as many as a worker loads

struct btk_page_profile {
    _Atomic uint64_t tokenizer_id;
    _Atomic uint64_t numbers[BTK_PROFILE_NUMBERS];
};

struct btk_page_profiles {
    struct btk_page_profile places[1 + BTK_PAGE_PROFILES_MAX];
};

// The writer's side. What a tokenizer's profile is now; one that finds no place is not shown.
void btk_page_profiles_set(struct btk_page_profiles *profiles, uint32_t tokenizer_id,
                           const struct btk_profile *profile);
// It is unloaded: its numbers go to those of all that were.
void btk_page_profiles_retire(struct btk_page_profiles *profiles, uint32_t tokenizer_id);

// The readers' side: the profile of a place, 0 where nothing is. Returns the tokenizer's id.
uint32_t btk_page_profiles_get(const struct btk_page_profiles *profiles, unsigned place,
                               struct btk_profile *out_profile);
