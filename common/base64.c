// SPDX-License-Identifier: Apache-2.0
#include "common/base64.h"

enum { NOT_THERE = 64 };

static uint32_t value_of(uint8_t letter)
{
    if (letter >= 'A' && letter <= 'Z') return letter - 'A';
    if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26u;
    if (letter >= '0' && letter <= '9') return letter - '0' + 52u;
    if (letter == '+') return 62;
    return letter == '/' ? 63 : NOT_THERE;
}

static size_t without_padding(struct btk_bytes text)
{
    size_t length = text.length;
    if (length % 4 == 0)
        while (length && text.length - length < 2 && text.data[length - 1] == '=') length--;
    return length;
}

bool btk_base64_try_decode(struct btk_bytes text, uint8_t *out, size_t *out_length)
{
    const size_t length = without_padding(text);
    if (length % 4 == 1) return false;
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        const uint32_t value = value_of(text.data[i]);
        if (value == NOT_THERE) return false;
        bits = bits << 6 | value;
        bit_count += 6;
        if (bit_count < 8) continue;
        bit_count -= 8;
        out[count++] = (uint8_t)(bits >> bit_count);
    }
    if (bits & ((1u << bit_count) - 1)) return false;
    *out_length = count;
    return true;
}
