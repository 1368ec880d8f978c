// SPDX-License-Identifier: Apache-2.0
// Decoding by copying what each token becomes (section DECODED_TEXT), up to the tail of the plan.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tokenizer/decoder/decoder.h"

BTK_MUST_USE int btk_fused_run(struct btk_decoder *decoder, const uint32_t *ids, size_t id_count,
                               struct btk_room *out);

// What a token that has no special place becomes. `in_out_has_begun`: is there a text before it? The
// first ones of a SentencePiece model lose their spaces.
struct btk_bytes btk_fused_text(const struct btk_decoder *decoder, uint32_t id,
                                bool *in_out_has_begun);

// What a token becomes by the head of the plan, ByteLevel included; for compiling, and for the
// first token.
BTK_MUST_USE int btk_fused_head(const struct btk_image *image, const struct btk_decoder_plan *plan,
                                struct btk_bytes text, unsigned place, struct btk_room *out);
// By the middle.
BTK_MUST_USE int btk_fused_middle(const struct btk_image *image,
                                  const struct btk_decoder_plan *plan, struct btk_bytes text,
                                  struct btk_room *out);
