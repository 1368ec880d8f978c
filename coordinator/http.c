// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/http_routes.h"

enum {
    BODY_BYTES_MAX = 8 << 20,
    BODY_READ_MAX = 64 << 20, // to be refused politely: who sends more finds the door closed
    CONNECTIONS_MAX = 256,
    CONNECTION_MEMORY_BYTES = 32 * 1024, // of header and line, too
    IDLE_SECONDS = 10,
    BACKLOG = 128,
};

struct btk_http {
    struct btk_coordinator *coordinator;
    struct btk_http_bridge bridge;
    struct MHD_Daemon *daemon;
    int listen_fd; // the daemon's once it runs
    bool is_loopback;
    bool has_bridge;
};

// One request, from its header to its answer.
struct request {
    struct btk_http *http;
    struct MHD_Connection *connection;
    struct btk_buffer body;
    struct btk_http_job *job;
    uint64_t body_bytes; // that came; beyond the limit they are thrown away
    bool was_submitted;
};

// --- Answers

static void add_header(struct MHD_Response *response, const char *name, const char *value,
                       enum MHD_Result *is_fine)
{
    if (*is_fine == MHD_YES) *is_fine = MHD_add_response_header(response, name, value);
}

// What a browser may do with an answer: nothing, but for the page.
static void add_browser_headers(struct MHD_Response *response, const char *policy,
                                enum MHD_Result *is_fine)
{
    add_header(response, "Content-Security-Policy",
               policy != NULL ? policy : "default-src 'none'; frame-ancestors 'none'", is_fine);
    add_header(response, "X-Content-Type-Options", "nosniff", is_fine);
    add_header(response, "Referrer-Policy", "no-referrer", is_fine);
    add_header(response, "Cross-Origin-Resource-Policy", "same-origin", is_fine);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection,
                                   struct btk_http_answer *answer)
{
    char seconds[16];
    // The response takes the body.
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->body.length, answer->body.data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        btk_buffer_clear(&answer->body);
        return MHD_NO;
    }
    snprintf(seconds, sizeof seconds, "%u", answer->retry_after_s);
    enum MHD_Result is_fine = MHD_YES;
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type, &is_fine);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store", &is_fine);
    add_browser_headers(response, answer->policy, &is_fine);
    if (answer->retry_after_s > 0)
        add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds, &is_fine);
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST", &is_fine);
    if (answer->status == MHD_HTTP_UNAUTHORIZED)
        add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer", &is_fine);
    if (is_fine == MHD_YES) is_fine = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return is_fine;
}

static enum MHD_Result send_error(struct MHD_Connection *connection, unsigned status,
                                  const char *type, const char *message)
{
    struct btk_http_answer answer = {0};
    btk_http_routes_error(&answer, status, type, message);
    return send_answer(connection, &answer);
}

// --- Who may ask

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value == NULL ? "" : value;
}

// A page from elsewhere that was made to resolve to us still says its own name here.
static bool is_host_ours(const struct btk_http *http, struct MHD_Connection *connection)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    const char *host = header_of(connection, MHD_HTTP_HEADER_HOST);
    if (!http->is_loopback) return host[0] != 0;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        const size_t length = strlen(names[i]);
        if (strncasecmp(host, names[i], length) == 0 && (host[length] == 0 || host[length] == ':'))
            return true;
    }
    return strcmp(host, http->coordinator->http_address) == 0;
}

// In a time that does not tell how much was right.
static bool is_same_secret(const char *given, const char *secret)
{
    const size_t length = strlen(secret);
    unsigned char difference = strlen(given) != length;
    for (size_t i = 0; i < length && given[i] != 0; i++)
        difference |= (unsigned char)(given[i] ^ secret[i]);
    return difference == 0;
}

static bool has_token(const struct btk_http *http, struct MHD_Connection *connection)
{
    static const char scheme[] = "Bearer ";
    const char *secret = http->coordinator->options.http_token;
    const char *given = header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION);
    if (secret == NULL) return true;
    return strncasecmp(given, scheme, sizeof scheme - 1) == 0
           && is_same_secret(given + sizeof scheme - 1, secret);
}

