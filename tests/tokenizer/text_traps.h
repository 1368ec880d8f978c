// SPDX-License-Identifier: Apache-2.0
// Short texts of which hostile ones are made: spaces of all kinds, marks, contractions, scripts without
// spaces, what normalizers change, and added tokens of an image, whole and in halves.
//
// Ownership: the texts are the image's, or constants. Threads: no state.
#pragma once

#include "common/base.h"
#include "tokenizer/image.h"

enum { BTK_TEXT_TRAPS_MAX = 512 };

struct btk_text_traps {
    struct btk_bytes texts[BTK_TEXT_TRAPS_MAX]; // none is empty
    size_t count;
};

void btk_text_traps_fill(struct btk_text_traps *traps, const struct btk_image *image);
