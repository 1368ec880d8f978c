// SPDX-License-Identifier: Apache-2.0
// What each message of the coordinator does. They come over both channels; which one does not
// matter, but for the descriptors that only P.fd carries.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "worker/session.h"

typedef void handler_fn(struct btk_worker_session *session, struct btk_worker_message *message);

static void complain(const struct btk_worker_message *message, int rc)
{
    btk_log(BTK_LOG_ERROR, "worker", "message_failed", "message=%s error=%s",
            btk_control_name(message->control.kind), strerror(-rc));
}

// --- Images and options

static void on_load_image(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const struct btk_control_load_image *load = &message->control.load_image;
    struct btk_error error = {0};
    struct btk_control_message answer = {
        .kind = BTK_CONTROL_IMAGE_READY,
        .image_ready = {.tokenizer_id = load->tokenizer_id},
    };
    int rc = -EPROTO;
    if (message->fd_count == 1)
        rc = btk_image_table_load(&session->runner.images, load->tokenizer_id, &message->fds[0],
                                  load->bytes, &error);
    if (rc != 0) {
        btk_log(BTK_LOG_ERROR, "worker", "load_image_failed", "tokenizer=%s error=%s",
                load->tokenizer, error.message);
        answer.image_ready.status = (uint32_t)-rc;
        snprintf(answer.image_ready.message, sizeof answer.image_ready.message, "%s",
                 error.message);
    }
    btk_worker_session_send(session, &answer);
}

static void on_unload_image(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const uint32_t tokenizer_id = message->control.unload_image.tokenizer_id;
    btk_options_table_forget(&session->runner.options, tokenizer_id);
    btk_image_table_unload(&session->runner.images, tokenizer_id);
    btk_page_profiles_retire(&session->page->profiles, tokenizer_id);
}

static void on_define_options(struct btk_worker_session *session,
                              struct btk_worker_message *message)
{
    struct btk_error error = {0};
    const int rc = btk_options_table_define(&session->runner.options,
                                            &message->control.define_options, &error);
    if (rc != 0) complain(message, rc);
}

// --- Clients

static void on_attach_client(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const struct btk_control_attach_client *attach = &message->control.attach_client;
    struct btk_attached_client *client = NULL;
    int rc = btk_attached_clients_attach(&session->runner.clients, attach->client_id,
                                         btk_shard_runner_next_results_id(&session->runner),
                                         attach->results_bytes, &client);
    if (rc != 0) {
        complain(message, rc);
        return;
    }
    const struct btk_control_message answer = {
        .kind = BTK_CONTROL_RESULTS,
        .results = {.client_id = client->client_id,
                    .results_id = client->results_id,
                    .bytes = client->results.bytes,
                    .page_bytes = client->results.page_bytes},
    };
    rc = btk_worker_session_send_fd(session, &answer, client->results.fd);
    btk_shared_memory_close_fd(&client->results);
    if (rc != 0) complain(message, rc);
}

static void on_detach_client(struct btk_worker_session *session, struct btk_worker_message *message)
{
    btk_attached_clients_detach(&session->runner.clients, message->control.detach_client.client_id);
}

static void on_attach_slab(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const struct btk_control_attach_slab *attach = &message->control.attach_slab;
    struct btk_attached_client *client =
        btk_attached_clients_find(&session->runner.clients, attach->client_id);
    int rc = client == NULL ? -ENOENT : -EPROTO;
    if (client != NULL && message->fd_count == 1)
        rc = btk_attached_client_attach_slab(client, attach->slab_id, &message->fds[0],
                                             attach->bytes);
    if (rc != 0) complain(message, rc);
}

static void on_detach_slab(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const struct btk_control_detach_slab *detach = &message->control.detach_slab;
    struct btk_attached_client *client =
        btk_attached_clients_find(&session->runner.clients, detach->client_id);
    if (client != NULL) btk_attached_client_detach_slab(client, detach->slab_id);
}

static void on_results_drop(struct btk_worker_session *session BTK_UNUSED,
                            struct btk_worker_message *message BTK_UNUSED)
{
    // The memfd of a shard of its own is unmapped here as soon as it was sent.
}

// --- Work

static void refuse(struct btk_worker_session *session, const struct btk_assignment *assignment,
                   uint32_t status)
{
    const struct btk_shard_report report =
        btk_shard_runner_refuse(&session->runner, assignment, status);
    const struct btk_control_message done = {
        .kind = BTK_CONTROL_DONE,
        .done = {.epoch = session->runner.epoch,
                 .reports = {(const uint8_t *)&report, sizeof report}},
    };
    btk_worker_session_send(session, &done);
}

// Those of an older epoch were meant for somebody else; those that come to one that leaves are
// given to another when it has left.
static void on_assign(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const struct btk_control_assign *assign = &message->control.assign;
    struct btk_assignment assignment;
    if (assign->epoch != session->runner.epoch || session->is_draining) return;
    if (assign->assignments.length % sizeof assignment != 0) {
        complain(message, -EPROTO);
        return;
    }
    for (size_t at = 0; at < assign->assignments.length; at += sizeof assignment) {
        memcpy(&assignment, assign->assignments.data + at, sizeof assignment);
        if (assignment.epoch != session->runner.epoch) continue;
        if (!btk_shard_queue_try_push(&session->queue, &assignment))
            refuse(session, &assignment, BTK_STATUS_OVERLOADED);
    }
}

static void on_ping(struct btk_worker_session *session, struct btk_worker_message *message)
{
    const struct btk_control_message pong = {
        .kind = BTK_CONTROL_PONG,
        .pong = {.sequence = message->control.ping.sequence},
    };
    btk_worker_session_send(session, &pong);
}

static void on_drain(struct btk_worker_session *session, struct btk_worker_message *message)
{
    if (message->control.drain.epoch == session->runner.epoch) session->is_draining = true;
}

static void on_refused(struct btk_worker_session *session, struct btk_worker_message *message)
{
    btk_log(BTK_LOG_ERROR, "worker", "refused", "message=%s", message->control.refused.message);
    session->is_lost = true;
}

static void on_goodbye(struct btk_worker_session *session,
                       struct btk_worker_message *message BTK_UNUSED)
{
    session->is_lost = true;
}

static handler_fn *const handlers[BTK_CONTROL_KIND_COUNT] = {
    [BTK_CONTROL_LOAD_IMAGE] = on_load_image,
    [BTK_CONTROL_UNLOAD_IMAGE] = on_unload_image,
    [BTK_CONTROL_ATTACH_CLIENT] = on_attach_client,
    [BTK_CONTROL_DETACH_CLIENT] = on_detach_client,
    [BTK_CONTROL_ATTACH_SLAB] = on_attach_slab,
    [BTK_CONTROL_DETACH_SLAB] = on_detach_slab,
    [BTK_CONTROL_RESULTS_DROP] = on_results_drop,
    [BTK_CONTROL_DEFINE_OPTIONS] = on_define_options,
    [BTK_CONTROL_ASSIGN] = on_assign,
    [BTK_CONTROL_PING] = on_ping,
    [BTK_CONTROL_DRAIN] = on_drain,
    [BTK_CONTROL_REFUSED] = on_refused,
    [BTK_CONTROL_GOODBYE] = on_goodbye,
};

void btk_worker_session_handle(struct btk_worker_session *session,
                               struct btk_worker_message *message)
{
    handler_fn *handler = handlers[message->control.kind];
    if (handler == NULL) {
        complain(message, -EPROTO);
        return;
    }
    handler(session, message);
}
