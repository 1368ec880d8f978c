// SPDX-License-Identifier: Apache-2.0
// UTF-8, one code point at a time: the specification that the kernels are tested against.
//
// Valid means what Rust and the WHATWG mean: no surrogates, nothing above U+10FFFF, no overlong
// forms (Unicode 16, table 3-7).
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BTK_UTF8_REPLACEMENT 0xfffdu

// The length that a lead byte of valid UTF-8 promises.
static inline size_t btk_utf8_length(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// Decodes the code point at `text`, which is valid and complete. *out_length is 1 to 4.
static inline uint32_t btk_utf8_decode(const uint8_t *text, size_t *out_length)
{
    const uint32_t lead = text[0];
    *out_length = btk_utf8_length(text[0]);
    switch (*out_length) {
    case 1: return lead;
    case 2: return (lead & 0x1f) << 6 | (text[1] & 0x3fu);
    case 3: return (lead & 0x0f) << 12 | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
    default:
        return (lead & 0x07) << 18 | (text[1] & 0x3fu) << 12 | (text[2] & 0x3fu) << 6
               | (text[3] & 0x3fu);
    }
}

// Writes a code point (not a surrogate, at most U+10FFFF) and returns its length, 1 to 4.
static inline size_t btk_utf8_encode(uint32_t code_point, uint8_t out[4])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (uint8_t)(0xc0 | code_point >> 6);
        out[1] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code_point >> 12);
        out[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | code_point >> 18);
    out[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code_point & 0x3f));
    return 4;
}

// Looks at the sequence at `text` (length > 0). Returns its length when it is valid; else 0, and
// *out_skip is the length of the maximal part that one U+FFFD stands for (as Python's and the
// WHATWG's decoders have it), 1 to 3.
size_t btk_utf8_check(const uint8_t *text, size_t length, size_t *out_skip);

// The offset of the first invalid sequence, or `length`.
size_t btk_utf8_valid_prefix(const uint8_t *text, size_t length);

// Copies `text`, with U+FFFD for each maximal part that is not UTF-8; `out` has room for three bytes
// a byte. `text` may be the last third of that room. Returns the length.
size_t btk_utf8_replace_invalid(uint8_t *out, const uint8_t *text, size_t length);

// Number of code points in valid UTF-8.
size_t btk_utf8_count(const uint8_t *text, size_t length);
