// SPDX-License-Identifier: Apache-2.0
// Clients come, say what they want over their channel, and go.
#include "coordinator/client_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/client_internal.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/status_json.h"
#include "ipc/doorbell.h"

enum { RESULTS_BYTES_MIN = 64 * 1024 };

#define RESULTS_BYTES_MAX (UINT64_C(1) << 30)

// --- Coming

static struct btk_client_entry *new_client(struct btk_coordinator *coordinator)
{
    struct btk_client_table *table = &coordinator->clients;
    if (table->count >= coordinator->options.client_limit) return NULL;
    struct btk_client_entry *client = calloc(1, sizeof *client);
    if (client == NULL) return NULL;
    uint32_t id = table->last_id + 1;
    while (id == 0 || table->slots[id % BTK_SCHEDULER_CLIENT_SLOTS] != NULL) id++;
    table->last_id = id;
    client->coordinator = coordinator;
    client->id = id;
    client->channel.fd = -1;
    client->pidfd = -1;
    client->bell_in = -1;
    client->bell_out = -1;
    client->client_page = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    client->server_page = (struct btk_shared_memory)BTK_SHARED_MEMORY_INIT;
    btk_buffer_init(&client->waiting);
    table->slots[id % BTK_SCHEDULER_CLIENT_SLOTS] = client;
    table->count++;
    return client;
}

static void close_entrances(struct btk_client_entry *client)
{
    struct btk_loop *loop = client->coordinator->loop;
    btk_channel_close(&client->channel);
    btk_loop_remove_fd(loop, client->bell_in);
    btk_loop_remove_fd(loop, client->pidfd);
    if (client->bell_in >= 0) close(client->bell_in);
    if (client->bell_out >= 0) close(client->bell_out);
    if (client->pidfd >= 0) close(client->pidfd);
    client->bell_in = -1;
    client->bell_out = -1;
    client->pidfd = -1;
}

static void release_options(struct btk_client_entry *client)
{
    for (uint32_t i = 0; i < BTK_OPTIONS_PLACES; i++)
        if (client->options_held[i] != 0)
            btk_options_table_release(&client->coordinator->requests, client->options_held[i]);
}

static void free_client(struct btk_client_entry *client)
{
    struct btk_client_table *table = &client->coordinator->clients;
    close_entrances(client);
    release_options(client);
    btk_client_slabs_clear(client);
    btk_client_waiting_clear(client);
    btk_latency_keep_client(&client->coordinator->latency, client->client_page.address);
    btk_shared_memory_clear(&client->client_page);
    btk_shared_memory_clear(&client->server_page);
    table->slots[client->id % BTK_SCHEDULER_CLIENT_SLOTS] = NULL;
    table->count--;
    free(client);
}

static int attach_client_page(struct btk_client_entry *client, int *fd, struct btk_error *error)
{
    const struct btk_shared_memory_limits limits = {
        .bytes_min = sizeof(struct btk_client_page),
        .bytes_max = sizeof(struct btk_client_page) + 4096,
        .needs_sealed = true,
    };
    const int rc = btk_shared_memory_attach(fd, &limits, &client->client_page);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "client page: %s", strerror(-rc));
    btk_shared_memory_close_fd(&client->client_page);
    const volatile struct btk_client_page *page = client->client_page.address;
    if (page->magic != BTK_CLIENT_PAGE_MAGIC || page->version != BTK_PAGE_VERSION)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "client page: wrong magic or version");
    return 0;
}

static int make_server_page(struct btk_client_entry *client)
{
    const int rc = btk_shared_memory_create("btk-server-page", sizeof(struct btk_server_page),
                                            BTK_SHARED_MEMORY_SMALL_PAGES, &client->server_page);
    if (rc != 0) return rc;
    struct btk_server_page *server = client->server_page.address;
    const struct btk_client_page *page = client->client_page.address;
    server->magic = BTK_SERVER_PAGE_MAGIC;
    server->version = BTK_PAGE_VERSION;
    btk_server_page_set_workers(server, client->coordinator->clients.worker_count);
    btk_ring_init_consumer(&client->submissions, page->submissions, BTK_SUBMISSION_SLOTS,
                           &page->submission_tail, &server->submission_head);
    btk_ring_init_producer(&client->completions, server->completions, BTK_COMPLETION_SLOTS,
                           &server->completion_tail, &page->completion_head);
    return btk_shared_memory_seal(&client->server_page);
}

