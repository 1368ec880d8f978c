// SPDX-License-Identifier: Apache-2.0
// What the checks of an image share.
#pragma once

#include "common/error.h"
#include "tokenizer/image.h"
#include "tokenizer/image_format.h"

// "not a sound tokenizer image: <what>". Return -EPROTO.
int btk_image_refuse(struct btk_error *error, const char *what);
int btk_image_refuse_section(struct btk_error *error, enum btk_section section, const char *what);

static inline uint64_t btk_image_section_bytes(const struct btk_image *view,
                                               enum btk_section section)
{
    return view->header->sections[section].bytes;
}

static inline const void *btk_image_section_data(const struct btk_image_header *header,
                                                 enum btk_section section)
{
    return (const uint8_t *)header + header->sections[section].offset;
}

// A table of btk_lookup_slot. -EPROTO.
int btk_image_check_lookup(const struct btk_image *view, enum btk_section section,
                           struct btk_error *error);

// With the fastest kernel where the text is long.
bool btk_image_is_utf8(struct btk_bytes text);

// The tables of the model: first whether they are as long as tables are.
int btk_model_check_sizes(const struct btk_image *view, struct btk_error *error);
int btk_model_check(const struct btk_image *view, struct btk_error *error);

// The stages, each for its own steps, whose data were found to be inside of the image.
int btk_pretokenizer_check(const struct btk_image *view, struct btk_error *error);
int btk_decoder_check(const struct btk_image *view, struct btk_error *error);
// And the texts that it made of tokens, whose ends were found to be in order.
int btk_decoder_check_texts(const struct btk_image *view, struct btk_error *error);
int btk_postprocessor_check(const struct btk_image *view, struct btk_error *error);

// Is it known how texts are cut, and does the model have what that asks for?
int btk_text_cuts_check(const struct btk_image *view, struct btk_error *error);
