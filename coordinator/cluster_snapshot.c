// SPDX-License-Identifier: Apache-2.0
#include "coordinator/cluster_snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "common/profile.h"
#include "coordinator/coordinator_internal.h"

#define SECOND_NS UINT64_C(1000000000)

int btk_snapshot_board_init(struct btk_snapshot_board *board)
{
    *board = (struct btk_snapshot_board){0};
    pthread_mutex_init(&board->mutex, NULL);
    board->published = calloc(1, sizeof *board->published);
    board->next = calloc(1, sizeof *board->next);
    return board->published == NULL || board->next == NULL ? -ENOMEM : 0;
}

void btk_snapshot_board_clear(struct btk_snapshot_board *board)
{
    free(board->published);
    free(board->next);
    pthread_mutex_destroy(&board->mutex);
}

static void take_worker(struct btk_coordinator *coordinator, const struct btk_worker_entry *worker,
                        struct btk_cluster_snapshot *snapshot)
{
    struct btk_worker_snapshot *out = snapshot->workers + worker->id;
    out->id = worker->id;
    out->pid = worker->stage == BTK_WORKER_EMPTY ? 0 : worker->pid;
    out->epoch = worker->epoch;
    out->cpu = worker->cpu;
    out->is_ready = worker->stage == BTK_WORKER_READY;
    out->queue_depth = btk_scheduler_worker_load(coordinator->scheduler, worker->id);
    out->restarts = worker->restarts_total;
    out->utilization = out->is_ready ? coordinator->board.utilization[worker->id] : 0;
    btk_latency_read_worker(&coordinator->latency, worker->id, worker->page.address, &out->totals);
    for (int i = 0; i < BTK_LATENCY_PARTS; i++)
        btk_histogram_merge(snapshot->since_start.parts + i, out->totals.latency.parts + i);
    btk_latency_window_worker(&coordinator->latency, worker->id, &out->totals.latency, 10,
                              &out->last_10s);
    btk_latency_window_worker(&coordinator->latency, worker->id, &out->totals.latency, 60,
                              &out->last_60s);
}

static void take_tokenizers(const struct btk_image_store *images,
                            struct btk_cluster_snapshot *snapshot)
{
    snapshot->tokenizers = images->names;
    for (uint32_t i = 0; i < images->names.count; i++) {
        const struct btk_image_entry *image = images->images + images->names.list[i].slot;
        snapshot->tokenizer_list[i] = (struct btk_tokenizer_snapshot){
            .id = image->tokenizer_id, .image_bytes = image->memory.bytes};
    }
}

static void add_profile(const struct btk_tokenizer_profiles *profiles, uint32_t tokenizer_id,
                        struct btk_profile *total)
{
    for (uint32_t i = 0; i < profiles->count; i++)
        if (profiles->list[i].tokenizer_id == tokenizer_id)
            btk_profile_add(total, &profiles->list[i].profile);
}

static uint32_t tokenizer_id_of(const struct btk_coordinator *coordinator,
                                const struct btk_cluster_snapshot *snapshot, uint32_t name)
{
    return coordinator->images.images[snapshot->tokenizers.list[name].slot].tokenizer_id;
}

// Of the tokenizers that have a name now.
static void take_profiles(const struct btk_coordinator *coordinator,
                          struct btk_cluster_snapshot *snapshot)
{
    snapshot->has_profiles = coordinator->options.shows_profiles;
    if (!snapshot->has_profiles) return;
    struct btk_tokenizer_profiles profiles = {0};
    for (uint32_t i = 0; i < snapshot->tokenizers.count; i++)
        btk_latency_want_profile(&profiles, tokenizer_id_of(coordinator, snapshot, i));
    btk_latency_add_kept_profiles(&coordinator->latency, &profiles);
    for (uint32_t i = 0; i < coordinator->workers.limit; i++)
        btk_latency_add_profiles(&profiles, coordinator->workers.entries[i].page.address);
    for (uint32_t i = 0; i < snapshot->tokenizers.count; i++) {
        snapshot->profiles[i] = (struct btk_profile){0};
        add_profile(&profiles, tokenizer_id_of(coordinator, snapshot, i), &snapshot->profiles[i]);
    }
}

