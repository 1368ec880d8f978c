// SPDX-License-Identifier: Apache-2.0
#include "ipc/socket.h"

#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/control_messages.h"

enum {
    HIGH_WATER_MARK = 1000,
    HANDSHAKE_MS = 2000,
    RECONNECT_MS = 50,
    RECONNECT_MAX_MS = 1000,
};

struct btk_socket {
    zsock_t *zsock;
    void *handle; // libzmq's own, for messages without an allocation of CZMQ's
    bool is_router;
};

static void set_options(zsock_t *zsock)
{
    zsock_set_sndhwm(zsock, HIGH_WATER_MARK);
    zsock_set_rcvhwm(zsock, HIGH_WATER_MARK);
    zsock_set_maxmsgsize(zsock, BTK_CONTROL_FRAME_MAX);
    zsock_set_linger(zsock, 0);
    zsock_set_immediate(zsock, 1);
    zsock_set_handshake_ivl(zsock, HANDSHAKE_MS);
    zsock_set_reconnect_ivl(zsock, RECONNECT_MS);
    zsock_set_reconnect_ivl_max(zsock, RECONNECT_MAX_MS);
}

static int open_socket(int type, struct btk_socket **out_socket)
{
    zsys_handler_set(NULL);
    struct btk_socket *opened = calloc(1, sizeof *opened);
    zsock_t *zsock = opened == NULL ? NULL : zsock_new(type);
    if (zsock == NULL) {
        free(opened);
        return -ENOMEM;
    }
    set_options(zsock);
    opened->zsock = zsock;
    opened->handle = zsock_resolve(zsock);
    opened->is_router = type == ZMQ_ROUTER;
    *out_socket = opened;
    return 0;
}

static int fail(struct btk_socket *opened, const char *what, const char *endpoint,
                struct btk_error *error)
{
    const int code = errno == 0 ? EIO : errno;
    btk_socket_close(&opened);
    return btk_error_set(error, code, BTK_NO_OFFSET, "%s %s: %s", what, endpoint,
                         zmq_strerror(code));
}

int btk_socket_open_router(const char *endpoint, struct btk_socket **out_socket,
                           struct btk_error *error)
{
    struct btk_socket *opened = NULL;
    if (open_socket(ZMQ_ROUTER, &opened) != 0) return fail(opened, "open", endpoint, error);
    zsock_set_router_mandatory(opened->zsock, 1);
    if (zmq_bind(opened->handle, endpoint) != 0) return fail(opened, "bind", endpoint, error);
    *out_socket = opened;
    return 0;
}

int btk_socket_open_dealer(const char *endpoint, const uint8_t routing_id[BTK_SOCKET_ROUTING_BYTES],
                           struct btk_socket **out_socket, struct btk_error *error)
{
    struct btk_socket *opened = NULL;
    if (open_socket(ZMQ_DEALER, &opened) != 0) return fail(opened, "open", endpoint, error);
    if (zmq_setsockopt(opened->handle, ZMQ_ROUTING_ID, routing_id, BTK_SOCKET_ROUTING_BYTES) != 0
        || zmq_connect(opened->handle, endpoint) != 0)
        return fail(opened, "connect", endpoint, error);
    *out_socket = opened;
    return 0;
}

void btk_socket_close(struct btk_socket **socket)
{
    if (socket == NULL || *socket == NULL) return;
    zsock_destroy(&(*socket)->zsock);
    free(*socket);
    *socket = NULL;
}

int btk_socket_fd(const struct btk_socket *socket)
{
    return (int)zsock_fd(socket->zsock);
}

int btk_socket_send(struct btk_socket *socket, const uint8_t routing_id[BTK_SOCKET_ROUTING_BYTES],
                    const void *frame, size_t length)
{
    if (socket->is_router
        && zmq_send(socket->handle, routing_id, BTK_SOCKET_ROUTING_BYTES,
                    ZMQ_DONTWAIT | ZMQ_SNDMORE)
               < 0)
        return -errno;
    if (zmq_send(socket->handle, frame, length, ZMQ_DONTWAIT) < 0) return -errno;
    return 0;
}

static bool has_more(void *handle)
{
    int more = 0;
    size_t size = sizeof more;
    return zmq_getsockopt(handle, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

static void drop_rest(void *handle)
{
    char byte;
    while (has_more(handle) && zmq_recv(handle, &byte, 1, ZMQ_DONTWAIT) >= 0) {
    }
}

int btk_socket_receive(struct btk_socket *socket, uint8_t out_routing_id[BTK_SOCKET_ROUTING_BYTES],
                       void *out_frame, size_t capacity_bytes, size_t *out_length)
{
    uint8_t routing_id[BTK_SOCKET_ROUTING_BYTES];
    void *handle = socket->handle;
    int routing_length = BTK_SOCKET_ROUTING_BYTES;
    if (socket->is_router) {
        routing_length = zmq_recv(handle, routing_id, sizeof routing_id, ZMQ_DONTWAIT);
        if (routing_length < 0) return -errno;
        if (!has_more(handle)) return -EPROTO;
    }
    const int length = zmq_recv(handle, out_frame, capacity_bytes, ZMQ_DONTWAIT);
    if (length < 0) return -errno;
    const bool is_whole = !has_more(handle);
    drop_rest(handle);
    if (!is_whole || routing_length != BTK_SOCKET_ROUTING_BYTES || (size_t)length > capacity_bytes)
        return -EPROTO;
    if (socket->is_router && out_routing_id != NULL)
        memcpy(out_routing_id, routing_id, sizeof routing_id);
    *out_length = (size_t)length;
    return 0;
}
