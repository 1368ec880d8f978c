// SPDX-License-Identifier: Apache-2.0
// Documents of any size out of one text: each begins where the one before ended, round and round.
//
// Ownership: documents point into the text. Threads: one.
#pragma once

#include "common/base.h"

struct btk_text_source {
    struct btk_bytes text; // valid UTF-8, not empty
    size_t position;
};

void btk_text_source_init(struct btk_text_source *source, struct btk_bytes text);

// About `bytes`, cut between two characters: never empty, shorter than asked for by less than a
// character or because the text is.
struct btk_bytes btk_text_source_next(struct btk_text_source *source, size_t bytes);

// The next line without its end; empty lines are passed over. All of a text without lines.
struct btk_bytes btk_text_source_next_line(struct btk_text_source *source);