static int make_pages(struct btk_client_entry *client, int *page_fd, struct btk_error *error)
{
    int rc = attach_client_page(client, page_fd, error);
    if (rc != 0) return rc;
    rc = make_server_page(client);
    if (rc == 0) rc = btk_doorbell_create(&client->bell_in);
    if (rc == 0) rc = btk_doorbell_create(&client->bell_out);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "pages: %s", strerror(-rc));
    return 0;
}

static int send_welcome(struct btk_client_entry *client)
{
    const struct btk_coordinator *coordinator = client->coordinator;
    const struct btk_control_message welcome = {
        .kind = BTK_CONTROL_WELCOME_CLIENT,
        .welcome_client = {.client_id = client->id,
                           .worker_count = coordinator->clients.worker_count,
                           .slab_limit_bytes = coordinator->options.slab_limit_bytes,
                           .results_bytes = client->results_bytes,
                           .batch_limit = coordinator->options.batch_limit,
                           .document_limit = BTK_BATCH_DOCUMENTS_MAX},
    };
    const int fds[3] = {client->server_page.fd, client->bell_in, client->bell_out};
    return btk_channel_send(&client->channel, &welcome, fds, 3);
}

static uint64_t choose_results_bytes(const struct btk_coordinator *coordinator, uint64_t wanted)
{
    if (wanted == 0) return coordinator->options.results_bytes;
    if (wanted < RESULTS_BYTES_MIN) return RESULTS_BYTES_MIN;
    return wanted > RESULTS_BYTES_MAX ? RESULTS_BYTES_MAX : wanted;
}

static void on_channel(void *context, int fd, uint32_t events);

static void on_death(void *context, int fd BTK_UNUSED, uint32_t events BTK_UNUSED)
{
    btk_client_table_drop(context, "process ended");
}

static int enter_loop(struct btk_client_entry *client, struct btk_channel *channel)
{
    struct btk_loop *loop = client->coordinator->loop;
    int rc = btk_loop_add_fd(loop, client->bell_in, EPOLLIN, btk_client_on_bell, client);
    if (rc == 0 && client->pidfd >= 0)
        rc = btk_loop_add_fd(loop, client->pidfd, EPOLLIN, on_death, client);
    if (rc == 0) rc = btk_channel_hand_over(channel, &client->channel, on_channel, client);
    return rc;
}

static int check_hello(const struct btk_coordinator *coordinator,
                       const struct btk_channel_inbound *inbound, struct btk_error *error)
{
    if (inbound->control.hello_client.version != BTK_CONTROL_VERSION || inbound->fd_count != 1)
        return btk_error_set(error, EPROTO, BTK_NO_OFFSET, "hello: another version, or no page");
    if (coordinator->stage >= BTK_COORDINATOR_DRAINING)
        return btk_error_set(error, ESHUTDOWN, BTK_NO_OFFSET, "the cluster is shutting down");
    return 0;
}

int btk_client_table_admit(struct btk_coordinator *coordinator, struct btk_channel *channel,
                           struct btk_peer *peer, struct btk_channel_inbound *inbound,
                           struct btk_error *error)
{
    const struct btk_control_hello_client *hello = &inbound->control.hello_client;
    int rc = check_hello(coordinator, inbound, error);
    if (rc != 0) return rc;
    struct btk_client_entry *client = new_client(coordinator);
    if (client == NULL)
        return btk_error_set(error, EUSERS, BTK_NO_OFFSET, "the cluster has %u clients already",
                             coordinator->clients.count);
    strcpy(client->name, hello->name);
    client->results_bytes = choose_results_bytes(coordinator, hello->results_bytes);
    client->pid = (uint32_t)peer->pid;
    rc = make_pages(client, &inbound->fds[0], error);
    if (rc == 0) rc = btk_scheduler_add_client(coordinator->scheduler, client->id);
    if (rc != 0) {
        free_client(client);
        return error->code != 0 ? rc : btk_error_set(error, -rc, BTK_NO_OFFSET, "out of memory");
    }
    client->pidfd = peer->pidfd;
    peer->pidfd = -1;
    rc = enter_loop(client, channel);
    if (rc != 0) {
        btk_client_table_drop(client, "no room in the loop");
        return btk_error_set(error, -rc, BTK_NO_OFFSET, "client: %s", strerror(-rc));
    }
    btk_worker_table_attach_client(coordinator, client->id, client->results_bytes);
    if (send_welcome(client) != 0) btk_client_table_drop(client, "welcome was not taken");
    return 0;
}

