// SPDX-License-Identifier: Apache-2.0
#include "common/utf8.h"

#include <stdbool.h>
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

static bool continues(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

// The length of the character at `text`, of which four bytes can be read; 0: it is none.
static inline size_t check_four(const uint8_t *text)
{
    const uint32_t lead = text[0];
    if (lead < 0x80) return 1;
    if (lead < 0xe0) return lead >= 0xc2 && continues(text[1]) ? 2 : 0;
    if (lead < 0xf0) {
        const uint32_t code_point = (lead & 15) << 12 | (text[1] & 63u) << 6 | (text[2] & 63u);
        const bool is_valid = code_point >= 0x800 && code_point - 0xd800 >= 0x800;
        return is_valid && continues(text[1]) && continues(text[2]) ? 3 : 0;
    }
    const uint32_t high = (lead & 7) << 6 | (text[1] & 63u); // of a plane and four bits
    const bool is_valid = lead < 0xf8 && high >= 0x10 && high < 0x110;
    return is_valid && continues(text[1]) && continues(text[2]) && continues(text[3]) ? 4 : 0;
}

// Eight bytes of ASCII at a time, else a character.
size_t btk_utf8_valid_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0, step = 1;
    while (step && length - at >= 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        step = word & UINT64_C(0x8080808080808080) ? check_four(text + at) : 8;
        at += step;
    }
    while (step && at < length) {
        size_t skip = 0;
        step = btk_utf8_check(text + at, length - at, &skip);
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
