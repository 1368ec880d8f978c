// SPDX-License-Identifier: Apache-2.0
#include "common/utf8.h"

#include <string.h>

struct second_byte_range {
    uint8_t low;
    uint8_t high;
};

// Which second bytes a lead allows: this is where surrogates and overlong forms are refused.
static struct second_byte_range second_bytes(uint8_t lead)
{
    switch (lead) {
    case 0xe0: return (struct second_byte_range){0xa0, 0xbf};
    case 0xed: return (struct second_byte_range){0x80, 0x9f};
    case 0xf0: return (struct second_byte_range){0x90, 0xbf};
    case 0xf4: return (struct second_byte_range){0x80, 0x8f};
    default: return (struct second_byte_range){0x80, 0xbf};
    }
}

size_t btk_utf8_check(const uint8_t *text, size_t length, size_t *out_skip)
{
    const uint8_t lead = text[0];
    if (lead < 0x80) return 1;
    *out_skip = 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    const size_t needed = btk_utf8_length(lead);
    const struct second_byte_range range = second_bytes(lead);
    for (size_t i = 1; i < needed; i++) {
        const uint8_t low = i == 1 ? range.low : 0x80;
        const uint8_t high = i == 1 ? range.high : 0xbf;
        if (i == length || text[i] < low || text[i] > high) {
            *out_skip = i;
            return 0;
        }
    }
    return needed;
}

size_t btk_utf8_valid_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t skip = 0;
        const size_t step = btk_utf8_check(text + at, length - at, &skip);
        if (step == 0) break;
        at += step;
    }
    return at;
}

// What was written is never ahead of three times what was read.
size_t btk_utf8_replace_invalid(uint8_t *out, const uint8_t *text, size_t length)
{
    size_t count = 0;
    for (size_t at = 0; at < length;) {
        size_t skip = 0;
        const size_t valid = btk_utf8_check(text + at, length - at, &skip);
        if (valid) memmove(out + count, text + at, valid);
        count += valid ? valid : btk_utf8_encode(BTK_UTF8_REPLACEMENT, out + count);
        at += valid ? valid : skip;
    }
    return count;
}

size_t btk_utf8_count(const uint8_t *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += (text[i] & 0xc0) != 0x80;
    return count;
}
