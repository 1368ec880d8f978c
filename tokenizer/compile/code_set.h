// SPDX-License-Identifier: Apache-2.0
// Sets of code points, as rows of ranges: what a class of a regular expression means.
//
// A set is immutable once made: in order, no two ranges touch, no surrogates (no text has any).
// Equal sets have equal ranges. Memory comes from an arena and goes with it; every function that
// makes a set returns false when there is none, and leaves *out as it was. *out may be an operand.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/unicode_properties.h"

struct btk_code_set {
    const struct btk_unicode_range *ranges;
    size_t count;
};

BTK_MUST_USE bool btk_code_set_range(struct btk_arena *arena, uint32_t first, uint32_t last,
                                     struct btk_code_set *out);
// What btk_unicode_property_find() found.
BTK_MUST_USE bool btk_code_set_property(struct btk_arena *arena, int property,
                                        struct btk_code_set *out);
BTK_MUST_USE bool btk_code_set_union(struct btk_arena *arena, struct btk_code_set a,
                                     struct btk_code_set b, struct btk_code_set *out);
BTK_MUST_USE bool btk_code_set_intersection(struct btk_arena *arena, struct btk_code_set a,
                                            struct btk_code_set b, struct btk_code_set *out);
BTK_MUST_USE bool btk_code_set_complement(struct btk_arena *arena, struct btk_code_set set,
                                          struct btk_code_set *out);
// Adds each letter's other cases.
BTK_MUST_USE bool btk_code_set_fold(struct btk_arena *arena, enum btk_unicode_engine engine,
                                    struct btk_code_set set, struct btk_code_set *out);

bool btk_code_set_has(struct btk_code_set set, uint32_t code_point);
bool btk_code_set_equal(struct btk_code_set a, struct btk_code_set b);
bool btk_code_set_disjoint(struct btk_code_set a, struct btk_code_set b);
bool btk_code_set_within(struct btk_code_set inner, struct btk_code_set outer);
