// SPDX-License-Identifier: Apache-2.0
// Lines of a reference that record all that encodings hold, as the goldens' options.jsonl:
//
//     {"options": {"truncation": {..}, "padding": {..}}, "add_special_tokens": true,
//      "input": ["text"] or ["text", "pair"], or a list of such for a batch
//      "encoding": {"ids": [..], .., "overflowing": [{..}]} or "batch": [{..}, ..] or "error": "why"}
//
// Words may stand where a text does; "is_batch" then says what the list is.
// What it means that there is an error is that we have one, too; the words are our own.
//
// Ownership: borrows tokenizer, scratch and report. Threads: one.
#pragma once

#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/error.h"
#include "common/json.h"
#include "common/request_options.h"
#include "common/word_lists.h"
#include "tools/verify_report.h"

struct btk_verify_encodings {
    const struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_verify_report *report;
    struct btk_encodings *encodings;
    struct btk_request_options options; // of the line
    struct btk_buffer inputs;           // struct btk_encode_input of the line
    struct btk_word_lists words;
    struct btk_buffer label; // how differences of the line are called
};

BTK_MUST_USE int btk_verify_encodings_init(struct btk_verify_encodings *verifier,
                                           const struct btk_tokenizer *tokenizer,
                                           struct btk_scratch *scratch,
                                           struct btk_verify_report *report,
                                           struct btk_error *error);
void btk_verify_encodings_clear(struct btk_verify_encodings *verifier);

// Compares one line. -EINVAL: it is none of these; -ENOMEM.
BTK_MUST_USE int btk_verify_encodings(struct btk_verify_encodings *verifier,
                                      const struct btk_json *line, struct btk_error *error);
