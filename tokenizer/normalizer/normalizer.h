// SPDX-License-Identifier: Apache-2.0
// Runs the steps of a normalizer (steps.h) over a span, with the place in the source of each byte.
//
// Places are those of the reference's NormalizedString (tokenizer/normalizer.rs, transform_range):
// each new character stands where the character that it replaces stood, an inserted one where the one
// before it did, or in an empty place at the beginning. That place has an effect of its own: behind
// characters without a place (Prepend of nothing, Replace of an empty match at the beginning) the
// reference's next step goes wrong in the text, too, and mostly panics. We do as it does, and return
// -EDOM where it panics.
//
// A step that changes nothing copies nothing. The two buffers have room for what 64 KiB become in
// nearly all cases; beyond they grow, which is counted, and btk_normalizer_release() gives that back.
//
// Ownership: borrows image and kernels. Threads: one a normalizer.
#pragma once

#include <stdbool.h>

#include "kernels/kernels.h"
#include "tokenizer/image.h"
#include "tokenizer/progress.h"
#include "tokenizer/span.h"

struct btk_normalizer;

// Also for images whose normalizer is none: then there are no steps. -ENOMEM, -EINVAL (a regular
// expression that is none).
BTK_MUST_USE int btk_normalizer_new(const struct btk_image *image,
                                    const struct btk_kernels *kernels,
                                    struct btk_normalizer **out_normalizer,
                                    struct btk_error *error);
void btk_normalizer_free(struct btk_normalizer **normalizer); // NULL inside is fine
void btk_normalizer_set_progress(struct btk_normalizer *normalizer, struct btk_progress progress);

// *out is *source or a part of it where no step changed more, else text of the normalizer's own, until
// it is called again. Without wants_maps, the places of *out mean nothing. -ENOMEM, -E2BIG (the result
// has more bytes than a span can), -ETIME (a regular expression), -EDOM.
BTK_MUST_USE int btk_normalizer_run(struct btk_normalizer *normalizer,
                                    const struct btk_span *source, bool wants_maps,
                                    struct btk_span *out);

// Gives back what a long text needed. The last result is gone then.
void btk_normalizer_release(struct btk_normalizer *normalizer);

// How often memory had to be allocated.
uint64_t btk_normalizer_spill_count(const struct btk_normalizer *normalizer);
