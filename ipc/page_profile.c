// SPDX-License-Identifier: Apache-2.0
#include "ipc/page_profile.h"

#include <string.h>

static uint64_t get(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void set(_Atomic uint64_t *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

// The place of a tokenizer, or the first one that is free; NULL: neither.
static struct btk_page_profile *find(struct btk_page_profiles *profiles, uint32_t tokenizer_id)
{
    struct btk_page_profile *free_place = NULL;
    for (unsigned i = 1; i <= BTK_PAGE_PROFILES_MAX; i++) {
        struct btk_page_profile *const place = &profiles->places[i];
        const uint64_t id = get(&place->tokenizer_id);
        if (id == tokenizer_id) return place;
        if (!id && !free_place) free_place = place;
    }
    return free_place;
}

void btk_page_profiles_set(struct btk_page_profiles *profiles, uint32_t tokenizer_id,
                           const struct btk_profile *profile)
{
    struct btk_page_profile *const place = find(profiles, tokenizer_id);
    uint64_t numbers[BTK_PROFILE_NUMBERS];
    if (!place) return;
    memcpy(numbers, profile, sizeof numbers);
    for (size_t i = 0; i < BTK_PROFILE_NUMBERS; i++) set(&place->numbers[i], numbers[i]);
    set(&place->tokenizer_id, tokenizer_id);
}

void btk_page_profiles_retire(struct btk_page_profiles *profiles, uint32_t tokenizer_id)
{
    struct btk_page_profile *const place = find(profiles, tokenizer_id);
    if (!place || get(&place->tokenizer_id) != tokenizer_id) return;
    set(&place->tokenizer_id, 0);
    for (size_t i = 0; i < BTK_PROFILE_NUMBERS; i++) {
        _Atomic uint64_t *const sum = &profiles->places[0].numbers[i];
        set(sum, get(sum) + get(&place->numbers[i]));
        set(&place->numbers[i], 0);
    }
}

uint32_t btk_page_profiles_get(const struct btk_page_profiles *profiles, unsigned place,
                               struct btk_profile *out_profile)
{
    const struct btk_page_profile *const from = &profiles->places[place];
    uint64_t numbers[BTK_PROFILE_NUMBERS] = {0};
    const uint32_t id = (uint32_t)get(&from->tokenizer_id);
    if (id || !place)
        for (size_t i = 0; i < BTK_PROFILE_NUMBERS; i++) numbers[i] = get(&from->numbers[i]);
    memcpy(out_profile, numbers, sizeof numbers);
    return id;
}
