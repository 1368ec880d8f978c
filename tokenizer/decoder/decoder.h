// SPDX-License-Identifier: Apache-2.0
// ids -> text, for btk_decode() and streams.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/types.h>

#include "common/base.h"
#include "tokenizer/decoder/chain.h"
#include "tokenizer/decoder/plan.h"
#include "tokenizer/decoder/room.h"
#include "tokenizer/image.h"

struct btk_decoder {
    const struct btk_image *image;
    struct btk_decoder_plan plan;
    struct btk_chain *chain; // all steps, or the tail; made when it is first needed
    bool skips_special;
};

// Borrows the image, owns the chain until clear.
void btk_decoder_init(struct btk_decoder *decoder, const struct btk_image *image,
                      bool skips_special);
void btk_decoder_clear(struct btk_decoder *decoder);

// Does the id give a string to the decoders?
static inline bool btk_decoder_takes(const struct btk_decoder *decoder, uint32_t id)
{
    if (id >= decoder->image->config->token_count) return false;
    const uint32_t flags = decoder->image->tokens[id].flags;
    return (flags & BTK_TOKEN_EXISTS) && !(decoder->skips_special && (flags & BTK_TOKEN_SPECIAL));
}

// Appends the text of the ids. The errors are those of btk_decoder_step_apply().
BTK_MUST_USE int btk_decoder_run(struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                                 struct btk_room *out);

// What an error of the above means, as a sentence.
int btk_decoder_error(int status, struct btk_error_info *out_error);
