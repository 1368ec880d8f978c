// SPDX-License-Identifier: Apache-2.0
// Load by HTTP/1.1 (RFC 9112) over connections that are kept: one request at a time on each. Of an
// answer only its status and its length are looked at.
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load_transport.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/json_writer.h"

enum { CONNECTIONS_MAX = 4096, READ_BYTES = 65536, HEAD_BYTES_MAX = 65536 };
static const size_t answer_bytes_max = (size_t)1 << 30;

struct connection {
    int fd;
    bool is_busy;
    uint32_t tag;
    uint64_t begin_ns;
    struct btk_buffer request;
    size_t sent;
    struct btk_buffer answer;
    size_t answer_bytes; // of head and body; 0: not known yet
    unsigned status;
};

struct http_transport {
    char host[256];
    char port[16];
    const char *tokenizer;
    struct connection *connections;
    struct pollfd *descriptors;
    uint32_t count;
};

static int parse_url(struct http_transport *transport, const char *url, struct btk_error *error)
{
    static const char scheme[] = "http://";
    const char *const begin = url + strlen(scheme);
    if (strncmp(url, scheme, strlen(scheme)) != 0)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--http %s: http://ADDR:PORT was expected", url);
    const size_t length = strcspn(begin, "/");
    const char *const colon = memrchr(begin, ':', length);
    const size_t host_length = colon ? (size_t)(colon - begin) : length;
    const size_t port_length = colon ? length - host_length - 1 : 0;
    if (!host_length || host_length >= sizeof transport->host
        || port_length >= sizeof transport->port)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--http %s: http://ADDR:PORT was expected", url);
    snprintf(transport->host, sizeof transport->host, "%.*s", (int)host_length, begin);
    snprintf(transport->port, sizeof transport->port, "%.*s", port_length ? (int)port_length : 2,
             port_length ? colon + 1 : "80");
    return 0;
}

static int connect_one(const struct http_transport *transport, int *out_fd, struct btk_error *error)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int rc = getaddrinfo(transport->host, transport->port, &hints, &found);
    if (rc != 0)
        return btk_error_set(error, EHOSTUNREACH, BTK_NO_OFFSET, "%s: %s", transport->host,
                             gai_strerror(rc));
    int code = ECONNREFUSED;
    int fd = -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) break;
        code = errno;
        if (fd >= 0) close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd < 0)
        return btk_error_set(error, code, BTK_NO_OFFSET, "http://%s:%s: %s", transport->host,
                             transport->port, strerror(code));
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *out_fd = fd;
    return 0;
}

static int write_request(const struct http_transport *transport, struct connection *connection,
                         struct btk_bytes document)
{
    struct btk_buffer body;
    struct btk_json_writer writer;
    btk_buffer_init(&body);
    btk_json_writer_init(&writer, &body);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "inputs");
    btk_json_text(&writer, document);
    if (transport->tokenizer) {
        btk_json_name(&writer, "model");
        btk_json_string(&writer, transport->tokenizer);
    }
    btk_json_end_object(&writer);
    int status = writer.status;
    connection->request.length = 0;
    if (!status)
        status = btk_buffer_printf(&connection->request,
                                   "POST /tokenize HTTP/1.1\r\nHost: %s:%s\r\n"
                                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                                   transport->host, transport->port, body.length);
    if (!status) status = btk_buffer_append(&connection->request, body.data, body.length);
    btk_buffer_clear(&body);
    return status;
}

// As much as the socket takes. 0, or -errno.
static int send_more(struct connection *connection)
{
    while (connection->sent < connection->request.length) {
        const ssize_t bytes =
            send(connection->fd, connection->request.data + connection->sent,
                 connection->request.length - connection->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (bytes < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        connection->sent += (size_t)bytes;
    }
    return 0;
}

static int send_document(void *self, struct btk_bytes document, uint32_t tag,
                         struct btk_error *error)
{
    struct http_transport *const transport = self;
    struct connection *connection = transport->connections;
    while (connection < transport->connections + transport->count && connection->is_busy)
        connection++;
    if (connection == transport->connections + transport->count) return -EAGAIN;
    const uint64_t begin_ns = btk_clock_now_ns();
    // The server may have closed it after its last answer.
    int status = connection->fd < 0 ? connect_one(transport, &connection->fd, error) : 0;
    if (status < 0) return status;
    if (write_request(transport, connection, document) < 0)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    connection->is_busy = true;
    connection->tag = tag;
    connection->begin_ns = begin_ns;
    connection->sent = connection->answer.length = connection->answer_bytes = 0;
    status = send_more(connection);
    return status < 0
               ? btk_error_set(error, -status, BTK_NO_OFFSET, "sending: %s", strerror(-status))
               : 0;
}

// The value of a header in a head that ends with NUL; NULL: it is not there.
static const char *find_header(const char *head, const char *name)
{
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line + 2, name, strlen(name)) == 0 && line[2 + strlen(name)] == ':')
            return line + 2 + strlen(name) + 1;
    return NULL;
}

