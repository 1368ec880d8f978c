// SPDX-License-Identifier: Apache-2.0
#include "coordinator/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RETRY_NS UINT64_C(5000000)

struct btk_channel_message {
    struct btk_channel_message *next;
    int fds[BTK_FD_CHANNEL_FDS_MAX];
    unsigned fd_count;
    size_t length;
    uint8_t frame[];
};

// One of each for the one loop of the process: messages are handled before the next is received.
static uint8_t receive_frame[BTK_FD_CHANNEL_MESSAGE_MAX];
static uint8_t send_frame[BTK_FD_CHANNEL_MESSAGE_MAX];

int btk_channel_open(struct btk_channel *channel, struct btk_loop *loop, int fd,
                     btk_loop_fd_fn *handler, void *context)
{
    const int rc = btk_loop_add_fd(loop, fd, EPOLLIN, handler, context);
    if (rc != 0) return rc;
    *channel = (struct btk_channel){.fd = fd, .loop = loop, .handler = handler, .context = context};
    return 0;
}

static void stop_retrying(struct btk_channel *channel)
{
    if (channel->is_retrying) btk_loop_remove_timer(channel->loop, channel->retry_timer);
    channel->is_retrying = false;
}

// The handler flushes, and sees to it if that fails. It may close the channel.
static void on_retry(void *context)
{
    struct btk_channel *channel = context;
    stop_retrying(channel);
    channel->handler(channel->context, channel->fd, EPOLLOUT);
}

// What the first message of the queue waits for.
static int await_room(struct btk_channel *channel, int why)
{
    if (why != -ETOOMANYREFS)
        return btk_loop_modify_fd(channel->loop, channel->fd, EPOLLIN | EPOLLOUT);
    int rc = btk_loop_modify_fd(channel->loop, channel->fd, EPOLLIN);
    if (rc != 0 || channel->is_retrying) return rc;
    rc = btk_loop_add_timer(channel->loop, RETRY_NS, on_retry, channel, &channel->retry_timer);
    channel->is_retrying = rc == 0;
    return rc;
}

static void free_message(struct btk_channel_message *message)
{
    btk_fd_channel_close_fds(message->fds, message->fd_count);
    free(message);
}

void btk_channel_close(struct btk_channel *channel)
{
    if (channel->fd < 0) return;
    stop_retrying(channel);
    btk_loop_remove_fd(channel->loop, channel->fd);
    close(channel->fd);
    while (channel->first != NULL) {
        struct btk_channel_message *message = channel->first;
        channel->first = message->next;
        free_message(message);
    }
    *channel = (struct btk_channel){.fd = -1};
}

int btk_channel_hand_over(struct btk_channel *from, struct btk_channel *to, btk_loop_fd_fn *handler,
                          void *context)
{
    stop_retrying(from);
    btk_loop_remove_fd(from->loop, from->fd);
    const uint32_t events = from->first == NULL ? EPOLLIN : EPOLLIN | EPOLLOUT;
    const int rc = btk_loop_add_fd(from->loop, from->fd, events, handler, context);
    if (rc != 0) return rc;
    *to = *from;
    to->handler = handler;
    to->context = context;
    *from = (struct btk_channel){.fd = -1};
    return 0;
}

static int queue_message(struct btk_channel *channel, size_t length, const int *fds,
                         unsigned fd_count)
{
    if (channel->queued_count >= BTK_CHANNEL_QUEUE_MAX) return -ENOBUFS;
    struct btk_channel_message *message = calloc(1, sizeof *message + length);
    if (message == NULL) return -ENOMEM;
    memcpy(message->frame, send_frame, length);
    message->length = length;
    for (unsigned i = 0; i < fd_count; i++) {
        message->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
        message->fd_count++;
        if (message->fds[i] >= 0) continue;
        free_message(message);
        return -EMFILE;
    }
    if (channel->last != NULL)
        channel->last->next = message;
    else
        channel->first = message;
    channel->last = message;
    channel->queued_count++;
    return 0;
}

int btk_channel_send(struct btk_channel *channel, const struct btk_control_message *message,
                     const int *fds, unsigned fd_count)
{
    size_t length = 0;
    if (channel->fd < 0) return -ECONNRESET;
    int rc = btk_control_encode(message, send_frame, sizeof send_frame, &length);
    if (rc != 0) return rc;
    if (channel->first != NULL) return queue_message(channel, length, fds, fd_count);
    const int why = btk_fd_channel_send(channel->fd, send_frame, length, fds, fd_count);
    if (why != -EAGAIN && why != -ETOOMANYREFS) return why;
    rc = queue_message(channel, length, fds, fd_count);
    return rc == 0 ? await_room(channel, why) : rc;
}

int btk_channel_flush(struct btk_channel *channel)
{
    if (channel->fd < 0) return -ECONNRESET;
    while (channel->first != NULL) {
        struct btk_channel_message *message = channel->first;
        const int rc = btk_fd_channel_send(channel->fd, message->frame, message->length,
                                           message->fds, message->fd_count);
        if (rc == -EAGAIN || rc == -ETOOMANYREFS) return await_room(channel, rc);
        if (rc != 0) return rc;
        channel->first = message->next;
        if (channel->first == NULL) channel->last = NULL;
        channel->queued_count--;
        free_message(message);
    }
    return btk_loop_modify_fd(channel->loop, channel->fd, EPOLLIN);
}

int btk_channel_receive(struct btk_channel *channel, struct btk_channel_inbound *out_inbound,
                        struct btk_error *error)
{
    size_t length = 0;
    out_inbound->fd_count = 0;
    if (channel->fd < 0) return -ECONNRESET;
    int rc = btk_fd_channel_receive(channel->fd, receive_frame, sizeof receive_frame, &length,
                                    out_inbound->fds, &out_inbound->fd_count);
    if (rc == -EMSGSIZE) return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "message too long");
    if (rc != 0) return rc == -EAGAIN ? rc : -ECONNRESET;
    rc = -ECONNRESET;
    if (length > 0)
        rc = btk_control_decode((struct btk_bytes){receive_frame, length}, &out_inbound->control,
                                error);
    if (rc != 0) btk_channel_close_inbound(out_inbound);
    return rc;
}

void btk_channel_close_inbound(struct btk_channel_inbound *inbound)
{
    btk_fd_channel_close_fds(inbound->fds, inbound->fd_count);
    inbound->fd_count = 0;
}
