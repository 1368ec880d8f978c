// SPDX-License-Identifier: Apache-2.0
#include "coordinator/frontend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/coordinator_internal.h"

enum { HELLO_LIMIT_MS = 2000, NS_PER_MS = 1000000 };

static void dismiss(struct btk_stranger *stranger)
{
    btk_channel_close(&stranger->channel);
    if (stranger->peer.pidfd >= 0) close(stranger->peer.pidfd);
    stranger->peer.pidfd = -1;
    stranger->is_used = false;
}

static void refuse(struct btk_stranger *stranger, const struct btk_error *error)
{
    struct btk_control_message refused = {
        .kind = BTK_CONTROL_REFUSED,
        .refused = {.code = (uint32_t)error->code},
    };
    snprintf(refused.refused.message, sizeof refused.refused.message, "%s", error->message);
    btk_log(BTK_LOG_WARN, BTK_COORDINATOR_TARGET, "refused", "pid=%d why=%s",
            (int)stranger->peer.pid, error->message);
    // What it cannot be told, the closed channel tells.
    if (btk_channel_send(&stranger->channel, &refused, NULL, 0) != 0) errno = 0;
}

static int greet(struct btk_stranger *stranger, struct btk_channel_inbound *inbound,
                 struct btk_error *error)
{
    struct btk_coordinator *coordinator = stranger->coordinator;
    switch (inbound->control.kind) {
    case BTK_CONTROL_HELLO_WORKER:
        return btk_worker_table_admit(coordinator, &stranger->channel, &stranger->peer, inbound,
                                      error);
    case BTK_CONTROL_HELLO_CLIENT:
        return btk_client_table_admit(coordinator, &stranger->channel, &stranger->peer, inbound,
                                      error);
    default:
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "expected a hello, got %s",
                             btk_control_name(inbound->control.kind));
    }
}

static void on_stranger(void *context, int fd BTK_UNUSED, uint32_t events BTK_UNUSED)
{
    struct btk_stranger *stranger = context;
    struct btk_channel_inbound inbound = {0};
    struct btk_error error = {0};
    int rc = btk_channel_receive(&stranger->channel, &inbound, &error);
    if (rc == -EAGAIN) return;
    if (rc == 0) rc = greet(stranger, &inbound, &error);
    if (rc != 0 && rc != -ECONNRESET) refuse(stranger, &error);
    btk_channel_close_inbound(&inbound);
    dismiss(stranger);
}

static struct btk_stranger *find_seat(struct btk_frontend *frontend)
{
    for (int i = 0; i < BTK_FRONTEND_STRANGERS_MAX; i++)
        if (!frontend->strangers[i].is_used) return frontend->strangers + i;
    return NULL;
}

static void let_in(struct btk_coordinator *coordinator, int fd, const struct btk_peer *peer)
{
    struct btk_stranger *stranger = find_seat(&coordinator->frontend);
    if (stranger == NULL
        || btk_channel_open(&stranger->channel, coordinator->loop, fd, on_stranger, stranger) != 0)
    {
        close(fd);
        if (peer->pidfd >= 0) close(peer->pidfd);
        return;
    }
    stranger->coordinator = coordinator;
    stranger->peer = *peer;
    stranger->deadline_ns = btk_clock_now_ns() + (uint64_t)HELLO_LIMIT_MS * NS_PER_MS;
    stranger->is_used = true;
    if (peer->uid == geteuid()) return;
    struct btk_error error = {0};
    btk_error_set(&error, EACCES, BTK_NO_OFFSET, "the cluster belongs to user %u, not to %u",
                  geteuid(), peer->uid);
    refuse(stranger, &error);
    dismiss(stranger);
}

static void on_listen(void *context, int fd, uint32_t events BTK_UNUSED)
{
    struct btk_coordinator *coordinator = context;
    struct btk_peer peer;
    int accepted = -1;
    while (btk_fd_channel_accept(fd, &accepted, &peer) == 0) let_in(coordinator, accepted, &peer);
}

int btk_frontend_open(struct btk_coordinator *coordinator, struct btk_error *error)
{
    struct btk_frontend *frontend = &coordinator->frontend;
    int rc = btk_fd_channel_listen(coordinator->endpoint.fd_path, &frontend->listen_fd, error);
    if (rc != 0) return rc;
    rc = btk_loop_add_fd(coordinator->loop, frontend->listen_fd, EPOLLIN, on_listen, coordinator);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "loop: %s", strerror(-rc));
    return 0;
}

void btk_frontend_check_deadlines(struct btk_coordinator *coordinator, uint64_t now_ns)
{
    for (int i = 0; i < BTK_FRONTEND_STRANGERS_MAX; i++) {
        struct btk_stranger *stranger = coordinator->frontend.strangers + i;
        if (stranger->is_used && now_ns > stranger->deadline_ns) dismiss(stranger);
    }
}

void btk_frontend_close(struct btk_coordinator *coordinator)
{
    struct btk_frontend *frontend = &coordinator->frontend;
    for (int i = 0; i < BTK_FRONTEND_STRANGERS_MAX; i++)
        if (frontend->strangers[i].is_used) dismiss(frontend->strangers + i);
    if (frontend->listen_fd < 0) return;
    btk_loop_remove_fd(coordinator->loop, frontend->listen_fd);
    close(frontend->listen_fd);
    unlink(coordinator->endpoint.fd_path);
    frontend->listen_fd = -1;
}
