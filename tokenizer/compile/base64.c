// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/base64.h"

// 64: not of the alphabet.
static uint32_t value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26u;
    if (c >= '0' && c <= '9') return c - '0' + 52u;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

// Of two, three or four characters: one byte less.
static bool try_group(const uint8_t *text, size_t count, uint8_t *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t value = value_of(text[i]);
        if (value > 63) return false;
        bits |= value << (18 - 6 * i);
    }
    for (size_t i = 0; i + 1 < count; i++) out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return !(bits & (0xffffffu >> 8 * (count - 1)));
}

bool btk_base64_try_decode(struct btk_bytes text, uint8_t *out_bytes, size_t *out_length)
{
    size_t length = text.length, written = 0;
    if (length && length % 4 == 0)
        for (int i = 0; i < 2 && text.data[length - 1] == '='; i++) length--;
    if (length % 4 == 1) return false;
    for (size_t at = 0; at < length; at += 4) {
        const size_t count = btk_min_size(length - at, 4);
        if (!try_group(text.data + at, count, out_bytes + written)) return false;
        written += count - 1;
    }
    *out_length = written;
    return true;
}
