// SPDX-License-Identifier: Apache-2.0
// Numbers of JSON, as the reference's reader understands them.
//
// Decimal fractions are not rounded to the nearest double: the reference's serde_json, as it is built
// there, divides the digits as an integer by a power of ten, which is one unit off for many. Scores
// of a vocabulary are compared with each other, so the same numbers are needed. (Source: src/de.rs
// of serde_json without its feature float_roundtrip.)
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum btk_json_number_kind {
    BTK_JSON_NUMBER_INTEGER, // of 64 bits with a sign
    BTK_JSON_NUMBER_REAL,    // all others, and integers beyond
};

struct btk_json_number {
    enum btk_json_number_kind kind;
    int64_t integer;
    double real; // in either case
};

// Reads the number at *in_out_at, in text that ends with a NUL, and moves there behind it. NULL on
// success; else what is wrong at *in_out_at.
const char *btk_json_number_read(const uint8_t **in_out_at, struct btk_json_number *out_number);
