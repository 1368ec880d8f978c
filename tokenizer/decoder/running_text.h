// SPDX-License-Identifier: Apache-2.0
// The text of ids that come one after the other, without decoding all of them again with each: what
// is known stands in `settled`, and only a character that is not whole, or a run of bytes, may
// change.
//
// Ownership: btk_running_text_clear() frees. Threads: one.
#pragma once

#include <stdbool.h>

#include "tokenizer/decoder/decoder.h"

struct btk_running_text {
    struct btk_decoder *decoder; // borrowed
    struct btk_room settled;
    struct btk_room open; // bytes behind it
    size_t open_checked;  // these are characters
    bool open_is_broken;  // and the ones behind them never will be
    bool has_begun;       // a token was there; SentencePiece: a text was
};

// Can it be done for this plan?
bool btk_running_text_fits(const struct btk_decoder *decoder);

void btk_running_text_init(struct btk_running_text *text, struct btk_decoder *decoder);
void btk_running_text_reset(struct btk_running_text *text);
void btk_running_text_clear(struct btk_running_text *text);

// One more token, one that btk_decoder_takes(). -ENOMEM, -E2BIG.
BTK_MUST_USE int btk_running_text_push(struct btk_running_text *text, uint32_t id);

// The text if there were no more tokens: `begin` bytes of `settled` left out, then the open bytes,
// or U+FFFD so many times.
struct btk_running_view {
    struct btk_bytes settled;
    struct btk_bytes open;
    size_t replacement_count;
    size_t length; // of all of it
    bool ends_in_replacement;
};

struct btk_running_view btk_running_text_view(const struct btk_running_text *text);

// Appends what stands behind the first `skip_bytes` of it. -ENOMEM, -E2BIG.
BTK_MUST_USE int btk_running_view_append(const struct btk_running_view *view, size_t skip_bytes,
                                         struct btk_room *out);

// Does it begin with `prefix`, which is no longer than it is?
bool btk_running_view_begins_with(const struct btk_running_view *view, struct btk_bytes prefix);
