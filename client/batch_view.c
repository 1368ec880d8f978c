// SPDX-License-Identifier: Apache-2.0
// Reading results in place. What a block's document table says is read once and held against the
// header that was checked on arrival, so that a view never leaves its column.
#include <errno.h>
#include <string.h>

#include "client/client_internal.h"

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

static struct btk_result_document read_document(const struct btk_client_shard *shard, uint32_t at)
{
    struct btk_result_document document;
    const uint8_t *table = shard->block + shard->header.documents_offset;
    memcpy(&document, table + (size_t)at * sizeof document, sizeof document);
    return document;
}

static const void *column(const struct btk_client_shard *shard, uint64_t offset, uint64_t item)
{
    return offset == 0 ? NULL : shard->block + offset + item;
}

static uint32_t read_end(const uint32_t *ends, uint64_t index)
{
    uint32_t end;
    memcpy(&end, ends + index, sizeof end);
    return end;
}

static void view_tokens(const struct btk_client_shard *shard, uint64_t begin, uint64_t end,
                        struct btk_document_view *view)
{
    const struct btk_result_header *header = &shard->header;
    view->token_count = (size_t)(end - begin);
    view->ids = column(shard, header->ids_offset, 4 * begin);
    view->offsets = column(shard, header->offsets_offset, 8 * begin);
    view->type_ids = column(shard, header->type_ids_offset, 4 * begin);
    view->word_ids = column(shard, header->word_ids_offset, 4 * begin);
    view->sequence_ids = column(shard, header->sequence_ids_offset, 4 * begin);
    view->special_tokens_mask = column(shard, header->special_mask_offset, begin);
    view->attention_mask = column(shard, header->attention_mask_offset, begin);
    if (header->token_ends_offset == 0 || header->token_text_offset == 0) return;
    const uint32_t *ends = column(shard, header->token_ends_offset, 0);
    view->token_ends = ends + begin;
    view->token_text = column(shard, header->token_text_offset, 0);
    view->token_text_begin = begin == 0 ? 0 : read_end(ends, begin - 1);
    view->token_text_end = (uint32_t)header->token_text_bytes;
}

// Where a document stands in its block.
struct place {
    struct btk_result_document document;
    struct btk_result_document before; // the one in front of it, or nothing
};

static int find_place(const struct btk_client_shard *shard, uint32_t at, struct place *out_place)
{
    const struct btk_result_header *header = &shard->header;
    struct place place = {.document = read_document(shard, at)};
    if (at > 0) place.before = read_document(shard, at - 1);
    const struct btk_result_document *document = &place.document;
    const struct btk_result_document *before = &place.before;
    if (document->token_end > header->token_count || before->token_end > document->token_end
        || document->text_end > header->text_bytes || before->text_end > document->text_end
        || document->encoding_end > header->encoding_count
        || before->encoding_end > document->encoding_end)
        return -EPROTO;
    *out_place = place;
    return 0;
}

static uint64_t read_encoding_end(const struct btk_client_shard *shard, uint64_t index)
{
    uint64_t end;
    memcpy(&end, shard->block + shard->header.encodings_offset + index * sizeof end, sizeof end);
    return end;
}

static size_t count_encodings(const struct btk_client_shard *shard, const struct place *place)
{
    if (shard->header.encodings_offset == 0) return 1;
    return place->document.encoding_end - place->before.encoding_end;
}

static int view_encoding(const struct btk_client_shard *shard, const struct place *place,
                         size_t index, struct btk_document_view *view)
{
    uint64_t begin = place->before.token_end;
    uint64_t end = place->document.token_end;
    view->encoding_count = count_encodings(shard, place);
    if (index >= view->encoding_count) return -EINVAL;
    if (shard->header.encodings_offset != 0) {
        const uint64_t first = place->before.encoding_end;
        if (index > 0) begin = read_encoding_end(shard, first + index - 1);
        end = read_encoding_end(shard, first + index);
    }
    if (begin < place->before.token_end || begin > end || end > place->document.token_end)
        return -EPROTO;
    view_tokens(shard, begin, end, view);
    return 0;
}

static void view_failure(const struct btk_client_shard *shard, const struct place *place,
                         struct btk_document_view *view)
{
    view->error_offset = place->document.detail;
    view->message_bytes = (size_t)(place->document.text_end - place->before.text_end);
    if (view->message_bytes > 0)
        view->message = column(shard, shard->header.text_offset, place->before.text_end);
}

static int view_block(const struct btk_client_shard *shard, uint32_t at, size_t encoding,
                      struct btk_document_view *view)
{
    struct place place;
    const int rc = find_place(shard, at, &place);
    if (rc != 0) return rc;
    view->status = place.document.status;
    if (view->status != BTK_STATUS_OK) {
        view_failure(shard, &place, view);
    } else if (shard->header.op == BTK_OPERATION_ENCODE) {
        return view_encoding(shard, &place, encoding, view);
    } else {
        view->text = column(shard, shard->header.text_offset, place.before.text_end);
        view->text_bytes = (size_t)(place.document.text_end - place.before.text_end);
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
