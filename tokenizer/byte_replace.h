// SPDX-License-Identifier: Apache-2.0
// One byte of a text becomes one to four others: a space that is written as a mark.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BTK_REPLACED_BYTES_MAX = 4 };

// The high bit of each byte that equals `byte`; bits behind the first one found may be wrong.
static inline uint64_t btk_bytes_equal_to(uint64_t word, uint8_t byte)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), rest = word ^ ones * byte;
    return (rest - ones) & ~rest & ones * 0x80;
}

// Writes [text, end) with `content` in place of each `byte`; returns where that ends. Words are moved
// whole, so `out` has room for sizeof(uint64_t) more than what is written.
static inline uint8_t *btk_replace_byte(const uint8_t *text, const uint8_t *end, uint8_t byte,
                                        const uint8_t content[BTK_REPLACED_BYTES_MAX],
                                        size_t content_bytes, uint8_t *out)
{
    while (text < end) {
        if ((size_t)(end - text) >= sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, text, sizeof word);
            memcpy(out, &word, sizeof word);
            const uint64_t found = btk_bytes_equal_to(word, byte);
            const size_t kept = found ? (size_t)__builtin_ctzll(found) / 8 : sizeof word;
            text += kept;
            out += kept;
            if (!found) continue;
        } else if (*text != byte) {
            *out++ = *text++;
            continue;
        }
        memcpy(out, content, BTK_REPLACED_BYTES_MAX);
        out += content_bytes;
        text++;
    }
    return out;
}
