// SPDX-License-Identifier: Apache-2.0
// Reading results in place. What a block's document table says is read once and held against the
// header that was checked on arrival, so that a view never leaves its column.
#include <errno.h>
#include <string.h>

#include "client/client_internal.h"
#include "ipc/result_reader.h"

enum btk_batch_state btk_batch_state(const struct btk_batch *batch)
{
    return batch->state;
}

uint32_t btk_batch_status(const struct btk_batch *batch)
{
    return batch->status;
}

uint32_t btk_batch_retry_after_ms(const struct btk_batch *batch)
{
    return batch->retry_after_ms;
}

uint32_t btk_batch_document_count(const struct btk_batch *batch)
{
    return batch->document_count;
}

uint64_t btk_batch_token_count(const struct btk_batch *batch)
{
    return batch->token_count;
}

void btk_batch_set_user_data(struct btk_batch *batch, void *user_data)
{
    batch->user_data = user_data;
}

void *btk_batch_user_data(const struct btk_batch *batch)
{
    return batch->user_data;
}

// The shard of a document: the one of the last question, the one after it, or by bisection.
static const struct btk_client_shard *find_shard(struct btk_batch *batch, uint32_t index)
{
    uint32_t low = 0;
    uint32_t high = batch->shard_count;
    uint32_t middle = batch->shard_cursor;
    while (low < high) {
        const struct btk_client_shard *shard = batch->shards + middle;
        if (index < shard->first_document)
            high = middle;
        else if (index - shard->first_document >= shard->document_count)
            low = middle + 1;
        else {
            batch->shard_cursor = middle;
            return shard;
        }
        middle = low == batch->shard_cursor + 1 && low < high ? low : low + (high - low) / 2;
    }
    return NULL;
}

static void set_columns(struct btk_document_view *view, const struct btk_encoding_view *encoding)
{
    view->token_count = encoding->token_count;
    view->ids = encoding->ids;
    view->offsets = encoding->offsets;
    view->type_ids = encoding->type_ids;
    view->word_ids = encoding->word_ids;
    view->sequence_ids = encoding->sequence_ids;
    view->special_tokens_mask = encoding->special_tokens_mask;
    view->attention_mask = encoding->attention_mask;
    view->token_ends = encoding->token_ends;
    view->token_text = (const uint8_t *)encoding->token_text;
    view->token_text_begin = encoding->token_text_begin;
    view->token_text_end = encoding->token_text_end;
}

static int view_block(const struct btk_client_shard *shard, uint32_t at, size_t encoding,
                      struct btk_document_view *view)
{
    const struct btk_result_reader reader = {shard->block, &shard->header};
    struct btk_result_place place;
    struct btk_encoding_view columns;
    int rc = btk_result_reader_find(&reader, at, &place);
    if (rc != 0) return rc;
    view->status = place.document.status;
    if (view->status == BTK_STATUS_OK && shard->header.op == BTK_OPERATION_ENCODE) {
        rc = btk_result_reader_encoding(&reader, &place, encoding, &columns);
        if (rc != 0) return rc;
        view->encoding_count = btk_result_reader_encoding_count(&reader, &place);
        set_columns(view, &columns);
        return 0;
    }
    const struct btk_bytes text = btk_result_reader_text(&reader, &place);
    if (view->status == BTK_STATUS_OK) {
        view->text = text.data;
        view->text_bytes = text.length;
    } else {
        view->error_offset = place.document.detail;
        view->message = text.length > 0 ? (const char *)text.data : NULL;
        view->message_bytes = text.length;
    }
    return encoding == 0 ? 0 : -EINVAL;
}

int btk_batch_encoding(struct btk_batch *batch, size_t index, size_t encoding,
                       struct btk_document_view *out_view)
{
    if (batch->state != BTK_BATCH_DONE || index >= batch->document_count) return -EINVAL;
    const struct btk_client_shard *shard = find_shard(batch, (uint32_t)index);
    if (shard == NULL) return -EPROTO;
    struct btk_document_view view = {0};
    if (shard->memory == NULL) {
        view.status = shard->status;
        view.error_offset = shard->detail;
    } else {
        const int rc = view_block(shard, (uint32_t)index - shard->first_document, encoding, &view);
        if (rc != 0) return rc;
    }
    *out_view = view;
    return 0;
}

int btk_batch_document(struct btk_batch *batch, size_t index, struct btk_document_view *out_view)
{
    return btk_batch_encoding(batch, index, 0, out_view);
}

static uint32_t read_end(const uint32_t *ends, size_t index)
{
    uint32_t end;
    memcpy(&end, ends + index, sizeof end);
    return end;
}

const char *btk_document_token(const struct btk_document_view *view, size_t token_index,
                               size_t *out_bytes)
{
    if (view->token_ends == NULL || token_index >= view->token_count) return NULL;
    const uint32_t begin =
        token_index == 0 ? view->token_text_begin : read_end(view->token_ends, token_index - 1);
    const uint32_t end = read_end(view->token_ends, token_index);
    if (begin > end || end > view->token_text_end) return NULL;
    *out_bytes = end - begin;
    return (const char *)view->token_text + begin;
}

// --- Timing

static uint64_t subtract(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

int btk_batch_shard_timing(const struct btk_batch *batch, uint32_t shard_index,
                           struct btk_batch_timing *out_timing)
{
    if (batch->state != BTK_BATCH_DONE || shard_index >= batch->shard_count) return -EINVAL;
    const struct btk_client_shard *shard = batch->shards + shard_index;
    const struct btk_result_header *header = &shard->header;
    const uint64_t ready_ns = btk_max_size(header->dispatched_ns, header->previous_finish_ns);
    *out_timing = (struct btk_batch_timing){
        .queue_wait_ns = subtract(ready_ns, header->submitted_ns),
        .ipc_transfer_ns = subtract(header->started_ns, ready_ns),
        .tokenization_ns = subtract(header->finished_ns, header->started_ns),
        .return_ns = subtract(shard->returned_ns, header->finished_ns),
        .worker_id = shard->worker_id,
        .shard_count = batch->shard_count,
    };
    return 0;
}

int btk_batch_timing(const struct btk_batch *batch, struct btk_batch_timing *out_timing)
{
    return btk_batch_shard_timing(batch, batch->shard_last, out_timing);
}