static bool is_json(struct MHD_Connection *connection)
{
    static const char json[] = "application/json";
    const char *type = header_of(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    // strchr finds the end of its text too: nothing may follow, or parameters.
    return strncasecmp(type, json, sizeof json - 1) == 0 && strchr("; ", type[sizeof json - 1]);
}

// --- Requests

static enum MHD_Result answer_get(struct btk_http *http, struct MHD_Connection *connection,
                                  const char *path)
{
    struct btk_http_answer answer = {0};
    if (strcmp(path, "/info") == 0 && !has_token(http, connection))
        return send_error(connection, MHD_HTTP_UNAUTHORIZED, "Validation", "a token is needed");
    if (btk_http_routes_get(http->coordinator, path, &answer))
        return send_answer(connection, &answer);
    if (btk_http_routes_is_post(path))
        return send_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Validation", "POST it");
    return send_error(connection, MHD_HTTP_NOT_FOUND, "Validation", "there is no such path");
}

// What can be said before the body has come. 0: go on.
static unsigned check_post(const struct btk_http *http, struct MHD_Connection *connection,
                           const char *path, const char **out_message)
{
    const char *length = header_of(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    *out_message = "there is no such path";
    if (!btk_http_routes_is_post(path)) return MHD_HTTP_NOT_FOUND;
    *out_message = "a token is needed";
    if (!has_token(http, connection)) return MHD_HTTP_UNAUTHORIZED;
    *out_message = "expected application/json";
    if (!is_json(connection)) return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    *out_message = "the body is larger than 8 MiB";
    const bool does_wait = header_of(connection, MHD_HTTP_HEADER_EXPECT)[0] != 0;
    const unsigned long long limit = does_wait ? BODY_BYTES_MAX : BODY_READ_MAX;
    return strtoull(length, NULL, 10) > limit ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

static void resume(void *context)
{
    MHD_resume_connection(context);
}

static enum MHD_Result begin_post(struct btk_http *http, struct MHD_Connection *connection,
                                  const char *path, void **state)
{
    const char *message = NULL;
    const unsigned status = check_post(http, connection, path, &message);
    if (status != 0) return send_error(connection, status, "Validation", message);
    struct request *request = calloc(1, sizeof *request);
    if (request == NULL) return MHD_NO;
    request->http = http;
    request->connection = connection;
    *state = request;
    return MHD_YES;
}

static enum MHD_Result take_body(struct request *request, const char *data, size_t *length)
{
    request->body_bytes += *length;
    if (request->body_bytes > BODY_READ_MAX) return MHD_NO;
    if (request->body_bytes > BODY_BYTES_MAX)
        btk_buffer_clear(&request->body);
    else if (btk_buffer_append(&request->body, data, *length) != 0)
        return MHD_NO;
    *length = 0;
    return MHD_YES;
}

static enum MHD_Result submit_post(struct request *request, const char *path)
{
    struct btk_http_bridge *bridge = &request->http->bridge;
    struct btk_http_answer answer = {0};
    if (request->body_bytes > BODY_BYTES_MAX)
        return send_error(request->connection, MHD_HTTP_CONTENT_TOO_LARGE, "Validation",
                          "the body is larger than 8 MiB");
    request->job = calloc(1, sizeof *request->job);
    if (request->job == NULL) return MHD_NO;
    const struct btk_bytes body = {request->body.data, request->body.length};
    if (!btk_http_routes_read(bridge, path, body, request->job, &answer))
        return send_answer(request->connection, &answer);
    btk_buffer_clear(&request->body);
    // What is not valid is as good as not there.
    if (btk_trace_parent_parse(header_of(request->connection, "traceparent"), &request->job->trace)
        != 0)
        errno = 0;
    request->job->resume = resume;
    request->job->resume_context = request->connection;
    request->was_submitted = true;
    MHD_suspend_connection(request->connection);
    btk_http_bridge_submit(bridge, request->job);
    return MHD_YES;
}

static enum MHD_Result continue_post(struct request *request, const char *path, const char *data,
                                     size_t *length)
{
    struct btk_http_bridge *bridge = &request->http->bridge;
    struct btk_http_answer answer = {0};
    if (*length > 0) return take_body(request, data, length);
    if (request->job == NULL) return submit_post(request, path);
    if (!btk_http_bridge_is_done(bridge, request->job)) return MHD_YES;
    btk_http_routes_finish(bridge, request->job, &answer);
    btk_http_bridge_finish(bridge, &request->job);
    btk_log(BTK_LOG_TRACE, "http", "answered", "path=%s status=%u bytes=%zu", path, answer.status,
            answer.body.length);
    return send_answer(request->connection, &answer);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version BTK_UNUSED, const char *data, size_t *length,
                                  void **state)
{
    struct btk_http *http = context;
    if (*state != NULL) return continue_post(*state, path, data, length);
    if (!is_host_ours(http, connection))
        return send_error(connection, MHD_HTTP_BAD_REQUEST, "Validation",
                          "the Host header names somebody else");
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
        return answer_get(http, connection, path);
    if (strcmp(method, MHD_HTTP_METHOD_POST) == 0) return begin_post(http, connection, path, state);
    return send_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Validation",
                      "expected GET or POST");
}

static void on_completed(void *context BTK_UNUSED, struct MHD_Connection *connection BTK_UNUSED,
                         void **state, enum MHD_RequestTerminationCode code BTK_UNUSED)
{
    struct request *request = *state;
    if (request == NULL) return;
    btk_http_bridge_finish(&request->http->bridge, &request->job);
    if (request->was_submitted) btk_http_bridge_leave(&request->http->bridge);
    btk_buffer_clear(&request->body);
    free(request);
    *state = NULL;
}

// --- Opening

static int wrong_address(const char *text, struct btk_error *error)
{
    return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                         "--http %s: expected ADDR:PORT, like 127.0.0.1:8080 or [::1]:8080", text);
}

// "1.2.3.4:80", "[::1]:80", "localhost:80".
static int parse_address(const char *text, struct sockaddr_storage *out_address,
                         socklen_t *out_length, struct btk_error *error)
{
    char host[INET6_ADDRSTRLEN + 2];
    char *end = NULL;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) return wrong_address(text, error);
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    const unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != 0 || port > UINT16_MAX)
        return wrong_address(text, error);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    const size_t length = strlen(host);
    memset(out_address, 0, sizeof *out_address);
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4.sin_addr) == 1)
    {
        memcpy(out_address, &v4, sizeof v4);
        *out_length = sizeof v4;
        return 0;
    }
    if (length < 2 || host[0] != '[' || host[length - 1] != ']') return wrong_address(text, error);
    host[length - 1] = 0;
    if (inet_pton(AF_INET6, host + 1, &v6.sin6_addr) != 1) return wrong_address(text, error);
    memcpy(out_address, &v6, sizeof v6);
    *out_length = sizeof v6;
    return 0;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    const struct in_addr v4 = ((const struct sockaddr_in *)address)->sin_addr;
    return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void write_address(int fd, char *out_text, size_t capacity)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN] = "";
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return;
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(out_text, capacity, "[%s]:%u", host, ntohs(v6->sin6_port));
        return;
    }
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
    snprintf(out_text, capacity, "%s:%u", host, ntohs(v4->sin_port));
}

