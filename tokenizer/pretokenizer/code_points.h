// SPDX-License-Identifier: Apache-2.0
// What pre-tokenizers ask about code points beyond the classes of common/unicode.h.
//
// Sources: the reference's pre_tokenizers/unicode_scripts (a table of its own, older than the rest),
// and Rust's char::is_numeric (Unicode 17), which knows numbers that \p{N} of the patterns (Unicode
// 16) does not. tools/dev/unicode/make_scripts.py asks the reference and makes both tables.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/unicode.h"

enum { BTK_SCRIPT_RANGE_COUNT = 1490, BTK_LATE_NUMBER_COUNT = 2 };

struct btk_script_range {
    uint32_t first; // up to the next one's
    uint32_t script;
};

extern const struct btk_script_range btk_script_ranges[BTK_SCRIPT_RANGE_COUNT];
extern const uint8_t btk_ascii_scripts[128];
extern const uint32_t btk_late_numbers[BTK_LATE_NUMBER_COUNT][2]; // first, last

// Which script, as UnicodeScripts divides: Hiragana, Katakana and Han are one. 0: none, or a space,
// which goes with any.
uint32_t btk_code_point_script(uint32_t code_point);

// One that \p{N} has not.
bool btk_code_point_is_late_number(uint32_t code_point);