// Reads status and length once the head is complete. 0, or -EPROTO.
static int read_head(struct connection *connection)
{
    const struct btk_buffer *const answer = &connection->answer;
    const uint8_t *const end = memmem(answer->data, answer->length, "\r\n\r\n", 4);
    if (!end) return answer->length > HEAD_BYTES_MAX ? -EPROTO : 0;
    char head[HEAD_BYTES_MAX];
    const size_t head_bytes = (size_t)(end - answer->data);
    if (head_bytes >= sizeof head) return -EPROTO;
    memcpy(head, answer->data, head_bytes);
    head[head_bytes] = 0;
    const char *const length = find_header(head, "Content-Length");
    if (sscanf(head, "HTTP/1.1 %3u", &connection->status) != 1 || !length) return -EPROTO;
    const unsigned long long body_bytes = strtoull(length, NULL, 10);
    if (body_bytes > answer_bytes_max) return -EPROTO;
    connection->answer_bytes = head_bytes + 4 + (size_t)body_bytes;
    return 0;
}

// 1: the answer is complete; 0: not yet; -errno.
static int receive_more(struct connection *connection)
{
    struct btk_buffer *const answer = &connection->answer;
    for (;;) {
        if (btk_buffer_reserve(answer, READ_BYTES) < 0) return -ENOMEM;
        const ssize_t bytes =
            recv(connection->fd, answer->data + answer->length, READ_BYTES, MSG_DONTWAIT);
        if (bytes < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (bytes == 0) return -ECONNRESET;
        answer->length += (size_t)bytes;
        const int status = connection->answer_bytes ? 0 : read_head(connection);
        if (status < 0) return status;
        if (connection->answer_bytes && answer->length >= connection->answer_bytes) return 1;
    }
}

// Goes on with a connection. Is its request over?
static bool try_finish(struct connection *connection, short events, struct btk_load_reply *reply)
{
    int status = events & POLLOUT ? send_more(connection) : 0;
    if (!status && (events & (POLLIN | POLLHUP | POLLERR))) status = receive_more(connection);
    if (status == 0) return false;
    *reply = (struct btk_load_reply){
        .tag = connection->tag,
        .outcome = BTK_LOAD_FAILED,
        .begin_ns = connection->begin_ns,
        .end_ns = btk_clock_now_ns(),
    };
    if (status > 0 && connection->status == 200) reply->outcome = BTK_LOAD_DONE;
    if (status > 0 && connection->status == 429) reply->outcome = BTK_LOAD_REFUSED;
    if (status < 0) {
        close(connection->fd);
        connection->fd = -1;
    }
    connection->is_busy = false;
    return true;
}

static void fill_descriptors(struct http_transport *transport)
{
    for (uint32_t i = 0; i < transport->count; i++) {
        const struct connection *const connection = &transport->connections[i];
        const bool is_sending = connection->sent < connection->request.length;
        transport->descriptors[i] = (struct pollfd){
            .fd = connection->is_busy ? connection->fd : -1,
            .events = (short)(is_sending ? POLLIN | POLLOUT : POLLIN),
        };
    }
}

static int wait_for_replies(void *self, uint64_t until_ns, struct btk_load_reply *out_replies,
                            size_t capacity, struct btk_error *error)
{
    struct http_transport *const transport = self;
    for (;;) {
        int count = 0;
        fill_descriptors(transport);
        const int status = btk_load_poll(transport->descriptors, transport->count, until_ns);
        if (status < 0) return btk_error_set(error, -status, BTK_NO_OFFSET, "waiting");
        for (uint32_t i = 0; i < transport->count && (size_t)count < capacity; i++)
            if (transport->descriptors[i].revents
                && try_finish(&transport->connections[i], transport->descriptors[i].revents,
                              &out_replies[count]))
                count++;
        if (count || btk_clock_now_ns() >= until_ns) return count;
    }
}

static void close_transport(void *self)
{
    struct http_transport *const transport = self;
    for (uint32_t i = 0; i < transport->count; i++) {
        struct connection *const connection = &transport->connections[i];
        if (connection->fd >= 0) close(connection->fd);
        btk_buffer_clear(&connection->request);
        btk_buffer_clear(&connection->answer);
    }
    free(transport->connections);
    free(transport->descriptors);
    free(transport);
}

static int connect_all(struct http_transport *transport, uint32_t count, struct btk_error *error)
{
    transport->connections = calloc(count, sizeof *transport->connections);
    transport->descriptors = calloc(count, sizeof *transport->descriptors);
    if (!transport->connections || !transport->descriptors)
        return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    for (uint32_t i = 0; i < count; i++) {
        const int status = connect_one(transport, &transport->connections[i].fd, error);
        if (status < 0) return status;
        transport->count++;
    }
    return 0;
}

int btk_load_http_open(const struct btk_load_target *target,
                       struct btk_load_transport *out_transport, struct btk_error *error)
{
    if (target->in_flight > CONNECTIONS_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--concurrency: at most %d by HTTP",
                             CONNECTIONS_MAX);
    struct http_transport *const transport = calloc(1, sizeof *transport);
    if (!transport) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    transport->tokenizer = target->tokenizer;
    int status = parse_url(transport, target->url, error);
    if (!status) status = connect_all(transport, target->in_flight, error);
    if (status < 0) {
        close_transport(transport);
        return status;
    }
    *out_transport = (struct btk_load_transport){transport, false, send_document, wait_for_replies,
                                                 close_transport};
    return 0;
}