int btk_client_table_add_internal(struct btk_coordinator *coordinator,
                                  const struct btk_client_sink *sink, uint64_t slab_bytes,
                                  void **out_slab_address, struct btk_client_entry **out_client)
{
    struct btk_client_entry *client = new_client(coordinator);
    if (client == NULL) return -ENOMEM;
    strcpy(client->name, "http");
    client->sink = sink;
    client->results_bytes = coordinator->options.results_bytes;
    int rc = btk_scheduler_add_client(coordinator->scheduler, client->id);
    if (rc == 0) rc = btk_client_slabs_add_internal(client, slab_bytes, out_slab_address);
    if (rc != 0) {
        free_client(client);
        return rc;
    }
    *out_client = client;
    return 0;
}

// --- Going

void btk_client_touch(struct btk_client_entry *client)
{
    struct btk_client_table *table = &client->coordinator->clients;
    if (client->is_touched) return;
    client->is_touched = true;
    client->next_touched = table->touched;
    table->touched = client;
}

void btk_client_table_drop(struct btk_client_entry *client, const char *why)
{
    if (client->is_leaving) return;
    btk_log(BTK_LOG_INFO, BTK_COORDINATOR_TARGET, "client_left", "client=%u pid=%u name=%s why=%s",
            client->id, client->pid, client->name, why);
    client->is_leaving = true;
    close_entrances(client);
    btk_client_waiting_clear(client);
    btk_scheduler_remove_client(client->coordinator->scheduler, client->id);
}

void btk_client_table_forget(struct btk_client_entry *client)
{
    // Handlers up the stack may still look at it: it is freed at the end of the turn.
    client->is_gone = true;
    btk_client_touch(client);
    btk_worker_table_detach_client(client->coordinator, client->id);
}

void btk_client_table_tell_workers(struct btk_client_table *table, uint32_t count)
{
    if (count == table->worker_count) return;
    table->worker_count = count;
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++)
        if (table->slots[i] != NULL && table->slots[i]->server_page.address != NULL)
            btk_server_page_set_workers(table->slots[i]->server_page.address, count);
}

void btk_client_table_flush(struct btk_coordinator *coordinator)
{
    struct btk_client_table *table = &coordinator->clients;
    while (table->touched != NULL) {
        struct btk_client_entry *client = table->touched;
        table->touched = client->next_touched;
        client->is_touched = false;
        if (client->needs_bell && client->bell_out >= 0) btk_doorbell_ring(client->bell_out);
        client->needs_bell = false;
        if (client->is_gone)
            free_client(client);
        else if (client->is_broken)
            btk_client_table_drop(client, "takes nothing any more");
    }
}

void btk_client_table_clear(struct btk_coordinator *coordinator)
{
    struct btk_client_table *table = &coordinator->clients;
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++)
        if (table->slots[i] != NULL) free_client(table->slots[i]);
    table->touched = NULL;
}

struct btk_client_entry *btk_client_table_find(const struct btk_client_table *table,
                                               uint32_t client_id)
{
    struct btk_client_entry *client = table->slots[client_id % BTK_SCHEDULER_CLIENT_SLOTS];
    return client != NULL && client->id == client_id ? client : NULL;
}

void btk_client_send(struct btk_client_entry *client, const struct btk_control_message *message,
                     const int *fds, unsigned fd_count)
{
    if (client->is_leaving || client->sink != NULL) return;
    const int rc = btk_channel_send(&client->channel, message, fds, fd_count);
    if (rc != 0) btk_client_table_drop(client, strerror(-rc));
}

// --- Messages

void btk_client_refuse(struct btk_client_entry *client, uint32_t request, int code,
                       const char *message)
{
    struct btk_control_message refused = {
        .kind = BTK_CONTROL_REFUSED,
        .refused = {.request = request, .code = (uint32_t)code},
    };
    snprintf(refused.refused.message, sizeof refused.refused.message, "%s", message);
    btk_client_send(client, &refused, NULL, 0);
}

// One hold for each client, however often it registers the same.
static int hold_options(struct btk_client_entry *client, const struct btk_options_entry *entry,
                        uint32_t *out_options_id)
{
    struct btk_options_table *table = &client->coordinator->requests;
    const int rc = btk_options_table_acquire(table, entry, out_options_id);
    if (rc != 0) return rc;
    const uint32_t place = btk_options_place(*out_options_id);
    if (client->options_held[place] == *out_options_id)
        btk_options_table_release(table, *out_options_id);
    client->options_held[place] = *out_options_id;
    return 0;
}

