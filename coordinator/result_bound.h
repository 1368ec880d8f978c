// SPDX-License-Identifier: Apache-2.0
// How large the block of results of a shard could become: what is set aside for it before work
// begins, and what a batch is refused for when it is beyond all measure.
//
//     block   | header 256 | documents 32 each | ids 4 | offsets 8 | type ids 4 | word ids 4 | ...
//
// The coordinator knows no tokenizer, so it counts a token for each byte (three with replacement of
// invalid UTF-8, as U+FFFD has three), a few added ones for each document, and what truncation and
// padding add as far as the request says it. A block that outgrows
// this after all is made again in a memory of its own, of the size that it has.
//
// Threads: no state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/batch_options.h"

// What the size of a result depends on, besides the text.
struct btk_result_shape {
    uint32_t op;            // enum btk_operation
    uint32_t fields;        // set of enum btk_field
    uint32_t repeats;       // how often a token may stand in encodings that overlap, at least 1
    bool replaces;          // invalid UTF-8
    bool is_grouped;        // documents are padded to the longest of their group
    uint64_t padded_tokens; // that each encoding has at the least
};

struct btk_result_shape btk_result_shape_of(const struct btk_batch_options *options);

// Saturates at UINT64_MAX / 2; a multiple of BTK_RESULT_ALIGNMENT otherwise.
uint64_t btk_result_bound(const struct btk_result_shape *shape, uint64_t text_bytes,
                          uint64_t document_count);
