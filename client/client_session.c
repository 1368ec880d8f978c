// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "client/client_internal.h"
#include "common/clock.h"

enum { RETRY_NS = 50 * 1000 * 1000 };

int btk_client_fail(struct btk_error_info *out, int code, const char *format, ...)
{
    if (out == NULL) return -code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->message, sizeof out->message, format, arguments);
    va_end(arguments);
    out->code = code;
    out->offset = BTK_NO_OFFSET;
    return -code;
}

int btk_client_export_error(struct btk_error_info *out, const struct btk_error *error)
{
    _Static_assert(sizeof *out == sizeof *error, "the public error is ours");
    if (out != NULL) memcpy(out, error, sizeof *out);
    return -error->code;
}

// --- Messages

static int take_results(struct btk_client *client, struct btk_connection_message *message,
                        struct btk_error *error)
{
    if (message->fd_count != 1)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "results without a descriptor");
    const int rc = btk_result_memories_attach(
        &client->memories, message->control.client_results.results_id, &message->fds[0]);
    if (rc != 0)
        return btk_error_set(error, -rc, BTK_NO_OFFSET, "results memory: %s", strerror(-rc));
    return 0;
}

static void take_reply(struct btk_client *client, struct btk_connection_message *message)
{
    client->reply = message->control;
    client->has_reply = true;
    if (client->reply_fd >= 0) close(client->reply_fd);
    client->reply_fd = -1;
    if (message->fd_count == 0) return;
    client->reply_fd = message->fds[0];
    message->fds[0] = -1;
}

static int handle_message(struct btk_client *client, struct btk_connection_message *message,
                          struct btk_error *error)
{
    switch (message->control.kind) {
    case BTK_CONTROL_CLIENT_RESULTS: return take_results(client, message, error);
    case BTK_CONTROL_RESULTS_GONE:
        btk_result_memories_forget(&client->memories, message->control.results_gone.results_id);
        return 0;
    case BTK_CONTROL_SLAB:
    case BTK_CONTROL_OPTIONS_REGISTERED:
    case BTK_CONTROL_STATUS:
    case BTK_CONTROL_REFUSED: take_reply(client, message); return 0;
    case BTK_CONTROL_GOODBYE: return 0;
    default:
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "unexpected message %s",
                             btk_control_name(message->control.kind));
    }
}

// `stop_at_reply`: what a reply borrows from the frame would not survive the next message.
static int drain_messages(struct btk_client *client, bool stop_at_reply, struct btk_error *error)
{
    struct btk_connection_message message = {0};
    for (;;) {
        int rc = btk_connection_receive(&client->connection, &message, error);
        if (rc == -EAGAIN) return 0;
        if (rc == -ECONNRESET)
            return btk_error_set(error, ECONNRESET, BTK_NO_OFFSET, "the cluster hung up");
        if (rc != 0) return rc;
        rc = handle_message(client, &message, error);
        btk_connection_close_message(&message);
        if (rc != 0 || (stop_at_reply && client->has_reply)) return rc;
    }
}

int btk_client_session_drain(struct btk_client *client, struct btk_error *error)
{
    return drain_messages(client, false, error);
}

int btk_client_session_await(struct btk_client *client, uint64_t deadline_ns,
                             struct btk_error *error)
{
    for (;;) {
        const int rc = drain_messages(client, true, error);
        if (rc != 0) return rc;
        if (client->has_reply) break;
        if (!btk_connection_poll_channel(&client->connection, deadline_ns))
            return btk_error_set(error, ETIMEDOUT, BTK_NO_OFFSET, "the cluster does not answer");
    }
    client->has_reply = false;
    if (client->reply.kind != BTK_CONTROL_REFUSED) return 0;
    const uint32_t code = client->reply.refused.code;
    return btk_error_set(error, code > 0 && code < 4096 ? (int)code : EIO, BTK_NO_OFFSET, "%s",
                         client->reply.refused.message);
}

// --- Options

int btk_client_session_define(struct btk_client *client, struct btk_client_options_entry *entry,
                              uint64_t deadline_ns, struct btk_error *error)
{
    struct btk_control_message message = {
        .kind = BTK_CONTROL_REGISTER_OPTIONS,
        .register_options = {.request = ++client->next_request,
                             .options = btk_batch_options_bytes(&entry->options)},
    };
    strcpy(message.register_options.tokenizer, entry->tokenizer);
    client->has_reply = false;
    int rc = btk_connection_send(&client->connection, &message, NULL, 0);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "register: %s", strerror(-rc));
    rc = btk_client_session_await(client, deadline_ns, error);
    if (rc != 0) return rc;
    if (client->reply.kind != BTK_CONTROL_OPTIONS_REGISTERED
        || client->reply.options_registered.request != client->next_request)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "register: unexpected answer %s",
                             btk_control_name(client->reply.kind));
    entry->server_id = client->reply.options_registered.options_id;
    return 0;
}

