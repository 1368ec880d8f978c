// SPDX-License-Identifier: Apache-2.0
// How documents are encoded: what the command line says, and over it what a line says.
//
//     {"add_special_tokens": false, "special_text": "plain", "as_configured": true,
//      "truncation": {"max_length": 128, "stride": 0, "strategy": "longest_first", "direction": "right"},
//      "padding": {"length": 128, "direction": "right", "pad_to_multiple_of": 8,
//                  "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}}
//
// "encode_special_tokens": true is another name of "special_text": "plain". null turns an option off. What an object leaves out is as in the reference's enable_truncation and
// enable_padding.
//
// Ownership: options own the text of their padding token. Threads: one.
#pragma once

#include <stdbool.h>

#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/json.h"
#include "tools/options.h"
#include "tools/request.h"

enum btk_option_source {
    BTK_OPTION_IS_OFF,
    BTK_OPTION_IS_GIVEN,
    BTK_OPTION_IS_CONFIGURED, // what stands in the tokenizer file, if anything does
};

struct btk_request_options {
    bool add_special_tokens;
    uint8_t special_text;      // enum btk_special_text
    uint8_t truncation_source; // enum btk_option_source
    uint8_t padding_source;
    struct btk_truncation truncation; // given
    struct btk_padding padding;       // given; its token is `pad_token`
    struct btk_buffer pad_token;
};

void btk_request_options_init(struct btk_request_options *options);
void btk_request_options_clear(struct btk_request_options *options);

// -ENOMEM; *to is as it was then.
BTK_MUST_USE int btk_request_options_copy(struct btk_request_options *to,
                                          const struct btk_request_options *from);
bool btk_request_options_equal(const struct btk_request_options *a,
                               const struct btk_request_options *b);

// What the command line says. -EINVAL, -ENOMEM.
BTK_MUST_USE int btk_request_options_read(struct btk_request_options *options,
                                          const struct btk_options *command_line,
                                          struct btk_error *error);

// What a line's "options" say, over what stands there; NULL or null: nothing. False, with the error
// filled: they are wrong. A failed allocation is an error of code NULL.
bool btk_request_options_try_json(struct btk_request_options *options, const struct btk_json *json,
                                  struct btk_request_error *error);
