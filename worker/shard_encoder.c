// SPDX-License-Identifier: Apache-2.0
// Encodes the documents of a shard. Where the largest possible result of a document fits at the
// tail of the block, the engine writes it there; else into private columns, from which it is copied
// when it fits after all, which it nearly always does. One that does not makes the block full.
#include <errno.h>
#include <string.h>

#include "common/utf8.h"
#include "worker/shard.h"

static void end_document(struct btk_result_block *block, int rc, size_t token_count,
                         const struct btk_error_info *error)
{
    if (rc == 0)
        btk_result_block_end(block, token_count);
    else if (rc == -ENOBUFS)
        block->is_full = true;
    else
        btk_shard_fail_document(block, rc, error);
}

// --- Private columns

// Columns for `capacity` tokens, of those kinds that the tail has.
static int reserve_columns(struct btk_workspace *workspace, size_t capacity,
                           const struct btk_encoding *tail, struct btk_encoding *out_columns)
{
    enum { ITEM_BYTES = 4 + 8 + 4 + 4 + 1 };
    if (capacity > SIZE_MAX / 2 / ITEM_BYTES) return -ENOMEM;
    const int rc = btk_private_memory_reserve(&workspace->columns, capacity * ITEM_BYTES);
    if (rc != 0) return rc;
    uint32_t *at = workspace->columns.address;
    *out_columns = (struct btk_encoding){
        .capacity = capacity,
        .ids = at,
        .offsets = tail->offsets == NULL ? NULL : at + capacity,
        .type_ids = tail->type_ids == NULL ? NULL : at + 3 * capacity,
        .word_ids = tail->word_ids == NULL ? NULL : at + 4 * capacity,
        .special_tokens_mask =
            tail->special_tokens_mask == NULL ? NULL : (uint8_t *)(at + 5 * capacity),
    };
    return 0;
}

static void copy_column(void *to, const void *from, size_t bytes)
{
    if (to != NULL && bytes > 0) memcpy(to, from, bytes);
}

static int copy_columns(const struct btk_encoding *tail, const struct btk_encoding *columns)
{
    const size_t count = columns->count;
    if (count > tail->capacity) return -ENOBUFS;
    copy_column(tail->ids, columns->ids, 4 * count);
    copy_column(tail->offsets, columns->offsets, 8 * count);
    copy_column(tail->type_ids, columns->type_ids, 4 * count);
    copy_column(tail->word_ids, columns->word_ids, 4 * count);
    copy_column(tail->special_tokens_mask, columns->special_tokens_mask, count);
    return 0;
}

// --- Encoding

// Encodes at the tail; *sources is NULL, or set to where the sources of the tokens stand.
static int encode_at_tail(const struct btk_shard *shard, struct btk_bytes text,
                          struct btk_encoding *tail, uint32_t **sources,
                          struct btk_error_info *error)
{
    struct btk_workspace *workspace = shard->workspace;
    const struct btk_encode_options options = btk_shard_encode_options(shard);
    const size_t bound = btk_encode_bound(shard->tokenizer, text.length, &options);
    struct btk_encoding columns = *tail;
    int rc = bound > tail->capacity ? reserve_columns(workspace, bound, tail, &columns) : 0;
    if (rc == 0 && sources != NULL) {
        rc = btk_private_memory_reserve(&workspace->sources, 2 * sizeof(uint32_t) * bound);
        columns.sources = *sources = workspace->sources.address;
    }
    if (rc != 0) return rc;
    columns.capacity = btk_min_size(columns.capacity, bound); // that of the sources
    rc = btk_encode(shard->tokenizer, shard->scratch, (const char *)text.data, text.length,
                    &options, &columns, error);
    if (rc == 0 && columns.ids != tail->ids) rc = copy_columns(tail, &columns);
    tail->count = columns.count;
    return rc;
}

// --- The text of tokens

static bool replaces(const struct btk_shard *shard)
{
    return (shard->options->flags & BTK_OPTIONS_UTF8_REPLACE) != 0;
}

// The document where its client cannot change it.
static int make_private(const struct btk_shard *shard, struct btk_bytes *text)
{
    struct btk_private_memory *copy = &shard->workspace->text;
    const int rc = btk_private_memory_reserve(copy, text->length);
    if (rc != 0) return rc;
    btk_shard_copy(shard, copy->address, *text);
    *text = (struct btk_bytes){copy->address, text->length};
    return 0;
}

static int append_token_text(const struct btk_shard *shard, const struct btk_encoding *tail,
                             const uint32_t *sources, struct btk_result_block *block)
{
    struct btk_buffer *out = &block->buffers->token_text;
    uint32_t *ends = btk_result_block_token_ends(block);
    for (size_t i = 0; i < tail->count; i++) {
        size_t bytes = 0;
        const char *token = btk_token_text_in(shard->tokenizer, shard->scratch, tail->ids[i],
                                              sources + 2 * i, &bytes);
        const int rc = token == NULL ? 0 : btk_buffer_append(out, token, bytes);
        if (rc != 0) return rc;
        if (out->length > UINT32_MAX) return -E2BIG;
        ends[i] = (uint32_t)out->length;
    }
    return 0;
}

static void encode_with_tokens(const struct btk_shard *shard, struct btk_bytes text,
                               struct btk_result_block *block)
{
    struct btk_encoding tail;
    struct btk_error_info error = {.offset = BTK_NO_OFFSET, .message = "not enough memory"};
    uint32_t *sources = NULL;
    btk_result_block_tail(block, &tail);
    int rc = replaces(shard) ? make_private(shard, &text) : 0;
    if (rc == 0) rc = encode_at_tail(shard, text, &tail, &sources, &error);
    if (rc == 0) rc = append_token_text(shard, &tail, sources, block);
    end_document(block, rc, tail.count, &error);
}

// The engine copies hostile text before it looks at it. One that has to be replaced is copied here,
// in windows that renew the lease: it has room for three times as much.
static void encode_document(const struct btk_shard *shard, struct btk_bytes text,
                            struct btk_result_block *block)
{
    struct btk_encoding tail;
    struct btk_error_info error = {.offset = BTK_NO_OFFSET, .message = "not enough memory"};
    btk_result_block_tail(block, &tail);
    int rc = replaces(shard) ? make_private(shard, &text) : 0;
    if (rc == 0) rc = encode_at_tail(shard, text, &tail, NULL, &error);
    end_document(block, rc, tail.count, &error);
}

void btk_shard_encode(const struct btk_shard *shard, struct btk_result_block *block)
{
    btk_shard_report_progress(shard);
    const bool has_tokens = (shard->options->fields & BTK_FIELD_TOKENS) != 0;
    for (uint32_t i = 0; i < shard->document_count && !block->is_full; i++) {
        const struct btk_bytes document = btk_shard_document(shard, i);
        if (has_tokens)
            encode_with_tokens(shard, document, block);
        else
            encode_document(shard, document, block);
        btk_worker_page_add(&shard->page->progress, 1);
    }
}
