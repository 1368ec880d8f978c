// SPDX-License-Identifier: Apache-2.0
#include "worker/outbox.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static int keep(struct btk_outbox *outbox, const uint8_t *frame, size_t length)
{
    const uint32_t head = (uint32_t)length;
    if (outbox->frames.length + sizeof head + length > BTK_OUTBOX_BYTES_MAX) return -ENOBUFS;
    const int rc = btk_buffer_reserve(&outbox->frames, sizeof head + length);
    if (rc != 0) return rc;
    memcpy(outbox->frames.data + outbox->frames.length, &head, sizeof head);
    memcpy(outbox->frames.data + outbox->frames.length + sizeof head, frame, length);
    outbox->frames.length += sizeof head + length;
    return 0;
}

int btk_outbox_send(struct btk_outbox *outbox, struct btk_socket *socket,
                    const struct btk_control_message *message)
{
    uint8_t frame[BTK_OUTBOX_FRAME_BYTES_MAX];
    size_t length = 0;
    int rc = btk_control_encode(message, frame, sizeof frame, &length);
    if (rc == 0) rc = btk_outbox_flush(outbox, socket);
    if (rc != 0) return rc;
    if (!btk_outbox_is_empty(outbox)) return keep(outbox, frame, length);
    rc = btk_socket_send(socket, NULL, frame, length);
    return rc == -EAGAIN ? keep(outbox, frame, length) : rc;
}

int btk_outbox_flush(struct btk_outbox *outbox, struct btk_socket *socket)
{
    struct btk_buffer *frames = &outbox->frames;
    while (outbox->sent_bytes < frames->length) {
        uint32_t length;
        const uint8_t *at = frames->data + outbox->sent_bytes;
        memcpy(&length, at, sizeof length);
        const int rc = btk_socket_send(socket, NULL, at + sizeof length, length);
        if (rc == -EAGAIN) return 0;
        if (rc != 0) return rc;
        outbox->sent_bytes += sizeof length + length;
    }
    frames->length = 0;
    outbox->sent_bytes = 0;
    return 0;
}

void btk_outbox_clear(struct btk_outbox *outbox)
{
    btk_buffer_clear(&outbox->frames);
    outbox->sent_bytes = 0;
}
