// SPDX-License-Identifier: Apache-2.0
// From documents to a batch in flight.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_internal.h"
#include "common/clock.h"
#include "ipc/document.h"

static struct btk_batch *take_batch(struct btk_client *client)
{
    struct btk_batch *batch = client->free_batches;
    if (batch != NULL) {
        client->free_batches = batch->next;
        batch->next = NULL;
        return batch;
    }
    batch = calloc(1, sizeof *batch);
    if (batch == NULL) return NULL;
    batch->client = client;
    batch->next_of_all = client->batches;
    client->batches = batch;
    return batch;
}

static int reserve_room(struct btk_client *client, uint64_t bytes, struct btk_text_slab **out_slab,
                        uint64_t *out_offset, struct btk_error *error)
{
    int rc = btk_client_slab_acquire(client, bytes, out_slab, out_offset, error);
    if (rc != -ECONNRESET) return rc;
    rc = btk_client_session_recover(client, error);
    return rc == 0 ? btk_client_slab_acquire(client, bytes, out_slab, out_offset, error) : rc;
}

int btk_client_reserve(struct btk_client *client, uint64_t text_bytes, uint32_t document_count,
                       struct btk_batch **out_batch, struct btk_error_info *error)
{
    if (document_count == 0 || document_count > BTK_BATCH_DOCUMENTS_MAX)
        return btk_client_fail(error, EINVAL, "%u documents: expected 1 to %d", document_count,
                               BTK_BATCH_DOCUMENTS_MAX);
    if (text_bytes > UINT64_MAX / 2) return btk_client_fail(error, EMSGSIZE, "text: too large");
    const uint64_t table_bytes =
        btk_align_up(document_count * sizeof(uint64_t), BTK_SLAB_ALIGNMENT);
    struct btk_error why = {0};
    struct btk_text_slab *slab = NULL;
    uint64_t offset = 0;
    const int rc = reserve_room(client, table_bytes + text_bytes, &slab, &offset, &why);
    if (rc != 0) return btk_client_export_error(error, &why);
    struct btk_batch *batch = take_batch(client);
    if (batch == NULL) {
        btk_client_slab_release(client, slab, offset);
        return btk_client_fail(error, ENOMEM, "batch: out of memory");
    }
    batch->state = BTK_BATCH_RESERVED;
    batch->slab = slab;
    batch->room_offset = offset;
    batch->text_offset = offset + table_bytes;
    batch->text_capacity = text_bytes;
    batch->document_count = document_count;
    batch->document_capacity = document_count;
    *out_batch = batch;
    return 0;
}

int btk_client_reserve_inputs(struct btk_client *client, const struct btk_encode_input *inputs,
                              uint32_t document_count, struct btk_batch **out_batch,
                              struct btk_error_info *error)
{
    uint64_t text_bytes = 0;
    struct btk_batch *batch = NULL;
    for (uint32_t i = 0; i < document_count; i++) {
        if (inputs[i].text.word_count > UINT32_MAX || inputs[i].pair.word_count > UINT32_MAX)
            return btk_client_fail(error, EMSGSIZE, "document %u has too many words", i);
        text_bytes += btk_min_size(btk_document_bytes(&inputs[i]), UINT64_MAX / 2 - text_bytes);
    }
    const int rc = btk_client_reserve(client, text_bytes, document_count, &batch, error);
    if (rc != 0) return rc;
    uint8_t *text = (uint8_t *)btk_batch_text(batch);
    uint64_t *ends = btk_batch_ends(batch);
    uint64_t at = 0;
    for (uint32_t i = 0; i < document_count; i++) {
        btk_document_write(&inputs[i], text + at);
        at += btk_document_bytes(&inputs[i]);
        ends[i] = at;
    }
    batch->flags = BTK_BATCH_HAS_SHAPES;
    *out_batch = batch;
    return 0;
}

char *btk_batch_text(struct btk_batch *batch)
{
    return (char *)batch->slab->memory.address + batch->text_offset;
}

uint64_t *btk_batch_ends(struct btk_batch *batch)
{
    return (void *)((uint8_t *)batch->slab->memory.address + batch->room_offset);
}

