// SPDX-License-Identifier: Apache-2.0
// One shard in work: documents of a slab that its client may overwrite at any moment, what to do
// with them, and the private room to do it in.
//
//     ends[]  copied once and checked when the shard is opened: they never lead out of the shard
//     text    read by btk_encode alone, which copies and validates it in windows, or copied here
//
// Ownership: a shard borrows everything; a workspace owns its memory. Threads: one.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/buffer.h"
#include "ipc/batch.h"
#include "ipc/control.h"
#include "ipc/worker_page.h"
#include "worker/image_table.h"
#include "worker/private_memory.h"
#include "worker/result_block.h"

enum {
    BTK_SHARD_WINDOW_BYTES = 64 * 1024,  // of hostile memory copied between two signs of life
    BTK_ENCODINGS_KEEP_BYTES = 16 << 20, // all columns of a common shard, twice
};

struct btk_workspace {
    struct btk_private_memory ends;
    struct btk_private_memory text;    // a private copy of one document
    struct btk_private_memory columns; // of a document that might not fit at the tail of the block
    struct btk_private_memory sources;
    struct btk_private_memory block; // of a shard with a memfd of its own
    struct btk_result_buffers buffers;
    struct btk_encodings *encodings; // NULL until a group is encoded
    struct btk_buffer inputs;        // struct btk_encode_input of a group
};

struct btk_shard {
    const struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    const struct btk_batch_options *options;
    struct btk_workspace *workspace;
    struct btk_worker_page *page;
    const uint8_t *text;  // of the batch, hostile; ends and begin are relative to it
    const uint64_t *ends; // with BTK_GROUP_END
    uint64_t begin;       // of the first document
    uint32_t document_count;
    bool has_shapes; // every document has a head
};

// Copies the ends of the assignment's documents from a slab that it was checked against, and checks
// that they go up and stay inside the shard. Sets begin, ends, document_count and text. -EPROTO with
// a message; -ENOMEM.
BTK_MUST_USE int btk_shard_open(struct btk_shard *shard, const struct btk_assignment *assignment,
                                const uint8_t *slab, struct btk_error *error);

static inline struct btk_bytes btk_shard_document(const struct btk_shard *shard, uint32_t index)
{
    const uint64_t begin = index == 0 ? shard->begin : btk_document_end(shard->ends[index - 1]);
    return (struct btk_bytes){shard->text + begin, btk_document_end(shard->ends[index]) - begin};
}

// Tokens (encode) or bytes of text (decode) that all documents together may have.
uint64_t btk_shard_bound(const struct btk_shard *shard);

// Copies hostile memory, with a sign of life for each window.
void btk_shard_copy(const struct btk_shard *shard, void *destination, struct btk_bytes source);

// Whether each document is one text that becomes one encoding, whatever stands beside it. The others
// are encoded in groups.
bool btk_shard_is_plain(const struct btk_shard *shard);

// Each document in its order to the block: its result, or its own status.
void btk_shard_encode(const struct btk_shard *shard, struct btk_result_block *block);
void btk_shard_encode_groups(const struct btk_shard *shard, struct btk_result_block *block);
void btk_shard_decode(const struct btk_shard *shard, struct btk_result_block *block);

// Ends a document that the engine refused.
void btk_shard_fail_document(struct btk_result_block *block, int rc,
                             const struct btk_error_info *error);

// Long work on the shard shows from here on that it goes on.
void btk_shard_report_progress(const struct btk_shard *shard);

// How the engine is to encode.
struct btk_encode_options btk_shard_encode_options(const struct btk_shard *shard);

// Gives back what is larger than a common shard needs; clear gives back everything.
void btk_workspace_trim(struct btk_workspace *workspace);
void btk_workspace_clear(struct btk_workspace *workspace);
