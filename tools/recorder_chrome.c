// SPDX-License-Identifier: Apache-2.0
// The format: "Trace Event Format", JSON object form; ts and dur are in microseconds.
#include <errno.h>

#include "common/buffer.h"
#include "common/json_writer.h"
#include "tools/recorder_print.h"

struct chrome {
    struct btk_json_writer writer;
    uint64_t first_ns;
};

// Stamps of a file may go back; time does not.
static double us_between(uint64_t later_ns, uint64_t earlier_ns)
{
    return later_ns > earlier_ns ? (double)(later_ns - earlier_ns) / 1000 : 0;
}

static void member_text(struct btk_json_writer *writer, const char *name, const char *value)
{
    btk_json_name(writer, name);
    btk_json_string(writer, value);
}

static void member_number(struct btk_json_writer *writer, const char *name, uint64_t value)
{
    btk_json_name(writer, name);
    btk_json_unsigned(writer, value);
}

static void member_us(struct btk_json_writer *writer, const char *name, double us)
{
    btk_json_name(writer, name);
    btk_json_real(writer, us);
}

static void begin_event(struct chrome *chrome, const char *name, const char *phase, uint32_t pid)
{
    struct btk_json_writer *writer = &chrome->writer;
    btk_json_begin_object(writer);
    member_text(writer, "name", name);
    member_text(writer, "cat", "shard");
    member_text(writer, "ph", phase);
    member_number(writer, "pid", pid);
    member_number(writer, "tid", pid);
}

static void write_arguments(struct btk_json_writer *writer, const struct btk_recorded_shard *shard)
{
    const struct btk_recorder_stamps *stamps = &shard->stamps;
    btk_json_name(writer, "args");
    btk_json_begin_object(writer);
    member_number(writer, "client", stamps->client_id);
    member_number(writer, "batch", stamps->batch_id);
    member_number(writer, "shard", stamps->shard_index);
    member_number(writer, "worker", shard->worker_id);
    member_number(writer, "epoch", stamps->epoch);
    member_number(writer, "bytes", stamps->bytes);
    member_number(writer, "documents", stamps->document_count);
    if (shard->is_ended) {
        member_number(writer, "tokens", stamps->tokens);
        member_number(writer, "status", stamps->status);
    }
    btk_json_end_object(writer);
}

// --- Lanes

static void name_process(struct chrome *chrome, const char *name, uint32_t pid)
{
    struct btk_json_writer *writer = &chrome->writer;
    static const char *const kinds[] = {"process_name", "thread_name"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(kinds); i++) {
        begin_event(chrome, kinds[i], "M", pid);
        btk_json_name(writer, "args");
        btk_json_begin_object(writer);
        member_text(writer, "name", name);
        btk_json_end_object(writer);
        btk_json_end_object(writer);
    }
}

// Shards stand in the order of their places, so each process is met once.
static void name_processes(struct chrome *chrome, const struct btk_recording *recording)
{
    char name[64];
    name_process(chrome, "coordinator", recording->header.pid);
    for (size_t i = 0; i < recording->shard_count; i++) {
        const struct btk_recorded_shard *shard = recording->shards + i;
        const bool is_new = i == 0 || shard[-1].worker_id != shard->worker_id
                            || shard[-1].stamps.pid != shard->stamps.pid;
        if (!is_new) continue;
        snprintf(name, sizeof name, "worker %u (epoch %u)", shard->worker_id, shard->stamps.epoch);
        name_process(chrome, name, shard->stamps.pid);
    }
}

// --- Shards

// Begin and end of what waits beside others that wait.
static void write_wait(struct chrome *chrome, const struct btk_recording *recording,
                       const struct btk_recorded_shard *shard, uint64_t ready_ns)
{
    struct btk_json_writer *writer = &chrome->writer;
    const uint32_t pid = recording->header.pid;
    const double begin_us = us_between(shard->stamps.submitted_ns, chrome->first_ns);
    const double us = us_between(ready_ns, shard->stamps.submitted_ns);
    for (int is_end = 0; is_end < 2; is_end++) {
        begin_event(chrome, "queue_wait", is_end ? "e" : "b", pid);
        member_number(writer, "id", shard->stamps.shard_id);
        member_us(writer, "ts", is_end ? begin_us + us : begin_us);
        if (!is_end) write_arguments(writer, shard);
        btk_json_end_object(writer);
    }
}

static void write_part(struct chrome *chrome, const struct btk_recorded_shard *shard,
                       const char *name, uint64_t begin_ns, uint64_t end_ns)
{
    struct btk_json_writer *writer = &chrome->writer;
    begin_event(chrome, name, "X", shard->stamps.pid);
    member_us(writer, "ts", us_between(begin_ns, chrome->first_ns));
    member_us(writer, "dur", us_between(end_ns, begin_ns));
    write_arguments(writer, shard);
    btk_json_end_object(writer);
}

// A shard that its worker did not end is a mark where it began.
static void write_unfinished(struct chrome *chrome, const struct btk_recorded_shard *shard)
{
    struct btk_json_writer *writer = &chrome->writer;
    begin_event(chrome, "tokenization unfinished", "i", shard->stamps.pid);
    member_us(writer, "ts", us_between(shard->stamps.started_ns, chrome->first_ns));
    member_text(writer, "s", "p");
    write_arguments(writer, shard);
    btk_json_end_object(writer);
}

static void write_shard(struct chrome *chrome, const struct btk_recording *recording,
                        const struct btk_recorded_shard *shard)
{
    const struct btk_recorder_stamps *stamps = &shard->stamps;
    const uint64_t ready_ns = btk_max_size(stamps->dispatched_ns, stamps->previous_finish_ns);
    write_wait(chrome, recording, shard, ready_ns);
    write_part(chrome, shard, "ipc_transfer", ready_ns, stamps->started_ns);
    if (shard->is_ended)
        write_part(chrome, shard, "tokenization", stamps->started_ns, stamps->finished_ns);
    else
        write_unfinished(chrome, shard);
}

int btk_recorder_print_chrome(const struct btk_recording *recording, FILE *file)
{
    struct btk_buffer text;
    struct chrome chrome = {.first_ns = btk_recorder_first_ns(recording)};
    btk_buffer_init(&text);
    btk_json_writer_init(&chrome.writer, &text);
    btk_json_begin_object(&chrome.writer);
    member_text(&chrome.writer, "displayTimeUnit", "ns");
    btk_json_name(&chrome.writer, "traceEvents");
    btk_json_begin_array(&chrome.writer);
    name_processes(&chrome, recording);
    for (size_t i = 0; i < recording->shard_count; i++)
        write_shard(&chrome, recording, recording->shards + i);
    btk_json_end_array(&chrome.writer);
    btk_json_end_object(&chrome.writer);
    const int rc = chrome.writer.status;
    if (rc == 0) fprintf(file, "%.*s\n", (int)text.length, (const char *)text.data);
    btk_buffer_clear(&text);
    return rc;
}
