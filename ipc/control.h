// SPDX-License-Identifier: Apache-2.0
// Control messages to bytes and back; the list is in control_messages.h. The only room of msgpack.
//
//     struct btk_control_message message = {.kind = BTK_CONTROL_PING, .ping = {.sequence = 7}};
//     btk_control_encode(&message, frame, sizeof frame, &length);
//
// A frame is read by a decoder that knows which type stands where: every header is checked against
// the bytes that are left before anything is taken, nothing nests, nothing is allocated, and any
// unknown, missing or extra field is refused. So no frame can cost more than its own length.
//
// Ownership: BYTES fields of a decoded message point into the frame. Threads: no state.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"
#include "ipc/control_messages.h"

enum btk_control_kind {
    BTK_CONTROL_NONE = 0,
#define MESSAGE(name, NAME) BTK_CONTROL_##NAME,
    BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
        BTK_CONTROL_KIND_COUNT
};

#define U32(field)            uint32_t field;
#define U64(field)            uint64_t field;
#define TEXT(field, maximum)  char field[maximum];
#define BYTES(field, maximum) struct btk_bytes field;
#define MESSAGE(name, NAME)                                                                        \
    struct btk_control_##name {                                                                    \
        BTK_FIELDS_##NAME(U32, U64, TEXT, BYTES)                                                   \
    };
BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
#undef U32
#undef U64
#undef TEXT
#undef BYTES

struct btk_control_message {
    enum btk_control_kind kind;
    union {
#define MESSAGE(name, NAME) struct btk_control_##name name;
        BTK_CONTROL_MESSAGES(MESSAGE)
#undef MESSAGE
    };
};

// "ping", for logs; "unknown".
const char *btk_control_name(enum btk_control_kind kind);

// -EMSGSIZE: larger than `capacity_bytes`, or a field beyond its maximum.
BTK_MUST_USE int btk_control_encode(const struct btk_control_message *message, void *out_frame,
                                    size_t capacity_bytes, size_t *out_length);

// -EPROTO with what, where and what was expected; *out_message is untouched then.
BTK_MUST_USE int btk_control_decode(struct btk_bytes frame, struct btk_control_message *out_message,
                                    struct btk_error *error);
