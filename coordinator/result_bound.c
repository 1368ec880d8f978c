// SPDX-License-Identifier: Apache-2.0
#include "coordinator/result_bound.h"

#include "ipc/batch.h"
#include "ipc/control_messages.h"

enum {
    ADDED_TOKENS_PER_DOCUMENT = 8,
    REPLACEMENT_BYTES = 3,
    TOKEN_TEXT_BYTES = 8,  // "[UNK]" for one character is the longest that is common
    DECODED_ID_BYTES = 16, // text of one id
    COLUMN_PADDING = 64,   // each column begins aligned
    COLUMNS = 14,
    REPEATS_MAX = 64,
};

// More is refused by the worker, document by document.
#define PADDED_TOKENS_MAX (UINT64_C(1) << 26)

#define TEXT_BYTES_MAX (UINT64_C(1) << 48)
#define SATURATED      ((UINT64_MAX / 2) & ~(uint64_t)(BTK_RESULT_ALIGNMENT - 1))

static uint64_t token_bytes(uint32_t fields)
{
    uint64_t bytes = sizeof(uint32_t); // ids, always
    if ((fields & BTK_FIELD_OFFSETS) != 0) bytes += 2 * sizeof(uint32_t);
    if ((fields & BTK_FIELD_TYPE_IDS) != 0) bytes += sizeof(uint32_t);
    if ((fields & BTK_FIELD_WORD_IDS) != 0) bytes += sizeof(uint32_t);
    if ((fields & BTK_FIELD_SEQUENCE_IDS) != 0) bytes += sizeof(uint32_t);
    if ((fields & BTK_FIELD_ATTENTION_MASK) != 0) bytes += 1;
    if ((fields & BTK_FIELD_OVERFLOWING) != 0) bytes += 1;
    if ((fields & BTK_FIELD_SPECIAL_TOKENS_MASK) != 0) bytes += 1;
    if ((fields & BTK_FIELD_TOKENS) != 0) bytes += sizeof(uint32_t) + TOKEN_TEXT_BYTES;
    return bytes;
}

// A window of max_length tokens goes on by all but those that it repeats, and the special ones.
static uint32_t repeats_of(const struct btk_batch_options *options)
{
    const uint64_t lost = options->stride + ADDED_TOKENS_PER_DOCUMENT;
    if ((options->fields & BTK_FIELD_OVERFLOWING) == 0
        || btk_batch_options_truncation_source(options) != BTK_OPTION_IS_GIVEN)
        return 1;
    if (options->stride >= options->max_length || lost >= options->max_length) return REPEATS_MAX;
    const uint64_t repeats = options->max_length / (options->max_length - lost) + 1;
    return repeats < REPEATS_MAX ? (uint32_t)repeats : REPEATS_MAX;
}

static uint64_t padded_tokens_of(const struct btk_batch_options *options)
{
    if (btk_batch_options_padding_source(options) != BTK_OPTION_IS_GIVEN) return 0;
    const uint64_t multiple = options->pad_multiple_of;
    if (options->pad_length > PADDED_TOKENS_MAX || multiple > PADDED_TOKENS_MAX)
        return PADDED_TOKENS_MAX;
    return options->pad_length + multiple;
}

struct btk_result_shape btk_result_shape_of(const struct btk_batch_options *options)
{
    return (struct btk_result_shape){
        .op = options->op,
        .fields = options->fields,
        .repeats = repeats_of(options),
        .replaces = (options->flags & BTK_OPTIONS_UTF8_REPLACE) != 0,
        .is_grouped = btk_batch_options_is_grouped(options),
        .padded_tokens = padded_tokens_of(options),
    };
}

uint64_t btk_result_bound(const struct btk_result_shape *shape, uint64_t text_bytes,
                          uint64_t document_count)
{
    if (text_bytes > TEXT_BYTES_MAX || document_count > BTK_BATCH_DOCUMENTS_MAX) return SATURATED;
    uint64_t bytes = sizeof(struct btk_result_header) + COLUMNS * COLUMN_PADDING
                     + document_count * sizeof(struct btk_result_document);
    if (shape->op == BTK_OPERATION_DECODE) {
        bytes += text_bytes / sizeof(uint32_t) * DECODED_ID_BYTES;
    } else {
        uint64_t tokens = text_bytes;
        if (shape->replaces) tokens *= REPLACEMENT_BYTES;
        if (shape->repeats > 1) tokens *= shape->repeats;
        tokens += document_count * (ADDED_TOKENS_PER_DOCUMENT + shape->padded_tokens);
        bytes += tokens * token_bytes(shape->fields);
    }
    return btk_align_up(bytes, BTK_RESULT_ALIGNMENT);
}