int btk_batch_set_document_count(struct btk_batch *batch, uint32_t document_count)
{
    if (batch->state != BTK_BATCH_RESERVED || document_count == 0
        || document_count > batch->document_capacity)
        return -EINVAL;
    batch->document_count = document_count;
    return 0;
}

static int check_batch(struct btk_client *client, struct btk_batch *batch, uint32_t options_id,
                       struct btk_error_info *error)
{
    if (batch->state != BTK_BATCH_RESERVED)
        return btk_client_fail(error, EINVAL, "the batch was submitted already");
    if (!btk_client_options_are_registered(client, options_id))
        return btk_client_fail(error, EINVAL, "options %u were not registered", options_id);
    if ((batch->flags & BTK_BATCH_HAS_SHAPES) != 0
        && client->options[options_id - 1].options.op != BTK_OPERATION_ENCODE)
        return btk_client_fail(error, EINVAL, "pairs and words are for encoding");
    const uint64_t *ends = btk_batch_ends(batch);
    uint64_t before = 0;
    for (uint32_t i = 0; i < batch->document_count; i++) {
        const uint64_t end = btk_document_end(ends[i]);
        if (end < before || end > batch->text_capacity)
            return btk_client_fail(error, EINVAL, "document %u ends at %llu: expected %llu to %llu",
                                   i, (unsigned long long)end, (unsigned long long)before,
                                   (unsigned long long)batch->text_capacity);
        before = end;
    }
    return 0;
}

int btk_client_submit(struct btk_client *client, struct btk_batch *batch, uint32_t options_id,
                      uint64_t deadline_ns, struct btk_error_info *error)
{
    const uint64_t submitted_ns = btk_clock_now_ns();
    const int checked = check_batch(client, batch, options_id, error);
    if (checked != 0) return checked;
    const size_t limit =
        btk_min_size(client->connection.welcome.batch_limit, BTK_CLIENT_FLIGHT_SLOTS / 2);
    if (client->flight_count >= limit)
        return btk_client_fail(error, EAGAIN, "%u batches are in flight", client->flight_count);
    btk_client_flight_flush_releases(client);
    struct btk_error why = {0};
    int rc = btk_client_session_move_text(client, batch, &why);
    if (rc != 0) return btk_client_export_error(error, &why);
    batch->options_id = options_id;
    batch->deadline_ns = deadline_ns;
    batch->trace = client->trace;
    btk_client_flight_add(client, batch);
    batch->state = BTK_BATCH_SUBMITTED;
    rc = btk_client_flight_submit(client, batch, submitted_ns);
    // A lost connection submits everything in flight again, this one too.
    if (rc == -ECONNRESET)
        rc = btk_client_session_recover(client, &why);
    else if (rc != 0)
        btk_error_set(&why, -rc, BTK_NO_OFFSET, "submit: %s", strerror(-rc));
    if (rc == 0) return 0;
    btk_client_flight_remove(client, batch);
    batch->state = BTK_BATCH_RESERVED;
    return btk_client_export_error(error, &why);
}

int btk_client_submit_documents(struct btk_client *client, const char *const *documents,
                                const size_t *lengths, size_t document_count, uint32_t options_id,
                                uint64_t deadline_ns, struct btk_batch **out_batch,
                                struct btk_error_info *error)
{
    uint64_t text_bytes = 0;
    if (document_count > BTK_BATCH_DOCUMENTS_MAX)
        return btk_client_fail(error, EINVAL, "too many documents");
    for (size_t i = 0; i < document_count; i++) text_bytes += lengths[i];
    struct btk_batch *batch = NULL;
    int rc = btk_client_reserve(client, text_bytes, (uint32_t)document_count, &batch, error);
    if (rc != 0) return rc;
    char *text = btk_batch_text(batch);
    uint64_t *ends = btk_batch_ends(batch);
    uint64_t at = 0;
    for (size_t i = 0; i < document_count; i++) {
        if (lengths[i] > 0) memcpy(text + at, documents[i], lengths[i]);
        at += lengths[i];
        ends[i] = at;
    }
    rc = btk_client_submit(client, batch, options_id, deadline_ns, error);
    if (rc != 0)
        btk_client_release(client, &batch);
    else
        *out_batch = batch;
    return rc;
}
