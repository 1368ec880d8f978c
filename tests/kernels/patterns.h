// SPDX-License-Identifier: Apache-2.0
// The patterns by name.
#pragma once

#include <stddef.h>
#include <string.h>

#include "common/base.h"
#include "kernels/pretok/pretok.h"

struct pattern {
    const char *name;
    btk_pretok_next_fn *next;
};

static const struct pattern patterns[] = {
#define PATTERN(name, NAME, source) {#name, btk_pretok_##name##_next},
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

// NULL: there is none of that name.
static inline btk_pretok_next_fn *pattern_find(const char *name)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(patterns); i++)
        if (strcmp(patterns[i].name, name) == 0) return patterns[i].next;
    return NULL;
}
