// SPDX-License-Identifier: Apache-2.0
// Walks over the fields of a Protocol Buffers message, in the order in which they stand.
//
// Our own because a schema compiler and its runtime would be more than the four wire types that a
// reader of a few fields needs. Source: the wire format in the Protocol Buffers documentation,
// "Encoding".
//
// Ownership: borrows the message. Threads: one a struct. Nothing outside of the message is read,
// whatever stands in it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"

enum btk_wire_type {
    BTK_WIRE_VARINT = 0,
    BTK_WIRE_FIXED64 = 1,
    BTK_WIRE_BYTES = 2, // strings, messages, packed numbers
    BTK_WIRE_FIXED32 = 5,
};

struct btk_wire_field {
    uint32_t number;
    uint32_t type;          // enum btk_wire_type
    uint64_t value;         // of the three types of numbers
    struct btk_bytes bytes; // of BTK_WIRE_BYTES
};

struct btk_wire_reader {
    struct btk_bytes message;
    size_t position;
    bool is_broken; // where the walk ended before the message did
};

static inline void btk_wire_reader_init(struct btk_wire_reader *reader, struct btk_bytes message)
{
    *reader = (struct btk_wire_reader){.message = message};
}

// The next field. False: the end, or what stands there is no field (is_broken; `position` is where).
bool btk_wire_reader_next(struct btk_wire_reader *reader, struct btk_wire_field *out_field);

// The value of a fixed32 as a float.
float btk_wire_float(const struct btk_wire_field *field);
