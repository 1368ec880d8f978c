// SPDX-License-Identifier: Apache-2.0
// The ZeroMQ control socket. The only room of CZMQ.
//
// Every option that matters is set: ROUTER_MANDATORY (an unroutable message is an error, not a
// silence), high-water marks, MAXMSGSIZE, LINGER 0, IMMEDIATE, HANDSHAKE_IVL, reconnect back-off.
// No HANDOVER: routing ids are random for each incarnation. No ZMTP heartbeats: they drop healthy
// peers under back-pressure; the control protocol has its own ping. CZMQ's signal handlers are off.
//
// Ownership: the caller owns the socket. Threads: all sockets of a process in one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

enum { BTK_SOCKET_ROUTING_BYTES = 16 };

struct btk_socket;

// Binds; the file at the path of the endpoint is replaced. The caller holds the lock.
BTK_MUST_USE int btk_socket_open_router(const char *endpoint, struct btk_socket **out_socket,
                                        struct btk_error *error);
BTK_MUST_USE int btk_socket_open_dealer(const char *endpoint,
                                        const uint8_t routing_id[BTK_SOCKET_ROUTING_BYTES],
                                        struct btk_socket **out_socket, struct btk_error *error);
void btk_socket_close(struct btk_socket **socket);

// Edge-triggered: after it was readable once, receive until -EAGAIN; also after every send.
int btk_socket_fd(const struct btk_socket *socket);

// routing_id: NULL for a dealer. -EHOSTUNREACH: no such peer (any more); -EAGAIN: it does not read.
BTK_MUST_USE int btk_socket_send(struct btk_socket *socket,
                                 const uint8_t routing_id[BTK_SOCKET_ROUTING_BYTES],
                                 const void *frame, size_t length);

// One message without waiting; out_routing_id may be NULL for a dealer. -EAGAIN: none; -EPROTO: not
// of the expected parts or too long (it was thrown away: go on).
BTK_MUST_USE int btk_socket_receive(struct btk_socket *socket,
                                    uint8_t out_routing_id[BTK_SOCKET_ROUTING_BYTES],
                                    void *out_frame, size_t capacity_bytes, size_t *out_length);
