// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum { HELLO_BYTES_MAX = 2048, HELLO_PATIENCE_MS = 2000 };

void btk_connection_init(struct btk_connection *connection)
{
    connection->fd = -1;
    connection->bell_in = -1;
    connection->bell_out = -1;
    connection->client_page = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    connection->server_page = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
}

void btk_connection_close(struct btk_connection *connection)
{
    if (connection->fd >= 0) close(connection->fd);
    if (connection->bell_in >= 0) close(connection->bell_in);
    if (connection->bell_out >= 0) close(connection->bell_out);
    btk_shared_memory_clear(&connection->client_page);
    btk_shared_memory_clear(&connection->server_page);
    btk_connection_init(connection);
}

void btk_connection_close_message(struct btk_connection_message *message)
{
    btk_fd_channel_close_fds(message->fds, message->fd_count);
    message->fd_count = 0;
}

int btk_connection_send(struct btk_connection *connection,
                        const struct btk_control_message *message, const int *fds,
                        unsigned fd_count)
{
    uint8_t frame[2048];
    size_t length = 0;
    if (connection->fd < 0) return -ECONNRESET;
    int rc = btk_control_encode(message, frame, sizeof frame, &length);
    if (rc != 0) return rc;
    rc = btk_fd_channel_send(connection->fd, frame, length, fds, fd_count);
    return rc == -EPIPE || rc == -ENOTCONN ? -ECONNRESET : rc;
}

int btk_connection_receive(struct btk_connection *connection,
                           struct btk_connection_message *out_message, struct btk_error *error)
{
    size_t length = 0;
    if (connection->fd < 0) return -ECONNRESET;
    out_message->fd_count = 0;
    int rc = btk_fd_channel_receive(connection->fd, connection->frame, sizeof connection->frame,
                                    &length, out_message->fds, &out_message->fd_count);
    if (rc == 0 && length == 0) {
        btk_connection_close_message(out_message);
        return -ECONNRESET;
    }
    if (rc != 0) return rc;
    rc = btk_control_decode((struct btk_bytes){connection->frame, length}, &out_message->control,
                            error);
    if (rc != 0) btk_connection_close_message(out_message);
    return rc;
}

static int poll_timeout_ms(uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX) return -1;
    const uint64_t now_ns = btk_clock_now_ns();
    if (deadline_ns <= now_ns) return 0;
    const uint64_t left_ms = (deadline_ns - now_ns + 999999) / 1000000;
    return left_ms > 60000 ? 60000 : (int)left_ms;
}

static bool poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline_ns)
{
    for (;;) {
        if (poll(fds, count, poll_timeout_ms(deadline_ns)) > 0) return true;
        if (deadline_ns != UINT64_MAX && btk_clock_now_ns() >= deadline_ns) return false;
    }
}

bool btk_connection_poll(const struct btk_connection *connection, uint64_t deadline_ns)
{
    struct pollfd fds[2] = {
        {.fd = connection->fd, .events = POLLIN},
        {.fd = connection->bell_in, .events = POLLIN},
    };
    return poll_until(fds, 2, deadline_ns);
}

bool btk_connection_poll_channel(const struct btk_connection *connection, uint64_t deadline_ns)
{
    struct pollfd fd = {.fd = connection->fd, .events = POLLIN};
    return poll_until(&fd, 1, deadline_ns);
}

static int create_client_page(struct btk_connection *connection)
{
    int rc = btk_shared_memory_create("btk-client-page", sizeof(struct btk_client_page),
                                      BTK_SHARED_MEMORY_SMALL_PAGES, &connection->client_page);
    if (rc != 0) return rc;
    struct btk_client_page *page = connection->client_page.address;
    page->magic = BTK_CLIENT_PAGE_MAGIC;
    page->version = BTK_PAGE_VERSION;
    page->pid = (uint32_t)getpid();
    return btk_shared_memory_seal(&connection->client_page);
}

