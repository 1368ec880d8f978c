// SPDX-License-Identifier: Apache-2.0
// The metadata at the head of a GGUF file: keys and values, of which those that are asked for are kept.
//
//     "GGUF", u32 version, u64 tensors, u64 pairs, then pairs: key, u32 type, value
//     key, string    u64 bytes, bytes
//     array          u32 type of its members, u64 count, members; arrays of arrays are refused
//
// Source: docs/gguf.md of ggml, versions 2 and 3, little-endian. Only the head is touched, so the file
// may be mapped whole, however large it is.
//
// Errors: -EINVAL with the byte and the key. Ownership: values point into the file. Threads: no state.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/compile/format/format.h"

enum btk_gguf_type {
    BTK_GGUF_U8 = 0,
    BTK_GGUF_I8 = 1,
    BTK_GGUF_U16 = 2,
    BTK_GGUF_I16 = 3,
    BTK_GGUF_U32 = 4,
    BTK_GGUF_I32 = 5,
    BTK_GGUF_F32 = 6,
    BTK_GGUF_BOOL = 7,
    BTK_GGUF_STRING = 8,
    BTK_GGUF_ARRAY = 9,
    BTK_GGUF_U64 = 10,
    BTK_GGUF_I64 = 11,
    BTK_GGUF_F64 = 12,
};

struct btk_gguf_value {
    const char *key; // asked for
    bool is_there;
    uint32_t type;         // enum btk_gguf_type
    uint32_t member_type;  // ARRAY
    uint64_t count;        // ARRAY
    struct btk_bytes data; // of the value, or of all members; a STRING without its length
};

// Fills the values whose keys are in the file; of a key that stands there twice the first one counts.
BTK_MUST_USE int btk_gguf_read(struct btk_format *format, struct btk_bytes file,
                               struct btk_gguf_value *values, size_t value_count);

// A value of another type is refused, one that is not there leaves what stands there.
BTK_MUST_USE int btk_gguf_take_u32(struct btk_format *format, const struct btk_gguf_value *value,
                                   uint32_t *in_out_number);
BTK_MUST_USE int btk_gguf_take_bool(struct btk_format *format, const struct btk_gguf_value *value,
                                    bool *in_out_flag);
BTK_MUST_USE int btk_gguf_take_text(struct btk_format *format, const struct btk_gguf_value *value,
                                    struct btk_bytes *in_out_text);

// Is it an array of such members?
bool btk_gguf_is_array(const struct btk_gguf_value *value, uint32_t member_type);

// The next string of an array of them; its bytes go off *in_out_data.
struct btk_bytes btk_gguf_next_string(struct btk_bytes *in_out_data);
// The i-th of an array of four bytes each.
uint32_t btk_gguf_number_at(const struct btk_gguf_value *value, uint64_t index);
