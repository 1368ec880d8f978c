// SPDX-License-Identifier: Apache-2.0
// How documents are encoded, as JSON says it: in lines of input, on the command line and over HTTP.
//
//     {"add_special_tokens": false, "special_text": "plain", "as_configured": true,
//      "truncation": {"max_length": 128, "stride": 0, "strategy": "longest_first", "direction": "right"},
//      "padding": {"length": 128, "direction": "right", "pad_to_multiple_of": 8,
//                  "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}}
//
// "encode_special_tokens": true is another name of "special_text": "plain". A truncation or padding
// of null turns it off; what an object leaves out is as in the reference's enable_truncation and
// enable_padding.
//
// Plain data, copied by assignment. Threads: no state.
#pragma once

#include <stdbool.h>

#include <budtiktok/encoding.h>

#include "common/base.h"
#include "common/error.h"
#include "common/json.h"

struct btk_request_options {
    bool add_special_tokens;
    uint8_t special_text;      // enum btk_special_text
    uint8_t truncation_source; // enum btk_option_source
    uint8_t padding_source;    // enum btk_option_source
    struct btk_truncation truncation;
    struct btk_padding padding; // its token stands in pad_token: see btk_request_options_padding
    char pad_token[BTK_PAD_TOKEN_BYTES_MAX];
};

#define BTK_REQUEST_OPTIONS_DEFAULTS ((struct btk_request_options){.add_special_tokens = true})

// The padding that was given; its token borrows the options.
struct btk_padding btk_request_options_padding(const struct btk_request_options *options);

bool btk_request_options_equal(const struct btk_request_options *a,
                               const struct btk_request_options *b);

// Truncation and padding from now on are those of the tokenizer file.
void btk_request_options_use_configured(struct btk_request_options *options);

// What "options" say, over what stands there; NULL or null: nothing. -EINVAL: they are wrong;
// -ENOTSUP: one that there is not; with a message. *options may have been written.
BTK_MUST_USE int btk_request_options_read_json(struct btk_request_options *options,
                                               const struct btk_json *json,
                                               struct btk_error *error);

// One member of such an object, as_configured excepted, which comes before all others. The same
// errors.
BTK_MUST_USE int btk_request_options_read_member(struct btk_request_options *options,
                                                 struct btk_bytes name,
                                                 const struct btk_json *value,
                                                 struct btk_error *error);

// The values of "special_text", in the order of enum btk_special_text; ends with NULL.
extern const char *const btk_request_special_texts[];
