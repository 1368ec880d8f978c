// SPDX-License-Identifier: Apache-2.0
// Reads a block of results in place (ipc/batch.h): document by document, encoding by encoding.
//
//     header that was checked --> place of a document --> views of its encodings, or its text
//
// Trust: what the tables in the block say is read once and held against the header, so that a view
// never leaves its column. Ownership: borrows the block and the copy of its header. Threads: no state.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <budtiktok/encoding.h>

#include "common/base.h"
#include "ipc/batch.h"

struct btk_result_reader {
    const uint8_t *block;
    const struct btk_result_header *header; // a copy that btk_result_header_check has passed
};

struct btk_result_place {
    struct btk_result_document document;
    struct btk_result_document before; // the one in front of it in the block, or zeros
};

// Where a document stands, 0 <= index < document_count. -EPROTO.
BTK_MUST_USE int btk_result_reader_find(const struct btk_result_reader *reader, uint32_t index,
                                        struct btk_result_place *out_place);

// Encodings of a document that has succeeded.
size_t btk_result_reader_encoding_count(const struct btk_result_reader *reader,
                                        const struct btk_result_place *place);

// One of them. -EINVAL: there are fewer; -EPROTO.
BTK_MUST_USE int btk_result_reader_encoding(const struct btk_result_reader *reader,
                                            const struct btk_result_place *place, size_t index,
                                            struct btk_encoding_view *out_view);

// The text of a decoded document, or what is wrong with one that was to be encoded; may be empty.
struct btk_bytes btk_result_reader_text(const struct btk_result_reader *reader,
                                        const struct btk_result_place *place);
