// SPDX-License-Identifier: Apache-2.0
// Post-processors as programs in an image: what becomes of the tokens of one text or of two.
//
//     parts    [CLS]  A      [SEP] | B      [SEP]      of BertProcessing, for a pair, with specials
//     part 0   before text   after   part 1: text, after
//
// The compiler runs a file's chain of post-processors once for each mode (one text or two, with
// special tokens or without) over texts of unknown length; what is left is a list of parts. A part is
// at most one text with special tokens around it. What the chain makes of the whole text and of what
// truncation cut off may differ, so types and ranges stand twice: [0] for the first, [1] for the
// latter.
//
// Section POSTPROCESSOR_STEPS is empty (no post-processor), or has one step of BTK_POST_PROGRAM for
// each mode, in their order, then one of BTK_POST_TEXTS, then, if the file has them,
// BTK_POST_TRUNCATION and BTK_POST_PADDING. All of it is checked with the image.
//
// Source: the reference's processors/ and tokenizer/mod.rs (PostProcessor::process).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tokenizer/image.h"

enum btk_post_step_kind {
    // flags: mode; numbers: counts of parts, tokens, trims, ranges; data: struct btk_post_head, then
    // the four arrays.
    BTK_POST_PROGRAM = 1,
    // numbers[0]: count; data: uint32_t ends[count], then UTF-8.
    BTK_POST_TEXTS,
    BTK_POST_TRUNCATION, // data: struct btk_post_truncation
    BTK_POST_PADDING,    // data: struct btk_post_padding, then the token's text
};

enum btk_post_mode {
    BTK_POST_ADDS_SPECIAL = 1 << 0,
    BTK_POST_IS_PAIR = 1 << 1,
    BTK_POST_MODE_COUNT = 4
};

enum {
    BTK_POST_PART_LIMIT = 256,
    BTK_POST_TOKEN_LIMIT = 65536,
    BTK_POST_SEQUENCE_LIMIT = 256, // of sequence ids in ranges
    BTK_POST_TEXT_BYTES_LIMIT = 1 << 16,
};

#define BTK_POST_NO_SEQUENCE UINT32_MAX

struct btk_post_head {
    uint32_t added_count; // what truncation leaves room for
    uint32_t fails;       // 1: the reference gives up in this mode
};

struct btk_post_part {
    uint32_t sequence; // 0: the text, 1: its pair, BTK_POST_NO_SEQUENCE
    uint32_t type_ids[2];
    uint32_t first_token; // of those before the sequence, which those after it follow
    uint32_t before_count;
    uint32_t after_count;
    uint32_t first_trim;
    uint32_t trim_count;
    uint32_t first_range[2];
    uint32_t range_count[2];
};

// A special token.
struct btk_post_token {
    uint32_t id;
    uint32_t type_ids[2];
    uint32_t is_special; // what special_tokens_mask says
    uint32_t text;       // 0: the vocabulary's; else 1 + its index in BTK_POST_TEXTS
};

// Offsets are trimmed of spaces, once for each trim.
struct btk_post_trim {
    uint32_t before_count; // tokens before the sequence then
    uint32_t adds_prefix_space;
};

// Tokens of a part that belong to a sequence.
struct btk_post_range {
    uint32_t sequence_id;
    uint32_t begin;
    uint32_t end;
    uint32_t end_grows; // 1: by the length of the part's sequence
};

struct btk_post_truncation {
    uint64_t max_length;
    uint64_t stride;
    uint32_t strategy;  // enum btk_truncation_strategy
    uint32_t direction; // enum btk_direction
};

struct btk_post_padding {
    uint64_t length;
    uint64_t multiple_of;
    uint32_t has_length;
    uint32_t direction; // enum btk_direction
    uint32_t id;
    uint32_t type_id;
};

struct btk_post_program {
    uint32_t added_count;
    bool fails;
    uint32_t part_count;
    const struct btk_post_part *parts;
    const struct btk_post_token *tokens;
    const struct btk_post_trim *trims;
    const struct btk_post_range *ranges;
};

// The program of a mode (set of enum btk_post_mode) of an image that was verified.
struct btk_post_program btk_post_program_get(const struct btk_image *image, unsigned mode);

// Text 1, 2, ... of BTK_POST_TEXTS.
struct btk_bytes btk_post_text(const struct btk_image *image, uint32_t index);

// What stands in the tokenizer file; NULL: nothing. The token's text follows its struct.
const struct btk_post_truncation *btk_post_truncation_get(const struct btk_image *image);
const struct btk_post_padding *btk_post_padding_get(const struct btk_image *image,
                                                    struct btk_bytes *out_token);
