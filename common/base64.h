// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648, section 4) to bytes: how tokenizer files carry what is not text.
//
// Threads: no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

// Bytes that are always enough for the decoded form of a text.
static inline size_t btk_base64_bound(size_t text_bytes)
{
    return text_bytes / 4 * 3 + 3;
}

// Decodes a text with or without its padding. False: a character outside of the alphabet, an
// impossible length, or bits behind the end that are not 0; *out_length is then untouched.
bool btk_base64_try_decode(struct btk_bytes text, uint8_t *out, size_t *out_length);
