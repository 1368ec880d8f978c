// SPDX-License-Identifier: Apache-2.0
// What goes to workers and comes from them over the control socket and the channel.
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "coordinator/client_table.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/worker_internal.h"

// Of the one loop: frames are handled before the next is made or received.
static uint8_t receive_frame[BTK_CONTROL_FRAME_MAX];
static uint8_t send_frame[BTK_CONTROL_FRAME_MAX];

static void send_control(struct btk_worker_entry *worker, const struct btk_control_message *message)
{
    size_t length = 0;
    int rc = btk_control_encode(message, send_frame, sizeof send_frame, &length);
    if (rc == 0)
        rc = btk_socket_send(worker->coordinator->router, worker->incarnation, send_frame, length);
    if (rc != 0) btk_worker_table_kill(worker, strerror(-rc));
}

// --- Images and readiness

static void send_image(struct btk_worker_entry *worker, uint32_t slot)
{
    const struct btk_image_entry *image = worker->coordinator->images.images + slot;
    struct btk_control_message message = {
        .kind = BTK_CONTROL_LOAD_IMAGE,
        .load_image = {.tokenizer_id = image->tokenizer_id, .bytes = image->memory.bytes},
    };
    strcpy(message.load_image.tokenizer, image->name);
    btk_worker_send(worker, &message, &image->memory.fd, 1);
}

// What a worker needs to be ready. An image of a reload goes to workers that are.
static bool is_needed(const struct btk_coordinator *coordinator, uint32_t slot)
{
    return btk_image_is_there(coordinator->images.images + slot)
           && !coordinator->reload.is_pending[slot];
}

void btk_worker_send_images(struct btk_worker_entry *worker)
{
    worker->stage = BTK_WORKER_LOADING;
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (is_needed(worker->coordinator, i)) send_image(worker, i);
}

static void send_client(struct btk_worker_entry *worker, uint32_t client_id, uint64_t results_bytes)
{
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_ATTACH_CLIENT,
        .attach_client = {.client_id = client_id, .results_bytes = results_bytes},
    };
    btk_worker_send(worker, &message, NULL, 0);
}

static void send_slab(struct btk_worker_entry *worker, uint32_t client_id, uint32_t slab_id,
                      const struct btk_shared_memory *memory)
{
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_ATTACH_SLAB,
        .attach_slab = {.client_id = client_id, .slab_id = slab_id, .bytes = memory->bytes},
    };
    btk_worker_send(worker, &message, &memory->fd, 1);
}

void btk_worker_become_ready(struct btk_worker_entry *worker)
{
    const struct btk_client_table *clients = &worker->coordinator->clients;
    worker->stage = BTK_WORKER_READY;
    btk_scheduler_add_worker(worker->coordinator->scheduler, worker->id, worker->epoch);
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++) {
        const struct btk_client_entry *client = clients->slots[i];
        if (client == NULL || client->is_leaving) continue;
        send_client(worker, client->id, client->results_bytes);
        for (const struct btk_client_slab *slab = client->slabs; slab != NULL; slab = slab->next)
            if (slab->is_attached) send_slab(worker, client->id, slab->id, &slab->memory);
    }
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (worker->coordinator->reload.is_pending[i]) send_image(worker, i);
    btk_coordinator_note_ready(worker->coordinator);
}

static void check_ready(struct btk_worker_entry *worker)
{
    if (worker->stage != BTK_WORKER_LOADING) return;
    for (uint32_t i = 0; i < BTK_IMAGES_MAX; i++)
        if (is_needed(worker->coordinator, i) && !worker->has_image[i]) return;
    btk_worker_become_ready(worker);
}

static void take_image_refusal(struct btk_worker_entry *worker, uint32_t slot,
                               const struct btk_control_image_ready *image)
{
    btk_log(BTK_LOG_ERROR, BTK_COORDINATOR_TARGET, "image_refused",
            "worker=%u tokenizer=%u message=%s", worker->id, image->tokenizer_id, image->message);
    if (!btk_reload_take_refusal(worker->coordinator, slot, image->message))
        btk_worker_table_kill(worker, "cannot use an image");
}

static void take_image_ready(struct btk_worker_entry *worker,
                             const struct btk_control_image_ready *answer)
{
    struct btk_image_store *store = &worker->coordinator->images;
    const struct btk_image_entry *image = btk_image_store_by_id(store, answer->tokenizer_id);
    if (worker->stage != BTK_WORKER_LOADING && worker->stage != BTK_WORKER_READY) return;
    // NULL: it was dropped meanwhile.
    if (image != NULL && answer->status != 0) {
        take_image_refusal(worker, (uint32_t)(image - store->images), answer);
        return;
    }
    if (image != NULL) worker->has_image[image - store->images] = true;
    check_ready(worker);
    btk_reload_continue(worker->coordinator);
}

