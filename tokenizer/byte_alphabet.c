// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/byte_alphabet.h"

#include <string.h>

#include "common/utf8.h"

bool btk_byte_alphabet_try_byte(uint32_t code_point, uint8_t *out_byte)
{
    if (code_point < 0x100) {
        if (!btk_byte_prints(code_point)) return false;
        *out_byte = (uint8_t)code_point;
        return true;
    }
    if (code_point >= BTK_BYTE_ALPHABET_LIMIT) return false;
    uint32_t hidden = code_point - 0x100;
    for (uint32_t byte = 0; byte < 0x100; byte++) {
        if (btk_byte_prints(byte)) continue;
        if (hidden-- == 0) {
            *out_byte = (uint8_t)byte;
            return true;
        }
    }
    return false;
}

size_t btk_byte_alphabet_spell(uint8_t byte, uint8_t *out_text)
{
    uint32_t code_point = byte;
    if (!btk_byte_prints(byte)) {
        code_point = 0x100;
        for (uint32_t before = 0; before < byte; before++) code_point += !btk_byte_prints(before);
    }
    uint8_t text[4];
    const size_t length = btk_utf8_encode(code_point, text);
    memcpy(out_text, text, length);
    return length;
}

bool btk_byte_alphabet_try_bytes(struct btk_bytes text, uint8_t *out_bytes, size_t *out_length)
{
    size_t count = 0;
    for (size_t at = 0; at < text.length;) {
        size_t length;
        const uint32_t code_point = btk_utf8_decode(text.data + at, &length);
        if (!btk_byte_alphabet_try_byte(code_point, &out_bytes[count])) return false;
        count++;
        at += length;
    }
    *out_length = count;
    return true;
}
