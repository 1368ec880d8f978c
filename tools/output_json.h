// SPDX-License-Identifier: Apache-2.0
// One result as a JSON object, with the names of the interface.
#pragma once

#include <stdint.h>

#include "common/json_writer.h"
#include "tools/backend.h"
#include "tools/request.h"

// The document's fields, its text (decode) or its error. True: it was an error.
bool btk_output_json_document(struct btk_json_writer *writer, uint32_t fields,
                              const struct btk_result_view *view);

void btk_output_json_error(struct btk_json_writer *writer, const struct btk_request_error *error);
