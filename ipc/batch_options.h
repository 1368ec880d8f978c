// SPDX-License-Identifier: Apache-2.0
// What is asked of all documents of a batch, as it travels in control messages (register_options,
// define_options): plain data of a fixed size, of which what the padding token does not fill is not
// sent.
//
//     | op fields flags pad_token_bytes | lengths ... | pad ids | pad token ... |
//
// Trust: read() copies and checks everything. Threads: no state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <budtiktok/encoding.h>

#include "common/base.h"
#include "common/error.h"

enum {
    BTK_OPTIONS_PLACES = 4096, // options_id - 1 modulo this is the place that it has
    BTK_OPTIONS_SPECIAL_TEXT_SHIFT = 4,
    BTK_OPTIONS_TRUNCATION_SOURCE_SHIFT = 6,
    BTK_OPTIONS_TRUNCATION_STRATEGY_SHIFT = 8,
    BTK_OPTIONS_PADDING_SOURCE_SHIFT = 11,
};

enum btk_options_flag {
    BTK_OPTIONS_ADD_SPECIAL_TOKENS = 1 << 0,
    BTK_OPTIONS_SKIP_SPECIAL_TOKENS = 1 << 1,
    BTK_OPTIONS_OFFSETS_BYTE = 1 << 2,
    BTK_OPTIONS_UTF8_REPLACE = 1 << 3,
    BTK_OPTIONS_SPECIAL_TEXT = 3 << BTK_OPTIONS_SPECIAL_TEXT_SHIFT, // enum btk_special_text
    BTK_OPTIONS_TRUNCATION_SOURCE =
        3 << BTK_OPTIONS_TRUNCATION_SOURCE_SHIFT, // enum btk_option_source
    BTK_OPTIONS_TRUNCATION_STRATEGY =
        3 << BTK_OPTIONS_TRUNCATION_STRATEGY_SHIFT, // enum btk_truncation_strategy
    BTK_OPTIONS_TRUNCATION_LEFT = 1 << 10,
    BTK_OPTIONS_PADDING_SOURCE = 3 << BTK_OPTIONS_PADDING_SOURCE_SHIFT, // enum btk_option_source
    BTK_OPTIONS_PADDING_HAS_LENGTH = 1 << 13,
    BTK_OPTIONS_PADDING_LEFT = 1 << 14,
    BTK_OPTIONS_GROUPED = 1 << 15, // documents of a group are encoded in one call
    BTK_OPTIONS_KNOWN = (1 << 16) - 1,
};

// Begin with zeros.
struct btk_batch_options {
    uint32_t op;     // enum btk_operation
    uint32_t fields; // set of enum btk_field
    uint32_t flags;  // set of enum btk_options_flag
    uint32_t pad_token_bytes;
    uint64_t max_length;
    uint64_t stride;
    uint64_t pad_length;
    uint64_t pad_multiple_of;
    uint64_t cost_max; // as in struct btk_encoding_options, for each shard; 0: the worker's own
    uint32_t pad_id;
    uint32_t pad_type_id;
    char pad_token[BTK_PAD_TOKEN_BYTES_MAX];
};

_Static_assert(sizeof(struct btk_batch_options) == 64 + BTK_PAD_TOKEN_BYTES_MAX,
               "part of the wire format");

// What goes into a message; borrows the options.
struct btk_bytes btk_batch_options_bytes(const struct btk_batch_options *options);

// -EPROTO: not what bytes() makes, or something in it that is unknown; with a message.
BTK_MUST_USE int btk_batch_options_read(struct btk_bytes bytes,
                                        struct btk_batch_options *out_options,
                                        struct btk_error *error);

bool btk_batch_options_equal(const struct btk_batch_options *a, const struct btk_batch_options *b);

void btk_batch_options_set_special_text(struct btk_batch_options *options, uint8_t special_text);
// `source`: enum btk_option_source; the rest is looked at when it is BTK_OPTION_IS_GIVEN. The token
// has at most BTK_PAD_TOKEN_BYTES_MAX bytes.
void btk_batch_options_set_truncation(struct btk_batch_options *options, uint8_t source,
                                      const struct btk_truncation *truncation);
void btk_batch_options_set_padding(struct btk_batch_options *options, uint8_t source,
                                   const struct btk_padding *padding);

static inline uint8_t btk_batch_options_special_text(const struct btk_batch_options *options)
{
    return (options->flags & BTK_OPTIONS_SPECIAL_TEXT) >> BTK_OPTIONS_SPECIAL_TEXT_SHIFT;
}

static inline uint8_t btk_batch_options_truncation_source(const struct btk_batch_options *options)
{
    return (options->flags & BTK_OPTIONS_TRUNCATION_SOURCE) >> BTK_OPTIONS_TRUNCATION_SOURCE_SHIFT;
}

static inline uint8_t btk_batch_options_padding_source(const struct btk_batch_options *options)
{
    return (options->flags & BTK_OPTIONS_PADDING_SOURCE) >> BTK_OPTIONS_PADDING_SOURCE_SHIFT;
}

// What was given; the token borrows the options.
struct btk_truncation btk_batch_options_truncation(const struct btk_batch_options *options);
struct btk_padding btk_batch_options_padding(const struct btk_batch_options *options);

// Whether documents are encoded together with those of their group, which then is not cut: when that
// was asked for, and when they may be padded to the longest of it.
bool btk_batch_options_is_grouped(const struct btk_batch_options *options);
