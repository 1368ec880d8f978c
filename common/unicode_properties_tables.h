// SPDX-License-Identifier: Apache-2.0
// The tables behind common/unicode_properties.h; tools/dev/unicode makes them.
#pragma once

#include <stddef.h>
#include <stdint.h>

// A set is a row of ranges, each two numbers: code points between the last range and this one, and
// the range's length less one. Seven bits a byte, low bits first, the high bit says that more come.
extern const uint8_t btk_unicode_set_data[];

struct btk_unicode_set {
    uint32_t offset; // in btk_unicode_set_data
    uint32_t range_count;
};
extern const struct btk_unicode_set btk_unicode_sets[];

// Sorted by name.
struct btk_unicode_name {
    const char *name;
    uint32_t set;
};
extern const struct btk_unicode_name btk_unicode_onig_names[];
extern const size_t btk_unicode_onig_name_count;
extern const struct btk_unicode_name btk_unicode_rust_names[];
extern const size_t btk_unicode_rust_name_count;

// Sorted by code point: the next one that is the same when case is ignored, in a circle, for each
// enum btk_unicode_engine.
struct btk_unicode_fold {
    uint32_t code_point;
    uint32_t next[2];
};
extern const struct btk_unicode_fold btk_unicode_folds[];
extern const size_t btk_unicode_fold_count;

// A code point and the two or three that Oniguruma takes for it, ended by 0; in Oniguruma's order,
// those with the same fold together.
extern const uint32_t btk_unicode_multi_folds[][4];
extern const size_t btk_unicode_multi_fold_count;
