// SPDX-License-Identifier: Apache-2.0
#include "coordinator/status_json.h"

#include "common/clock.h"
#include "common/json_writer.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/latency_json.h"

enum { LISTED_MAX = 64 };

static void write_workers(struct btk_json_writer *writer,
                          const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "workers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < snapshot->worker_count && i < LISTED_MAX; i++) {
        const struct btk_worker_snapshot *worker = snapshot->workers + i;
        btk_json_begin_object(writer);
        btk_latency_json_number(writer, "worker", worker->id);
        btk_latency_json_number(writer, "pid", worker->pid);
        btk_latency_json_number(writer, "epoch", worker->epoch);
        btk_latency_json_number(writer, "cpu", worker->cpu);
        btk_json_name(writer, "ready");
        btk_json_bool(writer, worker->is_ready);
        btk_json_name(writer, "utilization");
        btk_json_real(writer, worker->utilization);
        btk_latency_json_number(writer, "queue_depth", worker->queue_depth);
        btk_latency_json_number(writer, "restarts", worker->restarts);
        btk_latency_json_number(writer, "shards", worker->totals.shards);
        btk_latency_json_number(writer, "documents", worker->totals.documents);
        btk_latency_json_number(writer, "bytes", worker->totals.bytes);
        btk_latency_json_number(writer, "tokens", worker->totals.tokens);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

static void write_clients(struct btk_json_writer *writer, const struct btk_client_table *clients)
{
    uint32_t listed = 0;
    btk_json_name(writer, "clients");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS && listed < LISTED_MAX; i++) {
        const struct btk_client_entry *client = clients->slots[i];
        if (client == NULL || client->sink != NULL) continue;
        listed++;
        btk_json_begin_object(writer);
        btk_latency_json_number(writer, "client", client->id);
        btk_latency_json_number(writer, "pid", client->pid);
        btk_json_name(writer, "name");
        btk_json_string(writer, client->name);
        btk_latency_json_number(writer, "slab_bytes", client->slab_bytes);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

static void write_tokenizers(struct btk_json_writer *writer, const struct btk_image_store *images)
{
    btk_json_name(writer, "tokenizers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < images->names.count; i++) {
        const struct btk_image_name *name = images->names.list + i;
        const struct btk_image_entry *image = images->images + name->slot;
        btk_json_begin_object(writer);
        btk_json_name(writer, "name");
        btk_json_string(writer, name->name);
        btk_latency_json_number(writer, "id", image->tokenizer_id);
        btk_latency_json_number(writer, "image_bytes", image->memory.bytes);
        btk_json_end_object(writer);
    }
    btk_json_end_array(writer);
}

int btk_status_json_write(struct btk_coordinator *coordinator, struct btk_buffer *out_json)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, out_json);
    btk_snapshot_board_update(coordinator, btk_clock_now_ns());
    const struct btk_cluster_snapshot *snapshot =
        btk_snapshot_board_read_begin(&coordinator->board);
    btk_json_begin_object(&writer);
    btk_json_name(&writer, "listen");
    btk_json_string(&writer, coordinator->endpoint.text);
    btk_latency_json_number(&writer, "uptime_ms",
                            (snapshot->taken_ns - snapshot->started_ns) / 1000000);
    btk_json_name(&writer, "draining");
    btk_json_bool(&writer, coordinator->stage >= BTK_COORDINATOR_DRAINING);
    btk_latency_json_number(&writer, "workers_ready", snapshot->ready_count);
    btk_latency_json_number(&writer, "client_count", snapshot->client_count);
    btk_latency_json_counts(&writer, &snapshot->counts);
    btk_json_name(&writer, "latency");
    btk_json_begin_object(&writer);
    btk_latency_json_set(&writer, &snapshot->since_start);
    btk_json_end_object(&writer);
    write_tokenizers(&writer, &coordinator->images);
    write_workers(&writer, snapshot);
    write_clients(&writer, &coordinator->clients);
    btk_json_end_object(&writer);
    btk_snapshot_board_read_end(&coordinator->board);
    return writer.status;
}