static void take_clients(const struct btk_client_table *clients,
                         struct btk_cluster_snapshot *snapshot)
{
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++) {
        const struct btk_client_entry *client = clients->slots[i];
        if (client == NULL) continue;
        btk_latency_add_client(snapshot->since_start.parts + BTK_LATENCY_RETURN,
                               client->client_page.address);
        snapshot->slab_bytes += client->slab_bytes;
        if (client->sink == NULL) snapshot->client_count++;
    }
}

// Utilization is what workers were busy of the last second.
static void pass_second(struct btk_coordinator *coordinator,
                        const struct btk_cluster_snapshot *snapshot)
{
    struct btk_snapshot_board *board = &coordinator->board;
    const uint64_t passed_ns = snapshot->taken_ns - board->last_second_ns;
    if (passed_ns < SECOND_NS) return;
    for (uint32_t i = 0; i < snapshot->worker_count; i++) {
        const uint64_t busy_ns = snapshot->workers[i].totals.busy_ns;
        const double share = (double)(busy_ns - board->busy_ns[i]) / (double)passed_ns;
        board->utilization[i] = share > 1 ? 1 : share;
        board->busy_ns[i] = busy_ns;
        // Before its first shard all of a place's seconds are empty, as a new ring is.
        if (snapshot->workers[i].totals.shards != 0)
            btk_latency_push_worker(&coordinator->latency, i, &snapshot->workers[i].totals.latency);
    }
    board->last_second_ns = snapshot->taken_ns;
    btk_latency_push_second(&coordinator->latency, &snapshot->since_start);
}

static void take(struct btk_coordinator *coordinator, uint64_t now_ns,
                 struct btk_cluster_snapshot *snapshot)
{
    snapshot->taken_ns = now_ns;
    snapshot->uptime_ns = now_ns - coordinator->started_ns;
    snapshot->stage = (int)coordinator->stage;
    snapshot->client_count = 0;
    snapshot->slab_bytes = 0;
    snapshot->ready_count = btk_worker_table_ready_count(&coordinator->workers);
    take_tokenizers(&coordinator->images, snapshot);
    snapshot->worker_count = coordinator->workers.limit;
    snapshot->since_start = (struct btk_latency_set){0};
    snapshot->since_start.parts[BTK_LATENCY_RETURN] = coordinator->latency.kept_returned;
    btk_scheduler_counts(coordinator->scheduler, &snapshot->counts);
    const struct btk_otlp_counts spans = btk_tracer_counts(coordinator->tracer);
    snapshot->trace_spans_exported = spans.exported;
    snapshot->trace_spans_dropped = spans.dropped;
    for (uint32_t i = 0; i < coordinator->workers.limit; i++)
        take_worker(coordinator, coordinator->workers.entries + i, snapshot);
    take_profiles(coordinator, snapshot);
    take_clients(&coordinator->clients, snapshot);
    btk_http_add_returned(coordinator->http, snapshot->since_start.parts + BTK_LATENCY_RETURN);
    btk_latency_window(&coordinator->latency, &snapshot->since_start, 10, &snapshot->last_10s);
    btk_latency_window(&coordinator->latency, &snapshot->since_start, 60, &snapshot->last_60s);
    pass_second(coordinator, snapshot);
}

void btk_snapshot_board_update(struct btk_coordinator *coordinator, uint64_t now_ns)
{
    struct btk_snapshot_board *board = &coordinator->board;
    take(coordinator, now_ns, board->next);
    if (pthread_mutex_trylock(&board->mutex) != 0) return;
    struct btk_cluster_snapshot *published = board->published;
    board->published = board->next;
    board->next = published;
    pthread_mutex_unlock(&board->mutex);
}

const struct btk_cluster_snapshot *btk_snapshot_board_read_begin(struct btk_snapshot_board *board)
{
    pthread_mutex_lock(&board->mutex);
    return board->published;
}

void btk_snapshot_board_read_end(struct btk_snapshot_board *board)
{
    pthread_mutex_unlock(&board->mutex);
}
