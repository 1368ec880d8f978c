// SPDX-License-Identifier: Apache-2.0
// Encodings as JSON, with the names of fields that every interface has.
//
//     {"ids": [..], "offsets": [[0,5],..], "overflowing": [{..}, ..]}
//
// Threads: no state.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <budtiktok/encoding.h>

#include "common/json_writer.h"

// One field (enum btk_field) of an encoding, as the value of a member; its column is there.
void btk_encoding_json_write_field(struct btk_json_writer *writer, uint32_t field,
                                   const struct btk_encoding_view *view);

// The names of all fields in the order of enum btk_field; ends with NULL.
extern const char *const btk_encoding_json_fields[];

// "ids" for BTK_FIELD_IDS, ...; NULL: not a field of one encoding.
const char *btk_encoding_json_field_name(uint32_t field);

// The members of an object: the fields (set of enum btk_field) of the first encoding, and with
// BTK_FIELD_OVERFLOWING the others as a list of such objects.
void btk_encoding_json_write_members(struct btk_json_writer *writer, uint32_t fields,
                                     const struct btk_encoding_view *encodings, size_t count);
