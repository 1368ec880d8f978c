// SPDX-License-Identifier: Apache-2.0
#include "coordinator/status_json.h"

#include "common/clock.h"
#include "common/json_writer.h"
#include "coordinator/coordinator_internal.h"
#include "coordinator/latency_json.h"

enum { LISTED_MAX = 64 };

// The last ten seconds of a worker, in few words: there may be many workers.
static void write_recent(struct btk_json_writer *writer,
                         const struct btk_histogram_snapshot *recent)
{
    btk_json_name(writer, "recent_p50_us");
    btk_json_real(writer, (double)btk_histogram_percentile(recent, 0.5) / 1000);
    btk_json_name(writer, "recent_p99_us");
    btk_json_real(writer, (double)btk_histogram_percentile(recent, 0.99) / 1000);
}

static void write_workers(struct btk_json_writer *writer,
                          const struct btk_cluster_snapshot *snapshot)
{
    btk_json_name(writer, "workers");
    btk_json_begin_array(writer);
    for (uint32_t i = 0; i < snapshot->worker_count && i < LISTED_MAX; i++) {
        const struct btk_worker_snapshot *worker = snapshot->workers + i;
        btk_json_begin_object(writer);
        btk_latency_json_worker(writer, worker);
        write_recent(writer, worker->last_10s.parts + BTK_LATENCY_TOKENIZATION);
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
    btk_latency_json_cluster(&writer, snapshot);
    btk_latency_json_window(&writer, "latency", &snapshot->since_start);
    btk_latency_json_window(&writer, "latency_10s", &snapshot->last_10s);
    btk_latency_json_window(&writer, "latency_60s", &snapshot->last_60s);
    btk_latency_json_tokenizers(&writer, snapshot);
    write_workers(&writer, snapshot);
    write_clients(&writer, &coordinator->clients);
    btk_json_end_object(&writer);
    btk_snapshot_board_read_end(&coordinator->board);
    return writer.status;
}