static int bind_socket(const char *text, const struct sockaddr_storage *address, socklen_t length,
                       int *out_fd, struct btk_error *error)
{
    const int one = 1;
    const int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return btk_error_set(error, errno, BTK_NO_OFFSET, "socket: %s", strerror(errno));
    // Without it a port stays taken for a minute after a restart.
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0
        || bind(fd, (const struct sockaddr *)address, length) != 0 || listen(fd, BACKLOG) != 0)
    {
        const int code = errno;
        close(fd);
        return btk_error_set(error, code, BTK_NO_OFFSET, "--http %s: %s", text, strerror(code));
    }
    *out_fd = fd;
    return 0;
}

int btk_http_open(struct btk_coordinator *coordinator, struct btk_http **out_http,
                  struct btk_error *error)
{
    const char *text = coordinator->options.http;
    struct sockaddr_storage address;
    socklen_t length = 0;
    int rc = parse_address(text, &address, &length, error);
    if (rc != 0) return rc;
    if (!is_loopback(&address) && coordinator->options.http_token == NULL)
        return btk_error_set(
            error, EACCES, BTK_NO_OFFSET,
            "--http %s: other hosts can reach it, so it needs a token (--http-token-file)", text);
    struct btk_http *http = calloc(1, sizeof *http);
    if (http == NULL) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "http: out of memory");
    http->coordinator = coordinator;
    http->is_loopback = is_loopback(&address);
    http->listen_fd = -1;
    rc = bind_socket(text, &address, length, &http->listen_fd, error);
    if (rc != 0) {
        free(http);
        return rc;
    }
    write_address(http->listen_fd, coordinator->http_address, sizeof coordinator->http_address);
    *out_http = http;
    return 0;
}

int btk_http_start(struct btk_http *http, struct btk_error *error)
{
    http->has_bridge = true;
    const int rc = btk_http_bridge_open(&http->bridge, http->coordinator);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "http: %s", strerror(-rc));
    const unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, http->listen_fd,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_END);
    if (http->daemon == NULL)
        return btk_error_set(error, EIO, BTK_NO_OFFSET, "http: the server does not start");
    http->listen_fd = -1;
    btk_log(BTK_LOG_DEBUG, "http", "listening", "address=%s", http->coordinator->http_address);
    return 0;
}

bool btk_http_uses_image(const struct btk_http *http, uint32_t tokenizer_id)
{
    return http != NULL && http->has_bridge
           && btk_http_bridge_uses_image(&http->bridge, tokenizer_id);
}

void btk_http_add_returned(const struct btk_http *http, struct btk_histogram_snapshot *returned)
{
    struct btk_histogram_snapshot more;
    if (http == NULL) return;
    btk_histogram_read(&http->bridge.returned, &more);
    btk_histogram_merge(returned, &more);
}

bool btk_http_is_settled(struct btk_http *http)
{
    return http == NULL || http->daemon == NULL || btk_http_bridge_is_settled(&http->bridge);
}

void btk_http_close(struct btk_http **http_at)
{
    if (http_at == NULL || *http_at == NULL) return;
    struct btk_http *http = *http_at;
    if (http->daemon != NULL) {
        // No connection may be suspended when the server stops.
        btk_http_bridge_refuse_all(&http->bridge);
        MHD_stop_daemon(http->daemon);
    }
    if (http->has_bridge) btk_http_bridge_close(&http->bridge);
    if (http->listen_fd >= 0) close(http->listen_fd);
    free(http);
    *http_at = NULL;
}
