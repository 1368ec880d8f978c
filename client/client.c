// SPDX-License-Identifier: Apache-2.0
#include <budtiktok/client.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client/client_internal.h"
#include "common/clock.h"

enum { DEFAULT_TIMEOUT_MS = 5000, NS_PER_MS = 1000000 };

#define DEFAULT_SLAB_BYTES (UINT64_C(16) << 20)

// --- Connection

static int connect_now(struct btk_client *client, struct btk_error *error)
{
    const int rc = btk_client_session_open(client, btk_clock_now_ns() + client->timeout_ns, error);
    if (rc == -ECONNRESET)
        return btk_error_set(error, ENOENT, BTK_NO_OFFSET, "no cluster answers at %s (it hung up)",
                             client->endpoint.text);
    return rc;
}

static struct btk_client *new_client(const struct btk_client_options *options)
{
    struct btk_client *client = calloc(1, sizeof *client);
    if (client == NULL) return NULL;
    btk_connection_init(&client->connection);
    client->reply_fd = -1;
    client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    client->options = calloc(BTK_CLIENT_OPTIONS_MAX, sizeof *client->options);
    if (client->epoll_fd < 0 || client->options == NULL) {
        btk_client_close(&client);
        return NULL;
    }
    const uint32_t timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    client->timeout_ns = (uint64_t)timeout_ms * NS_PER_MS;
    client->slab_bytes = options->slab_bytes > 0 ? options->slab_bytes : DEFAULT_SLAB_BYTES;
    snprintf(client->name, sizeof client->name, "%s",
             options->name != NULL ? options->name : program_invocation_short_name);
    client->hello = (struct btk_connection_options){
        .name = client->name,
        .slab_bytes = client->slab_bytes,
        .results_bytes = options->results_bytes,
    };
    return client;
}

int btk_client_connect(const struct btk_client_options *options, struct btk_client **out_client,
                       struct btk_error_info *error)
{
    const struct btk_client_options defaults = {0};
    if (options == NULL) options = &defaults;
    struct btk_error why = {0};
    struct btk_endpoint endpoint;
    int rc = btk_endpoint_parse(options->endpoint, &endpoint, &why);
    if (rc != 0) return btk_client_export_error(error, &why);
    struct btk_client *client = new_client(options);
    if (client == NULL) return btk_client_fail(error, ENOMEM, "connect: out of memory");
    client->endpoint = endpoint;
    rc = connect_now(client, &why);
    if (rc != 0) {
        btk_client_close(&client);
        return btk_client_export_error(error, &why);
    }
    *out_client = client;
    return 0;
}

static void free_batch(struct btk_batch *batch)
{
    free(batch->shards);
    free(batch);
}

void btk_client_close(struct btk_client **client_at)
{
    if (client_at == NULL || *client_at == NULL) return;
    struct btk_client *client = *client_at;
    if (client->is_connected) {
        const struct btk_control_message goodbye = {.kind = BTK_CONTROL_GOODBYE};
        // When it cannot be said, the closed channel says it.
        if (btk_connection_send(&client->connection, &goodbye, NULL, 0) != 0) errno = 0;
    }
    btk_connection_close(&client->connection);
    btk_client_slab_clear(client);
    btk_result_memories_clear(&client->memories);
    while (client->batches != NULL) {
        struct btk_batch *batch = client->batches;
        client->batches = batch->next_of_all;
        free_batch(batch);
    }
    if (client->epoll_fd >= 0) close(client->epoll_fd);
    if (client->reply_fd >= 0) close(client->reply_fd);
    free(client->releases);
    free(client->options);
    free(client);
    *client_at = NULL;
}

uint32_t btk_client_worker_count(const struct btk_client *client)
{
    const struct btk_server_page *page = client->connection.server_page.address;
    return page == NULL ? 0 : btk_server_page_workers(page);
}

uint64_t btk_client_page_bytes(const struct btk_client *client)
{
    return client->slabs == NULL ? 0 : client->slabs->memory.page_bytes;
}

int btk_client_fd(const struct btk_client *client)
{
    return client->epoll_fd;
}

// Runs once more after a lost connection came back.
static int recover_after(struct btk_client *client, int rc, struct btk_error *error)
{
    return rc == -ECONNRESET ? btk_client_session_recover(client, error) : rc;
}

// --- Status

static int ask_status(struct btk_client *client, struct btk_error *error)
{
    const struct btk_control_message request = {
        .kind = BTK_CONTROL_STATUS_REQUEST,
        .status_request = {.request = ++client->next_request},
    };
    client->has_reply = false;
    int rc = btk_connection_send(&client->connection, &request, NULL, 0);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "status: %s", strerror(-rc));
    rc = btk_client_session_await(client, btk_clock_now_ns() + client->timeout_ns, error);
    if (rc == 0 && client->reply.kind != BTK_CONTROL_STATUS)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "status: unexpected answer %s",
                             btk_control_name(client->reply.kind));
    return rc;
}

int btk_client_status(struct btk_client *client, char *out_json, size_t capacity_bytes,
                      size_t *out_bytes, struct btk_error_info *error)
{
    struct btk_error why = {0};
    int rc = ask_status(client, &why);
    if (rc == -ECONNRESET) {
        rc = btk_client_session_recover(client, &why);
        if (rc == 0) rc = ask_status(client, &why);
    }
    if (rc != 0) return btk_client_export_error(error, &why);
    const struct btk_bytes json = client->reply.status.json;
    *out_bytes = json.length;
    if (json.length >= capacity_bytes)
        return btk_client_fail(error, ENOBUFS, "status: %zu bytes of room, %zu are needed",
                               capacity_bytes, json.length + 1);
    memcpy(out_json, json.data, json.length);
    out_json[json.length] = 0;
    return 0;
}