static void release_one(struct btk_client_entry *client, uint32_t options_id)
{
    uint32_t *held = client->options_held + btk_options_place(options_id);
    if (options_id == 0 || *held != options_id) return;
    btk_options_table_release(&client->coordinator->requests, options_id);
    *held = 0;
}

static void register_options(struct btk_client_entry *client,
                             const struct btk_control_register_options *wanted)
{
    struct btk_coordinator *coordinator = client->coordinator;
    struct btk_options_entry entry = {0};
    struct btk_error error = {0};
    const struct btk_image_name *name =
        btk_image_names_find(&coordinator->images.names, wanted->tokenizer);
    if (name == NULL) {
        btk_client_refuse(client, wanted->request, ENOENT,
                          "the cluster has no tokenizer of this name");
        return;
    }
    if (btk_batch_options_read(wanted->options, &entry.options, &error) != 0) {
        btk_client_refuse(client, wanted->request, EINVAL, error.message);
        return;
    }
    uint32_t options_id = 0;
    entry.tokenizer_id = coordinator->images.images[name->slot].tokenizer_id;
    const int rc = hold_options(client, &entry, &options_id);
    if (rc != 0) {
        btk_client_refuse(client, wanted->request, -rc,
                          "the cluster has no room for more different options");
        return;
    }
    client->uses_image[name->slot] = true;
    const struct btk_control_message answer = {
        .kind = BTK_CONTROL_OPTIONS_REGISTERED,
        .options_registered = {.request = wanted->request, .options_id = options_id},
    };
    btk_client_send(client, &answer, NULL, 0);
}

static void send_status(struct btk_client_entry *client, uint32_t request)
{
    struct btk_buffer json;
    btk_buffer_init(&json);
    if (btk_status_json_write(client->coordinator, &json) != 0) {
        btk_client_refuse(client, request, ENOMEM, "status: out of memory");
    } else {
        const struct btk_control_message status = {
            .kind = BTK_CONTROL_STATUS,
            .status = {.request = request, .json = {json.data, json.length}},
        };
        btk_client_send(client, &status, NULL, 0);
    }
    btk_buffer_clear(&json);
}

static void handle_message(struct btk_client_entry *client, struct btk_channel_inbound *inbound)
{
    const struct btk_control_message *message = &inbound->control;
    switch (message->kind) {
    case BTK_CONTROL_SLAB_REQUEST: {
        struct btk_error error = {0};
        if (btk_client_slabs_ask(client, message->slab_request.bytes, &error) != 0)
            btk_client_refuse(client, 0, error.code, error.message);
        return;
    }
    case BTK_CONTROL_SLAB_MAPPED:
        btk_client_slabs_mapped(client, message->slab_mapped.slab_id);
        return;
    case BTK_CONTROL_SLAB_DROP: btk_client_slabs_drop(client, message->slab_drop.slab_id); return;
    case BTK_CONTROL_REGISTER_OPTIONS: register_options(client, &message->register_options); return;
    case BTK_CONTROL_RELEASE_OPTIONS:
        release_one(client, message->release_options.options_id);
        return;
    case BTK_CONTROL_STATUS_REQUEST: send_status(client, message->status_request.request); return;
    case BTK_CONTROL_GOODBYE: btk_client_table_drop(client, "goodbye"); return;
    default: btk_client_table_drop(client, "unexpected message"); return;
    }
}

static void on_channel(void *context, int fd BTK_UNUSED, uint32_t events)
{
    struct btk_client_entry *client = context;
    struct btk_channel_inbound inbound = {0};
    struct btk_error error = {0};
    if ((events & EPOLLOUT) != 0 && btk_channel_flush(&client->channel) != 0) {
        btk_client_table_drop(client, "channel broken");
        return;
    }
    btk_client_push_waiting(client);
    if (!btk_channel_is_congested(&client->channel))
        btk_scheduler_pause_client(client->coordinator->scheduler, client->id, false);
    while (!client->is_leaving) {
        const int rc = btk_channel_receive(&client->channel, &inbound, &error);
        if (rc == -EAGAIN) return;
        if (rc != 0) {
            btk_client_table_drop(client, rc == -ECONNRESET ? "hung up" : error.message);
            return;
        }
        handle_message(client, &inbound);
        btk_channel_close_inbound(&inbound);
    }
}
