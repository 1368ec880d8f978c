// SPDX-License-Identifier: Apache-2.0
// What the two engines of regular expressions mean by the name of a class, and what they hold for
// the same letter when case is ignored.
//
// tokenizer.json speaks to Oniguruma, .tiktoken files to Rust's fancy-regex and regex-syntax. Both
// carry Unicode 16, and yet differ: in \w, in multi-letter folds, in which names there are.
//
// Everything here is pure and may be called from any number of threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

enum btk_unicode_engine {
    BTK_ENGINE_ONIGURUMA, // 6.9.10, Unicode 16
    BTK_ENGINE_RUST,      // regex-syntax 0.8.11 behind fancy-regex 0.19.0, Unicode 16
};

struct btk_unicode_range {
    uint32_t first, last;
};

// The set that an engine knows by `name`: a general category, a script, a block, a binary property,
// long or short; in lower case, without spaces, '-' and '_'. Rust's "scx=" and "age=" names hold
// the prefix. ":alpha" and its family are what Oniguruma's POSIX brackets and both engines'
// \w \d \s mean; ":word-alone" is Oniguruma's \w outside of brackets. Surrogates are in no set.
// Returns the number of a set, or -1.
int btk_unicode_property_find(enum btk_unicode_engine engine, struct btk_bytes name);

size_t btk_unicode_property_range_count(int set);

// Writes as many ranges as there are, in order, none touching the next.
void btk_unicode_property_ranges(int set, struct btk_unicode_range *out);

// The next code point that is the same letter when case is ignored, in a circle; `code_point`
// itself when there is none.
uint32_t btk_unicode_fold_next(enum btk_unicode_engine engine, uint32_t code_point);

// Code points that have a case in either engine: 0 <= index < btk_unicode_cased_count().
size_t btk_unicode_cased_count(void);
uint32_t btk_unicode_cased(size_t index);

// Oniguruma takes some letters for two or three others (U+00DF for "ss"): the entry at `index`, or
// NULL at the end. entry[0] stands for entry[1], entry[2] and, if not 0, entry[3].
const uint32_t *btk_unicode_multi_fold(size_t index);
