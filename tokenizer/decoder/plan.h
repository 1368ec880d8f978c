// SPDX-License-Identifier: Apache-2.0
// How a list of decoders is run.
//
// Most lists do the same to every token wherever it stands, and then join: what becomes of each
// token is worked out when the tokenizer is compiled (section DECODED_TEXT), and decoding copies.
// Such a list is
//
//     head...                                  each makes one string of one
//     [ByteFallback middle...]  or  [ByteLevel]
//     [Fuse]
//     tail...                                  anything: it sees one string, the whole text
//
// with exceptions: see plan.c; or it is the one step of a SentencePiece model. All others are run step by
// step (chain.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/image.h"

struct btk_decoder_plan {
    bool is_fused;      // DECODED_TEXT is there
    bool first_differs; // the first token is made at run time
    bool has_runs;      // ByteFallback: tokens of bytes are marked
    bool is_lossy;      // ByteLevel: the tokens are bytes, the text of which becomes UTF-8
    bool tail_strips;   // the tail is one Strip from the left
    // SentencePiece
    bool runs_are_apart; // a byte that is no text does not change the others of a run
    bool drops_space;    // one U+2581 of the first text
    bool drops_spaces;   // and one of those behind it, as long as there is no text
    uint32_t head_end;   // steps [0, head_end) are the head
    uint32_t middle_begin, middle_end;
    uint32_t tail_begin;
};

struct btk_decoder_plan btk_decoder_plan(const struct btk_image *image);

// Does a step of this kind make one string of one?
bool btk_decoder_is_token_step(const struct btk_step *step);

// What a text of `bytes` bytes in `count` strings may be behind the steps [begin, end);
// BTK_DECODER_UNBOUNDED when that is beyond all memory.
#define BTK_DECODER_UNBOUNDED (UINT64_MAX >> 2)
uint64_t btk_decoder_bound(const struct btk_image *image, uint32_t begin, uint32_t end,
                           uint64_t bytes, uint64_t count);
