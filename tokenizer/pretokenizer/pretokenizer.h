// SPDX-License-Identifier: Apache-2.0
// Pre-tokenizers as a list of steps: a span -> pieces that the model reads one by one.
//
//     span       I n ␣ 1 9 8 4 ,
//     digits    [I n ␣][1 9 8 4][,]               a step that splits: ranges of the same text
//     spaces    [▁ I n ▁][▁ 1 9 8 4][▁ ,]         a step that writes: its own text, with maps
//     literal   [▁ I n][▁][▁ 1 9 8 4][▁ ,]
//
// Each step takes every piece of the one before for itself: nothing sees over the edge of a piece,
// and a piece that becomes empty vanishes. The compiler makes the components of a tokenizer.json
// into these steps (compile/compile_pretokenizer.c); those that stand alone often have code of
// their own (encode_span.c) and never come here.
//
// Source: the reference's tokenizer/pre_tokenizer.rs (split), tokenizer/normalizer.rs (split,
// prepend, transform) and pre_tokenizers/.
//
// Ownership: borrows image and kernels. What run() gives is good until it is called again, and
// borrows the span. Threads: one a struct.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/image.h"
#include "tokenizer/pretokenizer/step_kind.h"
#include "tokenizer/progress.h"
#include "tokenizer/span.h"

struct btk_pretokenizer;

// For the steps of an image that was verified. -ENOMEM; -EINVAL: a pattern that the library refuses.
BTK_MUST_USE int btk_pretokenizer_new(const struct btk_image *image,
                                      const struct btk_kernels *kernels,
                                      struct btk_pretokenizer **out_pretokenizer,
                                      struct btk_error *error);
void btk_pretokenizer_free(struct btk_pretokenizer **pretokenizer); // a pointer to NULL is fine

// All pieces of a span, in order, as ranges of *out_span. With `wants_maps` the places of out_span are
// true, else they mean nothing once a step has written. -ENOMEM; -E2BIG: more than UINT32_MAX bytes
// of text; -ETIME: a pattern that takes too long on this text.
BTK_MUST_USE int btk_pretokenizer_run(struct btk_pretokenizer *pretokenizer,
                                      const struct btk_span *span, bool wants_maps,
                                      struct btk_span *out_span,
                                      const struct btk_piece **out_pieces, size_t *out_count);

// How much of a text that begins at `text.data` to give to run() at a time, so that its memory stays
// in the cache: to a space at which the pieces of both sides are the same as those of the whole, or
// all of it when there is none.
size_t btk_pretokenizer_window(const struct btk_pretokenizer *pretokenizer, struct btk_bytes text);

// Gives back what a long text needed beyond the usual; what run() gave is no longer good.
void btk_pretokenizer_release(struct btk_pretokenizer *pretokenizer);

// Does a step ask where in the source a piece begins? Then the span has to know it, whether or not
// anybody wants offsets.
bool btk_pretokenizer_reads_places(const struct btk_image *image);

// At most how many bytes of text the steps make of one byte, UINT32_MAX at most.
uint32_t btk_pretokenizer_growth(const struct btk_image *image);

// How often memory had to grow, since the beginning.
uint64_t btk_pretokenizer_spill_count(const struct btk_pretokenizer *pretokenizer);

void btk_pretokenizer_set_progress(struct btk_pretokenizer *pretokenizer,
                                   struct btk_progress progress);
