// SPDX-License-Identifier: Apache-2.0
// U+2581, what a space is written as in models of SentencePiece.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

#define BTK_SPACE_MARK "\xe2\x96\x81"

enum { BTK_SPACE_MARK_CODE_POINT = 0x2581, BTK_SPACE_MARK_BYTES = sizeof BTK_SPACE_MARK - 1 };

static const struct btk_bytes btk_space_mark BTK_UNUSED = {(const uint8_t *)BTK_SPACE_MARK,
                                                           BTK_SPACE_MARK_BYTES};

// Does the text of at least one byte begin with it? Most do not.
static inline bool btk_begins_with_space_mark(const uint8_t *text, size_t length)
{
    return __builtin_expect(text[0] == 0xe2, 0) && length >= BTK_SPACE_MARK_BYTES && text[1] == 0x96
           && text[2] == 0x81;
}
