// SPDX-License-Identifier: Apache-2.0
// Decodes the documents of a shard: each is uint32_t ids in the slab, copied before they are looked
// at. Where the largest possible text fits at the tail of the block it is written there, else into
// private room, as the encoder does it.
#include <errno.h>
#include <string.h>

#include "worker/shard.h"

// Decodes private ids to the tail, which has `room_bytes`.
static int decode_at_tail(const struct btk_shard *shard, size_t id_count, uint8_t *tail,
                          uint64_t room_bytes, size_t *out_bytes)
{
    struct btk_workspace *workspace = shard->workspace;
    const bool skip = (shard->options->flags & BTK_OPTIONS_SKIP_SPECIAL_TOKENS) != 0;
    const size_t bound = btk_decode_bound(shard->tokenizer, id_count);
    char *text = (char *)tail;
    if (bound > room_bytes) {
        const int rc = btk_private_memory_reserve(&workspace->columns, bound);
        if (rc != 0) return rc;
        text = workspace->columns.address;
    }
    const int rc = btk_decode(shard->tokenizer, workspace->text.address, id_count, skip, text,
                              bound, out_bytes, NULL);
    if (rc != 0 || text == (char *)tail) return rc;
    if (*out_bytes > room_bytes) return -ENOBUFS;
    memcpy(tail, text, *out_bytes);
    return 0;
}

static int decode_document(const struct btk_shard *shard, struct btk_bytes ids,
                           struct btk_result_block *block, size_t *out_bytes)
{
    uint64_t room_bytes = 0;
    uint8_t *tail = btk_result_block_text(block, &room_bytes);
    if (ids.length % sizeof(uint32_t) != 0) return -EINVAL;
    const int rc = btk_private_memory_reserve(&shard->workspace->text, ids.length);
    if (rc != 0) return rc;
    btk_shard_copy(shard, shard->workspace->text.address, ids);
    return decode_at_tail(shard, ids.length / sizeof(uint32_t), tail, room_bytes, out_bytes);
}

static enum btk_status status_of(int rc)
{
    switch (rc) {
    case -EINVAL:
    case -ERANGE:
    case -ETIME: return BTK_STATUS_MALFORMED; // ids that its decoders cannot decode, too
    case -E2BIG: return BTK_STATUS_TOO_LARGE;
    default: return BTK_STATUS_OUT_OF_MEMORY;
    }
}

static void end_document(struct btk_result_block *block, int rc, size_t text_bytes)
{
    if (rc == 0)
        btk_result_block_end(block, text_bytes);
    else if (rc == -ENOBUFS)
        block->is_full = true;
    else
        btk_result_block_fail(block, status_of(rc), 0, NULL);
}

void btk_shard_decode(const struct btk_shard *shard, struct btk_result_block *block)
{
    for (uint32_t i = 0; i < shard->document_count && !block->is_full; i++) {
        size_t bytes = 0;
        const int rc = decode_document(shard, btk_shard_document(shard, i), block, &bytes);
        end_document(block, rc, bytes);
        btk_worker_page_add(&shard->page->progress, 1);
    }
}
