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

// One field (enum btk_field) of an encoding, as the value of a member.
void btk_output_json_field(struct btk_json_writer *writer, uint32_t field,
                           const struct btk_encoding_view *view);

// Of interface.md; NULL: no such field.
const char *btk_output_json_field_name(uint32_t field);

void btk_output_json_error(struct btk_json_writer *writer, const struct btk_request_error *error);
