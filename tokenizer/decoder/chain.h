// SPDX-License-Identifier: Apache-2.0
// A list of decoders as a row of steps through which the strings of tokens go, one after the other:
//
//     push("<0xC3>") -> [Replace] -> [ByteFallback: holds the run] -> ...
//     push("b")      -> [Replace] -> [ByteFallback: the run, "b"]  -> [Fuse: holds the text]
//     finish()       ->                                  [Fuse: the text] -> [Strip] -> out
//
// That gives what the reference's decode_chain() gives, in one pass: the time and the memory follow
// the text, not the number of steps that see it as a list.
//
// As a stream it does not hold what is whole: see BTK_STREAM_LOSSLESS in <budtiktok/tokenizer.h>.
//
// Ownership: btk_chain_new() to btk_chain_free(); borrows the image. Threads: one.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "tokenizer/decoder/room.h"
#include "tokenizer/image.h"

struct btk_chain;

// The steps from `first_step` on. -ENOMEM.
BTK_MUST_USE int btk_chain_new(const struct btk_image *image, uint32_t first_step, bool is_stream,
                               struct btk_chain **out_chain);
void btk_chain_free(struct btk_chain **chain); // NULL and a pointer to NULL are fine

// The next string; what is known by now is appended to `out`. The errors are those of
// btk_decoder_step_apply(); the chain must then be reset.
BTK_MUST_USE int btk_chain_push(struct btk_chain *chain, struct btk_bytes text,
                                struct btk_room *out);

// There are no more strings. The chain begins anew.
BTK_MUST_USE int btk_chain_finish(struct btk_chain *chain, struct btk_room *out);

void btk_chain_reset(struct btk_chain *chain);