static int send_hello(struct btk_connection *connection,
                      const struct btk_connection_options *options)
{
    struct btk_control_message hello = {
        .kind = BTK_CONTROL_HELLO_CLIENT,
        .hello_client = {.version = BTK_CONTROL_VERSION,
                         .slab_bytes = options->slab_bytes,
                         .results_bytes = options->results_bytes},
    };
    strncpy(hello.hello_client.name, options->name, sizeof hello.hello_client.name - 1);
    uint8_t frame[HELLO_BYTES_MAX];
    size_t length = 0;
    const int rc = btk_control_encode(&hello, frame, sizeof frame, &length);
    if (rc != 0) return rc;
    return btk_fd_channel_send_patiently(connection->fd, frame, length, &connection->client_page.fd,
                                         1, HELLO_PATIENCE_MS);
}

static int attach_server_page(struct btk_connection *connection, int *fd, struct btk_error *error)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = sizeof(struct btk_server_page),
        .bytes_max = sizeof(struct btk_server_page) + 4096,
        .needs_sealed = true,
    };
    const int rc = btk_shared_memory_attach(fd, &limits, &connection->server_page);
    if (rc != 0)
        return btk_error_set(error, -rc, BTK_NO_OFFSET, "the server's page: %s", strerror(-rc));
    const struct btk_server_page *server = connection->server_page.address;
    if (server->magic != BTK_SERVER_PAGE_MAGIC || server->version != BTK_PAGE_VERSION)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                             "the server's page: of another version of BudTikTok");
    struct btk_client_page *client = connection->client_page.address;
    btk_ring_init_producer(&connection->submissions, client->submissions, BTK_SUBMISSION_SLOTS,
                           &client->submission_tail, &server->submission_head);
    btk_ring_init_consumer(&connection->completions, server->completions, BTK_COMPLETION_SLOTS,
                           &server->completion_tail, &client->completion_head);
    return 0;
}

static int take_welcome(struct btk_connection *connection, struct btk_connection_message *message,
                        struct btk_error *error)
{
    const struct btk_control_message *control = &message->control;
    if (control->kind == BTK_CONTROL_REFUSED)
        return btk_error_set(error,
                             control->refused.code > 0 && control->refused.code < 4096
                                 ? (int)control->refused.code
                                 : EACCES,
                             BTK_NO_OFFSET, "the cluster refuses: %s", control->refused.message);
    if (control->kind != BTK_CONTROL_WELCOME_CLIENT || message->fd_count != 3)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "expected a welcome, got %s",
                             btk_control_name(control->kind));
    const int rc = attach_server_page(connection, &message->fds[0], error);
    if (rc != 0) return rc;
    connection->welcome = control->welcome_client;
    connection->bell_out = message->fds[1];
    connection->bell_in = message->fds[2];
    message->fds[1] = -1;
    message->fds[2] = -1;
    return 0;
}

static int await_welcome(struct btk_connection *connection, uint64_t deadline_ns,
                         struct btk_error *error)
{
    struct btk_connection_message message = {0};
    for (;;) {
        if (!btk_connection_poll_channel(connection, deadline_ns))
            return btk_error_set(error, ETIMEDOUT, BTK_NO_OFFSET, "the cluster does not answer");
        int rc = btk_connection_receive(connection, &message, error);
        if (rc == -EAGAIN) continue;
        if (rc == -ECONNRESET)
            return btk_error_set(error, ECONNRESET, BTK_NO_OFFSET, "the cluster hung up");
        if (rc != 0) return rc;
        rc = take_welcome(connection, &message, error);
        btk_connection_close_message(&message);
        return rc;
    }
}

int btk_connection_open(struct btk_connection *connection, const struct btk_endpoint *endpoint,
                        const struct btk_connection_options *options, uint64_t deadline_ns,
                        struct btk_error *error)
{
    int rc = btk_fd_channel_connect(endpoint->fd_path, &connection->fd, error);
    if (rc == -ENOENT || rc == -ECONNREFUSED)
        return btk_error_set(error, ENOENT, BTK_NO_OFFSET, "no cluster answers at %s (%s)",
                             endpoint->text, strerror(-rc));
    if (rc != 0) return rc;
    rc = create_client_page(connection);
    if (rc == 0) rc = send_hello(connection, options);
    if (rc != 0) btk_error_set(error, -rc, BTK_NO_OFFSET, "client page: %s", strerror(-rc));
    if (rc == 0) rc = await_welcome(connection, deadline_ns, error);
    if (rc != 0) btk_connection_close(connection);
    return rc;
}
