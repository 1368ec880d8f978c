// SPDX-License-Identifier: Apache-2.0
// What truncation makes of a sequence of tokens: the part that is kept, and windows over the rest.
//
//     10 tokens, at most 4, stride 1, from the right      and from the left
//     0 [0 1 2 3]                                         0             [6 7 8 9]
//     1       [3 4 5 6]                                   1       [3 4 5 6]
//     2             [6 7 8 9]                             2 [0 1 2 3]
//
// Source: truncate_encodings() of the reference's utils/truncation.rs, truncate() of
// tokenizer/encoding.rs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <budtiktok/encodings.h>

#include "common/base.h"

// Window 0 is what is kept.
struct btk_windows {
    uint64_t length; // of the sequence
    uint64_t size;   // of a window; the last may be shorter
    uint64_t step;
    uint64_t count; // at least 1
    bool is_from_left;
    bool keeps_nothing; // window 0 is empty, window 1 all of it
};

struct btk_window {
    uint64_t begin;
    uint64_t end;
};

enum btk_truncation_fault {
    BTK_TRUNCATION_OK,
    BTK_TRUNCATION_STRIDE,    // is not less than what may be kept of a sequence
    BTK_TRUNCATION_NO_PAIR,   // only the second is to be cut, and there is none
    BTK_TRUNCATION_TOO_SHORT, // nothing of the sequence that is to be cut would be left
};

// For sequences of `lengths`, of which there are one or two. NULL: no truncation. `added_count`: special
// tokens that will be added.
BTK_MUST_USE enum btk_truncation_fault
btk_windows_make(const struct btk_truncation *truncation, uint64_t added_count,
                 const uint64_t *lengths, unsigned sequence_count, struct btk_windows *out_windows);

struct btk_window btk_windows_get(const struct btk_windows *windows, uint64_t index);

// Of all windows together; UINT64_MAX at most.
uint64_t btk_windows_total(const struct btk_windows *windows);