void btk_worker_table_load_image(struct btk_coordinator *coordinator, uint32_t slot,
                                 enum btk_worker_stage stage)
{
    for (uint32_t i = 0; i < coordinator->workers.limit; i++)
        if (coordinator->workers.entries[i].stage == stage)
            send_image(coordinator->workers.entries + i, slot);
}

void btk_worker_table_unload_image(struct btk_coordinator *coordinator, uint32_t slot,
                                   uint32_t tokenizer_id)
{
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_UNLOAD_IMAGE,
        .unload_image = {.tokenizer_id = tokenizer_id},
    };
    for (uint32_t i = 0; i < coordinator->workers.limit; i++) {
        struct btk_worker_entry *worker = coordinator->workers.entries + i;
        worker->has_image[slot] = false;
        if (worker->stage != BTK_WORKER_LOADING && worker->stage != BTK_WORKER_READY) continue;
        btk_worker_send(worker, &message, NULL, 0);
        check_ready(worker);
    }
}

// --- From workers

static void take_reports(struct btk_worker_entry *worker, const struct btk_control_done *done)
{
    struct btk_scheduler *scheduler = worker->coordinator->scheduler;
    if (done->reports.length % sizeof(struct btk_shard_report) != 0) {
        btk_worker_table_kill(worker, "reports of a wrong size");
        return;
    }
    for (size_t at = 0; at < done->reports.length; at += sizeof(struct btk_shard_report)) {
        struct btk_shard_report report;
        memcpy(&report, done->reports.data + at, sizeof report);
        if (!btk_scheduler_knows_results(scheduler, worker->id, &report))
            btk_worker_drain_channel(worker);
        worker->shards_finished++;
        btk_scheduler_report(scheduler, worker->id, &report);
        worker->previous_finish_ns = report.finished_ns;
    }
}

static struct btk_worker_entry *find_incarnation(struct btk_worker_table *table,
                                                 const uint8_t *routing_id)
{
    for (uint32_t i = 0; i < table->limit; i++) {
        struct btk_worker_entry *worker = table->entries + i;
        if (worker->stage > BTK_WORKER_SPAWNED
            && memcmp(worker->incarnation, routing_id, sizeof worker->incarnation) == 0)
            return worker;
    }
    return NULL;
}

// Its last word: what it has not reported by now it has not begun. One that was started by hand may
// live on and come again, so its end is not waited for.
static void take_leave(struct btk_worker_entry *worker)
{
    worker->stage = BTK_WORKER_LEAVING;
    worker->assignment_count = 0;
    btk_channel_close(&worker->channel);
    btk_scheduler_remove_worker(worker->coordinator->scheduler, worker->id, 0);
    if (!worker->is_child) btk_worker_table_bury(worker, btk_clock_now_ns());
}

static void handle_message(struct btk_worker_entry *worker,
                           const struct btk_control_message *message)
{
    switch (message->kind) {
    case BTK_CONTROL_REGISTER:
        if (worker->stage == BTK_WORKER_GREETED && message->register_worker.epoch == worker->epoch)
            btk_worker_send_images(worker);
        return;
    case BTK_CONTROL_IMAGE_READY: take_image_ready(worker, &message->image_ready); return;
    case BTK_CONTROL_DONE: take_reports(worker, &message->done); return;
    case BTK_CONTROL_PING: {
        const struct btk_control_message pong = {
            .kind = BTK_CONTROL_PONG,
            .pong = {.sequence = message->ping.sequence},
        };
        send_control(worker, &pong);
        return;
    }
    case BTK_CONTROL_PONG: return;
    case BTK_CONTROL_DRAINED: take_leave(worker); return;
    default: btk_worker_table_kill(worker, "unexpected message"); return;
    }
}

bool btk_worker_table_receive(struct btk_coordinator *coordinator)
{
    uint8_t routing_id[BTK_SOCKET_ROUTING_BYTES];
    bool is_any = false;
    for (;;) {
        size_t length = 0;
        const int rc = btk_socket_receive(coordinator->router, routing_id, receive_frame,
                                          sizeof receive_frame, &length);
        if (rc == -EPROTO || rc == -EINTR) continue;
        if (rc != 0) return is_any;
        is_any = true;
        struct btk_control_message message;
        struct btk_error error = {0};
        struct btk_worker_entry *worker = find_incarnation(&coordinator->workers, routing_id);
        if (worker == NULL) continue;
        if (btk_control_decode((struct btk_bytes){receive_frame, length}, &message, &error) != 0)
            btk_worker_table_kill(worker, error.message);
        else
            handle_message(worker, &message);
    }
}

