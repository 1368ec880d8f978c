// SPDX-License-Identifier: Apache-2.0
// Looking into an image (image_format.h): all that a coordinator sees of the engine.
//
// Ownership: a view borrows the image. Threads: views are immutable.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "tokenizer/image_format.h"

struct btk_lookup_table {
    const struct btk_lookup_slot *slots;
    uint64_t mask;
};

struct btk_added_trie {
    const struct btk_added_node *nodes; // the root is the first
    const struct btk_added_edge *edges;
    uint32_t node_count; // 0 or 1: there are no tokens
};

struct btk_step_list {
    const struct btk_step *steps;
    uint32_t count;
};

struct btk_image {
    const struct btk_image_header *header;
    const struct btk_image_config *config;
    const struct btk_token_info *tokens;
    const uint32_t *token_ends;
    const uint8_t *token_text;
    const uint32_t *bytes_ends;
    const uint8_t *bytes_text;
    const uint32_t *decoded_ends;
    const uint8_t *decoded_text;
    struct btk_lookup_table text_lookup;
    struct btk_lookup_table bytes_lookup;
    const uint32_t *byte_ids;
    const struct btk_edge_slot *char_ids;
    uint64_t char_mask;
    const uint32_t *fallback_ids;
    const uint8_t *affixes;
    const struct btk_merge_slot *merges; // or these
    const uint64_t *packed_merges;
    uint64_t merge_mask;
    const uint64_t *merge_filter;
    uint64_t merge_filter_mask; // of words
    const uint32_t *rank_ids;
    const uint64_t *cut_bits;
    const uint64_t *cut_pairs;
    uint64_t cut_mask;
    const struct btk_trie_unit *trie;
    const double *scores;
    struct btk_added_trie raw_trie;
    struct btk_added_trie normal_trie;
    const struct btk_template_token *template_tokens;
    struct btk_step_list normalizer;
    struct btk_step_list pretokenizer;
    struct btk_step_list postprocessor;
    struct btk_step_list decoder;
    const uint8_t *step_data;
    const struct btk_normal_form *normal_forms;
    uint32_t normal_form_count;
    const uint8_t *normal_form_text;
    const uint64_t *cut_filter;
    uint64_t cut_filter_mask;
    const struct btk_edge_slot *whole_chars;
    uint64_t whole_char_mask;
    const struct btk_short_piece *pieces;
    uint32_t piece_line_count;
    const uint64_t *text_cuts;
};

// What errors call a section: "token text", ...
const char *btk_image_section_name(enum btk_section section);

// Is this an image, of our version, whole, and do all of its indices stay inside? `image` is aligned
// to BTK_IMAGE_ALIGNMENT. Reads all of it. -EPROTO with what is wrong.
BTK_MUST_USE int btk_image_verify(const void *image, size_t bytes, struct btk_error *error);

// Fills the view of an image that was verified; looks at the header alone. -EPROTO.
BTK_MUST_USE int btk_image_view(const void *image, size_t bytes, struct btk_image *out_view,
                                struct btk_error *error);

static inline struct btk_bytes btk_image_token_text(const struct btk_image *image, uint32_t id)
{
    const uint32_t begin = image->token_ends[id];
    return (struct btk_bytes){image->token_text + begin, image->token_ends[id + 1] - begin};
}

static inline struct btk_bytes btk_image_bytes(const struct btk_image *image, uint32_t id)
{
    const uint32_t begin = image->bytes_ends[id];
    return (struct btk_bytes){image->bytes_text + begin, image->bytes_ends[id + 1] - begin};
}

// What a token of an encoding shows, and what the decoder is given.
struct btk_bytes btk_image_shown_text(const struct btk_image *image, uint32_t id);

static inline struct btk_bytes btk_image_decoded_text(const struct btk_image *image, uint32_t id)
{
    const uint32_t begin = image->decoded_ends[id];
    return (struct btk_bytes){image->decoded_text + begin, image->decoded_ends[id + 1] - begin};
}

static inline struct btk_bytes btk_image_step_data(const struct btk_image *image,
                                                   const struct btk_step *step)
{
    return (struct btk_bytes){image->step_data + step->data_begin, step->data_bytes};
}

// What a token of the model is in its tables: its text, or the bytes that it stands for.
static inline struct btk_bytes btk_image_model_text(const struct btk_image *image, uint32_t id)
{
    return image->config->flags & BTK_PIPELINE_MODEL_READS_BYTES ? btk_image_bytes(image, id)
                                                                 : btk_image_token_text(image, id);
}

// The id of a text, and that of a piece of the model. BTK_NO_TOKEN: not there.
uint32_t btk_image_find_token(const struct btk_image *image, struct btk_bytes text);
uint32_t btk_image_find_bytes(const struct btk_image *image, struct btk_bytes bytes);