// --- Life

static int watch(struct btk_client *client, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 ? -errno : 0;
}

int btk_client_session_open(struct btk_client *client, uint64_t deadline_ns,
                            struct btk_error *error)
{
    int rc = btk_connection_open(&client->connection, &client->endpoint, &client->hello,
                                 deadline_ns, error);
    if (rc != 0) return rc;
    rc = watch(client, client->connection.fd);
    if (rc == 0) rc = watch(client, client->connection.bell_in);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "epoll: %s", strerror(-rc));
    client->is_connected = true;
    return btk_client_slab_request(client, client->slab_bytes, error);
}

static void lose_connection(struct btk_client *client)
{
    // Closing takes the descriptors out of the epoll set too.
    btk_connection_close(&client->connection);
    client->is_connected = false;
    client->release_count = 0;
    btk_client_slab_lose_all(client);
    btk_result_memories_forget_all(&client->memories);
}

// A batch whose text stands in a slab of the past moves into one of the present.
int btk_client_session_move_text(struct btk_client *client, struct btk_batch *batch,
                                 struct btk_error *error)
{
    if (!batch->slab->is_lost) return 0;
    struct btk_text_slab *slab = NULL;
    uint64_t offset = 0;
    const uint64_t table_bytes = batch->text_offset - batch->room_offset;
    const uint64_t bytes = table_bytes + batch->text_capacity;
    int rc = btk_client_slab_acquire(client, bytes, &slab, &offset, error);
    if (rc == -EAGAIN) rc = btk_client_slab_request(client, bytes, error);
    if (rc == 0 && slab == NULL) rc = btk_client_slab_acquire(client, bytes, &slab, &offset, error);
    if (rc != 0) return rc;
    memcpy((uint8_t *)slab->memory.address + offset,
           (const uint8_t *)batch->slab->memory.address + batch->room_offset, bytes);
    btk_client_slab_release(client, batch->slab, batch->room_offset);
    batch->slab = slab;
    batch->room_offset = offset;
    batch->text_offset = offset + table_bytes;
    return 0;
}

static int submit_again(struct btk_client *client, struct btk_error *error)
{
    for (uint32_t i = 0; i < BTK_CLIENT_FLIGHT_SLOTS; i++) {
        struct btk_batch *batch = client->flight[i];
        if (batch == NULL) continue;
        btk_client_flight_reset(client, batch);
        int rc = btk_client_session_move_text(client, batch, error);
        if (rc == 0) rc = btk_client_flight_submit(client, batch, btk_clock_now_ns());
        if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "submit: %s", strerror(-rc));
    }
    return 0;
}

static void drop_released(struct btk_client *client)
{
    for (uint32_t i = 0; i < BTK_CLIENT_FLIGHT_SLOTS; i++) {
        struct btk_batch *batch = client->flight[i];
        if (batch == NULL || !batch->is_released) continue;
        client->flight[i] = NULL;
        client->flight_count--;
        btk_client_batch_recycle(client, batch);
    }
}

static int try_recover(struct btk_client *client, uint64_t deadline_ns, struct btk_error *error)
{
    int rc = btk_client_session_open(client, deadline_ns, error);
    for (uint32_t i = 0; i < client->options_count && rc == 0; i++)
        if (client->options[i].is_registered)
            rc = btk_client_session_define(client, client->options + i, deadline_ns, error);
    if (rc == 0) rc = submit_again(client, error);
    return rc;
}

int btk_client_session_recover(struct btk_client *client, struct btk_error *error)
{
    const uint64_t deadline_ns = btk_clock_now_ns() + client->timeout_ns;
    lose_connection(client);
    drop_released(client);
    for (;;) {
        struct btk_error why = {0};
        if (try_recover(client, deadline_ns, &why) == 0) return 0;
        lose_connection(client);
        if (btk_clock_now_ns() + RETRY_NS >= deadline_ns)
            return btk_error_set(error, ECONNRESET, BTK_NO_OFFSET,
                                 "the cluster is gone and did not come back: %s", why.message);
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
}
