// SPDX-License-Identifier: Apache-2.0
// Load through the client library.
#include <budtiktok/client.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load_transport.h"
#include "common/clock.h"
#include "tools/open_tokenizer.h"

struct cluster_transport {
    struct btk_client *client;
    uint32_t options_id;
    uint64_t *begin_ns; // by tag
};

static int send_document(void *self, struct btk_bytes document, uint32_t tag,
                         struct btk_error *error)
{
    struct cluster_transport *const transport = self;
    const char *const texts[1] = {(const char *)document.data};
    struct btk_batch *batch = NULL;
    struct btk_error_info info;
    transport->begin_ns[tag] = btk_clock_now_ns();
    const int status = btk_client_submit_documents(transport->client, texts, &document.length, 1,
                                                   transport->options_id, 0, &batch, &info);
    if (status == -EAGAIN) return status;
    if (status < 0) return btk_error_import(error, &info);
    btk_batch_set_user_data(batch, &transport->begin_ns[tag]);
    return 0;
}

static void take_timing(const struct btk_batch *batch, struct btk_load_reply *reply)
{
    struct btk_batch_timing timing;
    if (btk_batch_timing(batch, &timing) < 0 || timing.shard_count != 1) return;
    reply->has_parts = true;
    reply->queue_wait_ns = timing.queue_wait_ns;
    reply->ipc_transfer_ns = timing.ipc_transfer_ns;
    reply->tokenization_ns = timing.tokenization_ns;
    reply->return_ns = timing.return_ns;
}

static enum btk_load_outcome outcome_of(struct btk_batch *batch)
{
    struct btk_document_view view;
    if (btk_batch_state(batch) != BTK_BATCH_DONE) {
        const uint32_t status = btk_batch_status(batch);
        return status == BTK_STATUS_OVERLOADED ? BTK_LOAD_REFUSED : BTK_LOAD_FAILED;
    }
    const bool is_read = btk_batch_document(batch, 0, &view) == 0 && view.status == BTK_STATUS_OK;
    return is_read ? BTK_LOAD_DONE : BTK_LOAD_FAILED;
}

static struct btk_load_reply reply_of(struct cluster_transport *transport, struct btk_batch *batch)
{
    const uint64_t *const begin_ns = btk_batch_user_data(batch);
    struct btk_load_reply reply = {
        .tag = (uint32_t)(begin_ns - transport->begin_ns),
        .outcome = outcome_of(batch),
        .begin_ns = *begin_ns,
        .end_ns = btk_clock_now_ns(),
    };
    if (reply.outcome == BTK_LOAD_DONE) {
        reply.tokens = btk_batch_token_count(batch);
        take_timing(batch, &reply);
    }
    return reply;
}

static int take_replies(struct cluster_transport *transport, struct btk_load_reply *out_replies,
                        size_t capacity, struct btk_error *error)
{
    struct btk_error_info info;
    int count = 0;
    if (btk_client_process(transport->client, &info) < 0) return btk_error_import(error, &info);
    while ((size_t)count < capacity) {
        struct btk_batch *batch = btk_client_next_finished(transport->client);
        if (!batch) break;
        out_replies[count++] = reply_of(transport, batch);
        btk_client_release(transport->client, &batch);
    }
    return count;
}

static int wait_for_replies(void *self, uint64_t until_ns, struct btk_load_reply *out_replies,
                            size_t capacity, struct btk_error *error)
{
    struct cluster_transport *const transport = self;
    for (;;) {
        const int count = take_replies(transport, out_replies, capacity, error);
        if (count || btk_clock_now_ns() >= until_ns) return count;
        struct pollfd descriptor = {.fd = btk_client_fd(transport->client), .events = POLLIN};
        const int status = btk_load_poll(&descriptor, 1, until_ns);
        if (status < 0) return btk_error_set(error, -status, BTK_NO_OFFSET, "waiting");
    }
}

static void close_transport(void *self)
{
    struct cluster_transport *const transport = self;
    btk_client_close(&transport->client);
    free(transport->begin_ns);
    free(transport);
}

static int connect_client(struct cluster_transport *transport, const struct btk_load_target *target,
                          struct btk_error *error)
{
    struct btk_error_info info;
    const struct btk_client_options options = {
        .endpoint = target->connect,
        .slab_bytes = 2 * target->document_bytes_max + (64 << 20),
        .name = "budtiktok-load",
    };
    const struct btk_client_request_options request = BTK_CLIENT_REQUEST_DEFAULTS;
    int status = btk_client_connect(&options, &transport->client, &info);
    // Nothing at the endpoint: for a user the same as nobody who answers.
    if (status == -ENOENT) info.code = ECONNREFUSED;
    if (!status)
        status = btk_client_register(transport->client, target->tokenizer, &request,
                                     &transport->options_id, &info);
    return status < 0 ? btk_error_import(error, &info) : 0;
}

int btk_load_cluster_open(const struct btk_load_target *target,
                          struct btk_load_transport *out_transport, struct btk_error *error)
{
    struct cluster_transport *const transport = calloc(1, sizeof *transport);
    if (!transport) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    transport->begin_ns = calloc(target->in_flight, sizeof *transport->begin_ns);
    int status = transport->begin_ns ? connect_client(transport, target, error)
                                     : btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "no memory");
    if (status < 0) {
        close_transport(transport);
        return status;
    }
    *out_transport = (struct btk_load_transport){transport, true, send_document, wait_for_replies,
                                                 close_transport};
    return 0;
}
