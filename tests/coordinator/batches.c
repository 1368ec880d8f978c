// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/batches.h"

#include <string.h>

#include "tests/coordinator/cluster.h"

static const char text[] = "The quick brown fox jumps over the lazy dog; 1234 times, says Zoe. ";

uint32_t batches_register(struct btk_client *client)
{
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    uint32_t options_id = 0;
    CHECK(btk_client_register(client, "bpe", &request, &options_id, NULL) == 0);
    return options_id;
}

struct btk_batch *batches_submit(struct btk_client *client, uint32_t options_id, size_t repeat)
{
    static char pool[1 << 16];
    const char *documents[BATCHES_DOCUMENTS];
    size_t lengths[BATCHES_DOCUMENTS];
    for (size_t i = 0; i < sizeof pool; i++) pool[i] = text[i % (sizeof text - 1)];
    for (size_t i = 0; i < BATCHES_DOCUMENTS; i++) {
        documents[i] = pool;
        lengths[i] = (i % 50 + 1) * repeat;
    }
    struct btk_batch *batch = NULL;
    struct btk_error_info error = {0};
    const int rc = btk_client_submit_documents(client, documents, lengths, BATCHES_DOCUMENTS,
                                               options_id, 0, &batch, &error);
    if (rc != 0) fprintf(stderr, "submit: %s\n", error.message);
    CHECK(rc == 0);
    return batch;
}

void batches_check(struct btk_batch *batch)
{
    struct btk_document_view first;
    struct btk_document_view again;
    CHECK(btk_batch_document_count(batch) == BATCHES_DOCUMENTS);
    for (size_t i = 0; i + 50 < BATCHES_DOCUMENTS; i++) {
        CHECK(btk_batch_document(batch, i, &first) == 0);
        CHECK(btk_batch_document(batch, i + 50, &again) == 0);
        CHECK(first.status == BTK_STATUS_OK && again.status == BTK_STATUS_OK);
        CHECK(first.token_count > 0 && first.token_count == again.token_count);
        CHECK(memcmp(first.ids, again.ids, first.token_count * sizeof *first.ids) == 0);
    }
}

void batches_finish(struct btk_client *client, struct btk_batch **batch)
{
    struct btk_error_info error = {0};
    const int rc = btk_client_wait(client, *batch, BATCHES_WAIT_MS, &error);
    if (rc != 0) fprintf(stderr, "wait: %s\n", error.message);
    CHECK(rc == 0);
    batches_check(*batch);
    btk_client_release(client, batch);
}
