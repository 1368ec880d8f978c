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
    COLUMNS = 10,
};

#define TEXT_BYTES_MAX (UINT64_C(1) << 48)
#define SATURATED      ((UINT64_MAX / 2) & ~(uint64_t)(BTK_RESULT_ALIGNMENT - 1))

static uint64_t token_bytes(uint32_t fields)
{
    uint64_t bytes = sizeof(uint32_t); // ids, always
    if ((fields & BTK_FIELD_OFFSETS) != 0) bytes += 2 * sizeof(uint32_t);
    if ((fields & BTK_FIELD_TYPE_IDS) != 0) bytes += sizeof(uint32_t);
    if ((fields & BTK_FIELD_WORD_IDS) != 0) bytes += sizeof(uint32_t);
    if ((fields & BTK_FIELD_SPECIAL_TOKENS_MASK) != 0) bytes += 1;
    if ((fields & BTK_FIELD_TOKENS) != 0) bytes += sizeof(uint32_t) + TOKEN_TEXT_BYTES;
    return bytes;
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
        if ((shape->flags & BTK_OPTIONS_UTF8_REPLACE) != 0) tokens *= REPLACEMENT_BYTES;
        tokens += document_count * ADDED_TOKENS_PER_DOCUMENT;
        bytes += tokens * token_bytes(shape->fields);
    }
    return btk_align_up(bytes, BTK_RESULT_ALIGNMENT);
}
