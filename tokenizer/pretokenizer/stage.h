// SPDX-License-Identifier: Apache-2.0
// What the steps of pre-tokenizers share: lists of pieces, text of their own, and how matches
// become pieces.
//
// A step reads the pieces `in` of `span` and appends to `out`; one that writes also fills `text`.
// Both grow as they need and keep what they have.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/image_format.h"
#include "tokenizer/pretokenizer/step_kind.h"
#include "tokenizer/progress.h"
#include "tokenizer/span.h"

struct btk_regex;

struct btk_piece_list {
    struct btk_piece *pieces;
    size_t count;
    size_t capacity;
    uint64_t spill_count;
    bool is_out_of_memory; // then pieces are missing
};

// Text that a step writes, and its maps.
struct btk_stage_text {
    uint8_t *text;
    uint32_t *begins;
    uint32_t *ends;
    size_t length;
    size_t capacity;      // bytes of text, without the slack behind
    size_t maps_capacity; // 0 until maps are wanted
    uint64_t spill_count;
};

struct btk_stage {
    const struct btk_step *step;
    struct btk_bytes data;   // the step's
    struct btk_regex *regex; // SPLIT_REGEX
    struct btk_pretok *pretok;
    const struct btk_kernels *kernels;
    const struct btk_progress *progress;
    struct btk_span span;
    const struct btk_piece *in;
    size_t in_count;
    struct btk_piece_list *out;
    struct btk_stage_text *text;
    bool has_maps;
};

// 0, -ENOMEM, -E2BIG, -ETIME.
typedef int btk_stage_fn(struct btk_stage *stage);
btk_stage_fn btk_stage_split_class;
btk_stage_fn btk_stage_split_words;
btk_stage_fn btk_stage_split_set;
btk_stage_fn btk_stage_split_literal;
btk_stage_fn btk_stage_split_pattern;
btk_stage_fn btk_stage_split_regex;
btk_stage_fn btk_stage_scripts;
btk_stage_fn btk_stage_fixed_length;
btk_stage_fn btk_stage_spaces;
btk_stage_fn btk_stage_alphabet;
btk_stage_fn btk_stage_bytes;

// Room for one more piece; sets is_out_of_memory.
bool btk_piece_list_grow(struct btk_piece_list *list);

enum { BTK_STAGE_FIRST_TEXT_BYTES = 64 * 1024 };

// Frees the memory; it may be used again.
void btk_stage_text_clear(struct btk_stage_text *text);

// Makes room for `bytes` of text, empties it. -ENOMEM, -E2BIG.
BTK_MUST_USE int btk_stage_text_reset(struct btk_stage_text *text, size_t bytes, bool has_maps);

static inline void btk_piece_list_push(struct btk_piece_list *list, size_t begin, size_t end)
{
    if (begin == end) return;
    if (list->count == list->capacity && !btk_piece_list_grow(list)) return;
    list->pieces[list->count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)end};
}

enum { BTK_STAGE_TICK_EVERY = 4096 }; // pieces

static inline void btk_stage_tick(const struct btk_stage *stage, size_t at)
{
    if (at % BTK_STAGE_TICK_EVERY == 0) btk_progress_tick(stage->progress);
}

// --- From matches to pieces

// Gets the matches of one piece and the gaps between them, in order.
struct btk_splitter {
    struct btk_piece_list *out;
    enum btk_split_behavior behavior;
    bool inverts;
    bool was_match; // the event before
    bool has_pending;
    size_t pending_begin; // a piece that may go on
    size_t pending_end;
};

static inline struct btk_splitter btk_splitter_of(const struct btk_stage *stage)
{
    return (struct btk_splitter){.out = stage->out,
                                 .behavior = stage->step->numbers[0],
                                 .inverts = stage->step->flags & BTK_SPLIT_INVERT};
}

// The behaviours that join neighbours.
void btk_splitter_join(struct btk_splitter *splitter, size_t begin, size_t end, bool is_match);

static inline void btk_splitter_add(struct btk_splitter *splitter, size_t begin, size_t end,
                                    bool is_match)
{
    is_match ^= splitter->inverts;
    if (splitter->behavior == BTK_SPLIT_ISOLATED
        || (splitter->behavior == BTK_SPLIT_REMOVED && !is_match))
        btk_piece_list_push(splitter->out, begin, end);
    else if (splitter->behavior != BTK_SPLIT_REMOVED)
        btk_splitter_join(splitter, begin, end, is_match);
}

// After the last one; the splitter is as new.
static inline void btk_splitter_end(struct btk_splitter *splitter)
{
    if (splitter->has_pending)
        btk_piece_list_push(splitter->out, splitter->pending_begin, splitter->pending_end);
    splitter->has_pending = false;
    splitter->was_match = false;
}
