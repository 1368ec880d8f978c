// SPDX-License-Identifier: Apache-2.0
// One JSON line of input to documents of a batch.
#pragma once

#include <stdbool.h>

#include "common/base.h"
#include "common/json.h"
#include "tools/request.h"

struct btk_request_json_rules {
    const char *text_key;
    bool wants_ids;
    bool add_special_tokens;
    uint64_t document_bytes_max;
};

// Does the line want special tokens? Its own options win.
bool btk_request_json_special_tokens(const struct btk_json *line,
                                     const struct btk_request_json_rules *rules);

// Appends the documents of the line, or its error, and the line itself. -ENOMEM.
BTK_MUST_USE int btk_request_json_append(const struct btk_json *line,
                                         const struct btk_request_json_rules *rules,
                                         struct btk_request_batch *batch);
