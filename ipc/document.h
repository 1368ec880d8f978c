// SPDX-License-Identifier: Apache-2.0
// A document that is more than one text, as it stands in a slab: words, or a pair, or both. Batches
// with such documents say so (BTK_BATCH_HAS_SHAPES), and then every document has a head.
//
//     | head 32 | ends of words 8 each | ends of the pair's words | text | pair |
//
// Ends count from the beginning of their text. All integers are of the host's
// order. A document may begin anywhere; a reader copies it to where it is 8-byte aligned.
//
// Trust: read() checks a private copy. Threads: no state.
#pragma once

#include <stdint.h>

#include <budtiktok/encoding.h>

#include "common/base.h"
#include "common/error.h"

enum { BTK_DOCUMENT_ALIGNMENT = 8 };

enum btk_document_flag {
    BTK_DOCUMENT_IS_SPLIT = 1 << 0, // the text is words
    BTK_DOCUMENT_HAS_PAIR = 1 << 1,
    BTK_DOCUMENT_PAIR_IS_SPLIT = 1 << 2,
    BTK_DOCUMENT_KNOWN = (1 << 3) - 1,
};

struct btk_document_head {
    uint64_t text_bytes;
    uint64_t pair_bytes;
    uint32_t word_count;
    uint32_t pair_word_count;
    uint32_t flags; // set of enum btk_document_flag
    uint32_t reserved;
};

_Static_assert(sizeof(struct btk_document_head) == 32, "part of the wire format");

// Bytes that the document takes; saturates at UINT64_MAX / 2.
uint64_t btk_document_bytes(const struct btk_encode_input *input);

// Writes it there, in as many bytes. Word counts fit into 32 bits.
void btk_document_write(const struct btk_encode_input *input, uint8_t *destination);

// The document in a private, aligned copy, which the input borrows. -EPROTO: not what write() makes.
// The ends of words are as they stand there: the engine checks them.
BTK_MUST_USE int btk_document_read(struct btk_bytes document, struct btk_encode_input *out_input,
                                   struct btk_error *error);
