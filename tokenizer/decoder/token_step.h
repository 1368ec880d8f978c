// SPDX-License-Identifier: Apache-2.0
// One step of a decoder on one string.
//
// Ownership: a step borrows the image and owns its regular expression until clear. Threads: one.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "tokenizer/decoder/room.h"
#include "tokenizer/image.h"

struct btk_regex;

struct btk_decoder_step {
    const struct btk_step *step;
    struct btk_bytes first; // the strings of its data
    struct btk_bytes second;
    struct btk_regex *regex; // made when it is first needed
};

// Where a string stands in its list.
enum btk_decoder_place { BTK_PLACE_FIRST = 1 << 0, BTK_PLACE_LAST = 1 << 1 };

void btk_decoder_step_init(struct btk_decoder_step *step, const struct btk_image *image,
                           uint32_t index);
void btk_decoder_step_clear(struct btk_decoder_step *step);

// Appends what the step makes of `text`, which is valid UTF-8 and not in `out`; CTC too, whose
// answer may be empty: then there is no string. -ENOBUFS, -ENOMEM, -E2BIG: as the room says;
// -ERANGE: Strip takes more than there is, where the reference panics; -ETIME: a pattern that takes
// too long.
BTK_MUST_USE int btk_decoder_step_apply(struct btk_decoder_step *step, struct btk_bytes text,
                                        unsigned place, struct btk_room *out);

// The byte of a token such as <0x0A>; false: it is none.
bool btk_decoder_try_byte(struct btk_bytes text, uint8_t *out_byte);

// How many of the first bytes of a run of bytes are one character, or a part that is none of any;
// 0: what follows may still make a character of all there is.
size_t btk_decoder_known_part(struct btk_bytes run, bool *out_is_text);

// Appends the bytes that a token of the byte-level alphabet stands for, or its text if it is not.
BTK_MUST_USE int btk_decoder_append_bytes(struct btk_bytes text, struct btk_room *out);