// --- Assignments

static void define_options(struct btk_worker_entry *worker, uint32_t options_id)
{
    uint32_t *known = worker->options_known + btk_options_place(options_id);
    const struct btk_options_entry *entry =
        btk_options_table_get(&worker->coordinator->requests, options_id);
    if (*known == options_id || entry == NULL) return;
    *known = options_id;
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_DEFINE_OPTIONS,
        .define_options = {.options_id = options_id,
                           .tokenizer_id = entry->tokenizer_id,
                           .options = btk_batch_options_bytes(&entry->options)},
    };
    send_control(worker, &message);
}

static void send_assignments(struct btk_worker_entry *worker)
{
    if (worker->assignment_count == 0) return;
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_ASSIGN,
        .assign = {.epoch = worker->epoch,
                   .assignments = {(const uint8_t *)worker->assignments,
                                   worker->assignment_count * sizeof *worker->assignments}},
    };
    worker->assignment_count = 0;
    send_control(worker, &message);
}

void btk_worker_table_assign(struct btk_worker_entry *worker,
                             const struct btk_assignment *assignment)
{
    define_options(worker, assignment->options_id);
    if (worker->assignment_count == BTK_WORKER_ASSIGNMENTS_MAX) send_assignments(worker);
    worker->assignments[worker->assignment_count++] = *assignment;
}

void btk_worker_table_flush(struct btk_coordinator *coordinator)
{
    for (uint32_t i = 0; i < coordinator->workers.limit; i++)
        send_assignments(coordinator->workers.entries + i);
}

// --- Clients come and go

// Calls for each worker that has got clients.
#define FOR_EACH_READY(worker, coordinator)                                                        \
    for (struct btk_worker_entry *worker = (coordinator)->workers.entries,                         \
                                 *limit = worker + (coordinator)->workers.limit;                   \
         worker < limit; worker++)                                                                 \
        if (worker->stage == BTK_WORKER_READY)

void btk_worker_table_attach_client(struct btk_coordinator *coordinator, uint32_t client_id,
                                    uint64_t results_bytes)
{
    FOR_EACH_READY(worker, coordinator) send_client(worker, client_id, results_bytes);
}

void btk_worker_table_attach_slab(struct btk_coordinator *coordinator, uint32_t client_id,
                                  uint32_t slab_id, const struct btk_shared_memory *memory)
{
    FOR_EACH_READY(worker, coordinator) send_slab(worker, client_id, slab_id, memory);
}

void btk_worker_table_detach_slab(struct btk_coordinator *coordinator, uint32_t client_id,
                                  uint32_t slab_id)
{
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_DETACH_SLAB,
        .detach_slab = {.client_id = client_id, .slab_id = slab_id},
    };
    FOR_EACH_READY(worker, coordinator) btk_worker_send(worker, &message, NULL, 0);
}

void btk_worker_table_detach_client(struct btk_coordinator *coordinator, uint32_t client_id)
{
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_DETACH_CLIENT,
        .detach_client = {.client_id = client_id},
    };
    FOR_EACH_READY(worker, coordinator) btk_worker_send(worker, &message, NULL, 0);
}

void btk_worker_table_drop_results(struct btk_coordinator *coordinator,
                                   const struct btk_action *action)
{
    struct btk_worker_entry *worker = coordinator->workers.entries + action->worker_id;
    if (worker->stage != BTK_WORKER_READY || worker->epoch != action->epoch) return;
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_RESULTS_DROP,
        .results_drop = {.client_id = action->client_id, .results_id = action->results_id},
    };
    btk_worker_send(worker, &message, NULL, 0);
}

void btk_worker_table_drain(struct btk_coordinator *coordinator)
{
    for (uint32_t i = 0; i < coordinator->workers.limit; i++) {
        struct btk_worker_entry *worker = coordinator->workers.entries + i;
        if (worker->stage < BTK_WORKER_LOADING) {
            btk_worker_table_kill(worker, "the cluster ends");
            if (worker->pidfd >= 0 && btk_pidfd_kill(worker->pidfd, SIGKILL) != 0) errno = 0;
            continue;
        }
        const struct btk_control_message message = {
            .kind = BTK_CONTROL_DRAIN,
            .drain = {.epoch = worker->epoch},
        };
        send_control(worker, &message);
    }
}
