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
    uint64_t document_bytes_max;
};

// Appends the documents of the line, or its error, and the line itself; its options were read
// before. -ENOMEM.
BTK_MUST_USE int btk_request_json_append(const struct btk_json *line,
                                         const struct btk_request_json_rules *rules,
                                         struct btk_request_batch *batch);
