// SPDX-License-Identifier: Apache-2.0
// The byte-level alphabet of GPT-2: each byte as one printable character, so that a vocabulary of
// bytes can stand in JSON. Source: bytes_to_unicode() of OpenAI's GPT-2; the reference's
// pre_tokenizers/byte_level.rs has the same table.
//
// Bytes that print as Latin-1 stand for themselves; the other 68, in order, are U+0100 and on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"

#define BTK_BYTE_ALPHABET_LIMIT 0x144u // all characters are below

static inline bool btk_byte_prints(uint32_t byte)
{
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

// Bytes of the character that stands for a byte, and the character itself, in UTF-8.
static inline uint32_t btk_byte_alphabet_bytes(uint8_t byte)
{
    return byte >= 0x21 && byte <= 0x7e ? 1 : 2;
}
size_t btk_byte_alphabet_spell(uint8_t byte, uint8_t *out_text);

// The byte of a character; false: it stands for none.
bool btk_byte_alphabet_try_byte(uint32_t code_point, uint8_t *out_byte);

// Turns characters into bytes, at most text.length of them; false: one of them stands for no byte.
bool btk_byte_alphabet_try_bytes(struct btk_bytes text, uint8_t *out_bytes, size_t *out_length);
