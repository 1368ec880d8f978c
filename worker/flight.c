// SPDX-License-Identifier: Apache-2.0
#include "worker/flight.h"

#include <errno.h>
#include <unistd.h>

#include "common/log.h"

void btk_flight_open(struct btk_flight *flight, const struct btk_endpoint *endpoint,
                     uint32_t worker_id)
{
    struct btk_error error = {0};
    const int rc = btk_recorder_attach(endpoint, worker_id, &flight->recorder, &error);
    if (rc != 0)
        btk_log(rc == -ENOENT ? BTK_LOG_DEBUG : BTK_LOG_WARN, "worker", "not_recorded",
                "worker=%u error=%s", worker_id, error.message);
    flight->stamps.pid = (uint32_t)getpid();
}

void btk_flight_begin(struct btk_flight *flight, const struct btk_assignment *assignment,
                      const struct btk_shard_report *report, uint64_t previous_finish_ns)
{
    if (flight->recorder.entries == NULL) return;
    flight->stamps = (struct btk_recorder_stamps){
        .shard_id = assignment->shard_id,
        .batch_id = assignment->batch_id,
        .client_id = assignment->client_id,
        .shard_index = assignment->shard_index,
        .epoch = report->epoch,
        .pid = flight->stamps.pid,
        .op = assignment->op,
        .document_count = assignment->document_count,
        .bytes = assignment->shard_bytes,
        .submitted_ns = assignment->submitted_ns,
        .dispatched_ns = assignment->dispatched_ns,
        .previous_finish_ns = previous_finish_ns,
        .started_ns = report->started_ns,
    };
    btk_recorder_begin(&flight->recorder, &flight->stamps);
}

void btk_flight_end(struct btk_flight *flight, const struct btk_shard_report *report)
{
    if (flight->recorder.entries == NULL) return;
    flight->stamps.status = report->status;
    flight->stamps.document_errors = report->document_errors;
    flight->stamps.tokens = report->token_count;
    flight->stamps.result_bytes = report->result_bytes;
    flight->stamps.finished_ns = report->finished_ns;
    btk_recorder_end(&flight->recorder, &flight->stamps);
}

void btk_flight_close(struct btk_flight *flight)
{
    btk_recorder_detach(&flight->recorder);
}
