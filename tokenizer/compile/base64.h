// SPDX-License-Identifier: Apache-2.0
// Base64 of RFC 4648 as files of tokenizers have it: the standard alphabet, nothing between; "=" at the
// end may be missing.
#pragma once

#include <stdbool.h>

#include "common/base.h"

// Room for what `length` characters stand for.
static inline size_t btk_base64_bound(size_t length)
{
    return length / 4 * 3 + 3;
}

// false: not base64 (bits that stand for nothing have to be 0).
bool btk_base64_try_decode(struct btk_bytes text, uint8_t *out_bytes, size_t *out_length);