// --- Wait

static int process_once(struct btk_client *client, struct btk_error *error)
{
    const uint32_t finished_count = client->finished_count;
    if (!client->is_connected) return btk_client_session_recover(client, error);
    // Completions first: what had been finished is worth having even from a coordinator that died.
    int rc = btk_client_flight_process(client, error);
    if (rc == 0) rc = btk_client_session_drain(client, error);
    // What came between the two looks; a coordinator that drains finishes everything and goes.
    if (rc == -ECONNRESET) rc = btk_client_flight_process(client, error) == 0 ? rc : -EPROTO;
    const bool is_news = client->finished_count > finished_count;
    if (rc == -ECONNRESET && client->flight_count == 0 && is_news) return 0;
    if (rc == -EPROTO) rc = -ECONNRESET;
    return recover_after(client, rc, error);
}

int btk_client_process(struct btk_client *client, struct btk_error_info *error)
{
    struct btk_error why = {0};
    const int rc = process_once(client, &why);
    if (rc != 0) return btk_client_export_error(error, &why);
    return (int)client->finished_count;
}

struct btk_batch *btk_client_next_finished(struct btk_client *client)
{
    struct btk_batch *batch = client->finished_first;
    if (batch == NULL) return NULL;
    client->finished_first = batch->next;
    if (client->finished_first == NULL) client->finished_last = NULL;
    client->finished_count--;
    batch->next = NULL;
    batch->is_reported = true;
    return batch;
}

static void unlink_finished(struct btk_client *client, struct btk_batch *batch)
{
    struct btk_batch *before = NULL;
    struct btk_batch *at = client->finished_first;
    while (at != NULL && at != batch) {
        before = at;
        at = at->next;
    }
    if (at == NULL) return;
    if (before == NULL)
        client->finished_first = at->next;
    else
        before->next = at->next;
    if (client->finished_last == at) client->finished_last = before;
    client->finished_count--;
    at->next = NULL;
}

static int tell_failure(const struct btk_batch *batch, struct btk_error_info *error)
{
    switch (batch->status) {
    case BTK_STATUS_CANCELED: return btk_client_fail(error, ECANCELED, "the batch was canceled");
    case BTK_STATUS_DEADLINE: return btk_client_fail(error, ETIMEDOUT, "its deadline passed");
    case BTK_STATUS_OVERLOADED:
        return btk_client_fail(error, EBUSY, "the cluster is overloaded; try again in %u ms",
                               batch->retry_after_ms);
    case BTK_STATUS_UNKNOWN_TOKENIZER:
        return btk_client_fail(error, ENOENT, "the cluster does not know these options");
    case BTK_STATUS_TOO_LARGE:
        return btk_client_fail(error, EMSGSIZE, "its result could outgrow the cluster's bound");
    default: return btk_client_fail(error, EIO, "the batch failed with status %u", batch->status);
    }
}

int btk_client_wait(struct btk_client *client, struct btk_batch *batch, int timeout_ms,
                    struct btk_error_info *error)
{
    const uint64_t deadline_ns =
        timeout_ms < 0 ? UINT64_MAX : btk_clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    struct btk_error why = {0};
    if (batch->state == BTK_BATCH_RESERVED)
        return btk_client_fail(error, EINVAL, "the batch was not submitted");
    while (batch->state == BTK_BATCH_SUBMITTED) {
        const int rc = process_once(client, &why);
        if (batch->state != BTK_BATCH_SUBMITTED) break;
        if (rc != 0) return btk_client_export_error(error, &why);
        if (!btk_connection_poll(&client->connection, deadline_ns))
            return btk_client_fail(error, ETIMEDOUT, "the batch is not done after %d ms",
                                   timeout_ms);
    }
    unlink_finished(client, batch);
    batch->is_reported = true;
    return batch->state == BTK_BATCH_DONE ? 0 : tell_failure(batch, error);
}

int btk_client_cancel(struct btk_client *client, struct btk_batch *batch)
{
    if (batch->state != BTK_BATCH_SUBMITTED) return -EINVAL;
    if (batch->is_canceled) return 0;
    const int rc = btk_client_flight_send_cancel(client, batch->batch_id);
    if (rc == 0) batch->is_canceled = true;
    return rc == -ECONNRESET ? 0 : rc;
}

int btk_client_set_traceparent(struct btk_client *client, const char *traceparent)
{
    struct btk_trace_parent parent = {0};
    const int rc = traceparent == NULL ? 0 : btk_trace_parent_parse(traceparent, &parent);
    client->trace = parent;
    return rc;
}

void btk_client_release(struct btk_client *client, struct btk_batch **batch_at)
{
    if (batch_at == NULL || *batch_at == NULL) return;
    struct btk_batch *batch = *batch_at;
    *batch_at = NULL;
    if (batch->state == BTK_BATCH_SUBMITTED) {
        batch->is_released = true;
        // A full ring: the batch runs to its end then, and is released there.
        if (btk_client_cancel(client, batch) != 0) batch->is_canceled = false;
        return;
    }
    unlink_finished(client, batch);
    if (batch->state == BTK_BATCH_DONE) btk_client_flight_send_release(client, batch);
    btk_client_batch_recycle(client, batch);
}
