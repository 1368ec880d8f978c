// SPDX-License-Identifier: Apache-2.0
#include "common/utf8.h"

#include <string.h>

#include "kernels/scalar/scalar.h"

// The copy is what is checked: the text may be in memory that somebody else still writes to. The
// barrier keeps the compiler from reading the text in place of the copy.
size_t btk_scalar_utf8_copy(uint8_t *out, const uint8_t *text, size_t length)
{
    if (length == 0) return 0;
    memcpy(out, text, length);
    __asm__ volatile("" ::: "memory");
    return btk_utf8_valid_prefix(out, length);
}

size_t btk_scalar_utf8_valid_prefix(const uint8_t *text, size_t length)
{
    return btk_utf8_valid_prefix(text, length);
}

size_t btk_scalar_ascii_prefix(const uint8_t *text, size_t length)
{
    size_t at = 0;
    while (at < length && text[at] < 0x80) at++;
    return at;
}

void btk_scalar_ascii_lower(uint8_t *out, const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = text[i];
        out[i] = (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
}

size_t btk_scalar_utf8_count(const uint8_t *text, size_t length)
{
    return btk_utf8_count(text, length);
}
