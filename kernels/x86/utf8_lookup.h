// SPDX-License-Identifier: Apache-2.0
// The tables of the lookup algorithm for UTF-8: John Keiser and Daniel Lemire, "Validating UTF-8 in
// less than one instruction per byte", arXiv:2010.03090.
//
// Each pair of neighbouring bytes is looked up three times, by both nibbles of the first and by the
// high nibble of the second; each answer is the set of errors that it does not exclude, and what
// all three leave is an error. Only pairs of two continuation bytes need more: they are right when,
// and only when, the byte two or three before the second one leads a sequence of three or four.
#pragma once

#include <stdint.h>

enum utf8_error {
    TOO_SHORT = 1 << 0,      // a lead, then no continuation
    TOO_LONG = 1 << 1,       // ASCII, then a continuation
    OVERLONG_3 = 1 << 2,     // e0, then 80-9f
    TOO_LARGE = 1 << 3,      // f4, then 90-bf; or f5-ff, then 90-bf
    SURROGATE = 1 << 4,      // ed, then a0-bf
    OVERLONG_2 = 1 << 5,     // c0 or c1, then a continuation
    OVERLONG_4 = 1 << 6,     // f0, then 80-8f
    TOO_LARGE_1000 = 1 << 6, // f5-ff, then 80-8f: never asked together with OVERLONG_4
    TWO_CONTINUED = 1 << 7,  // two continuations
    // What the low nibble of the first byte says nothing about.
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTINUED,
};

_Alignas(16) static const uint8_t utf8_first_high[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG, // 0-7
    TWO_CONTINUED,
    TWO_CONTINUED,
    TWO_CONTINUED,
    TWO_CONTINUED,                                       // 8-b
    TOO_SHORT | OVERLONG_2,                              // c
    TOO_SHORT,                                           // d
    TOO_SHORT | OVERLONG_3 | SURROGATE,                  // e
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4, // f
};

_Alignas(16) static const uint8_t utf8_first_low[16] = {
    ANY_LOW | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,   // 0
    ANY_LOW | OVERLONG_2,                             // 1
    ANY_LOW,                                          // 2
    ANY_LOW,                                          // 3
    ANY_LOW | TOO_LARGE,                              // 4
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // 5
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // 6
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // 7
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // 8
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // 9
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // a
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // b
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // c
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000 | SURROGATE, // d
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // e
    ANY_LOW | TOO_LARGE | TOO_LARGE_1000,             // f
};

#define ANY_CONTINUED (TOO_LONG | OVERLONG_2 | TWO_CONTINUED)

_Alignas(16) static const uint8_t utf8_second_high[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT, // 0-3
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,                                                // 4-7
    ANY_CONTINUED | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4, // 8
    ANY_CONTINUED | OVERLONG_3 | TOO_LARGE,                   // 9
    ANY_CONTINUED | SURROGATE | TOO_LARGE,                    // a
    ANY_CONTINUED | SURROGATE | TOO_LARGE,                    // b
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT, // c-f
};
