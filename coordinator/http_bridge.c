// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http_bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "coordinator/coordinator_internal.h"
#include "ipc/doorbell.h"

#define SLAB_BYTES (UINT64_C(32) << 20)

struct btk_http_mapping {
    uint64_t results_id;
    struct btk_shared_memory memory;
    struct btk_http_mapping *next;
};

// --- Results memories, the loop's

static void on_results(void *context, uint64_t results_id, int *fd)
{
    struct btk_http_bridge *bridge = context;
    const struct btk_shared_memory_limits limits = {
        .bytes_min = 1,
        .bytes_max = (size_t)1 << 40,
        .needs_sealed = true,
    };
    struct btk_http_mapping *mapping = calloc(1, sizeof *mapping);
    // Without it the blocks that stand there are answered as errors.
    if (mapping == NULL) return;
    if (btk_shared_memory_attach(fd, &limits, &mapping->memory) != 0) {
        free(mapping);
        return;
    }
    btk_shared_memory_close_fd(&mapping->memory);
    mapping->results_id = results_id;
    mapping->next = bridge->mappings;
    bridge->mappings = mapping;
}

static struct btk_http_mapping **find_mapping(struct btk_http_bridge *bridge, uint64_t results_id)
{
    struct btk_http_mapping **link = &bridge->mappings;
    while (*link != NULL && (*link)->results_id != results_id) link = &(*link)->next;
    return link;
}

static void drop_mapping(struct btk_http_mapping **link)
{
    struct btk_http_mapping *mapping = *link;
    *link = mapping->next;
    btk_shared_memory_clear(&mapping->memory);
    free(mapping);
}

// All jobs with blocks there are finished: the scheduler counts them.
static void on_results_gone(void *context, uint64_t results_id)
{
    struct btk_http_mapping **link = find_mapping(context, results_id);
    if (*link != NULL) drop_mapping(link);
}

// --- Completions, the loop's

static struct btk_http_job **flight_slot(struct btk_http_bridge *bridge, uint64_t batch_id)
{
    return bridge->flight + batch_id % BTK_HTTP_JOBS_MAX;
}

// From here on the job is the HTTP thread's.
static void end_job(struct btk_http_bridge *bridge, struct btk_http_job *job, uint32_t status)
{
    if (job->batch_id != 0) *flight_slot(bridge, job->batch_id) = NULL;
    if (job->options_id != 0)
        btk_options_table_release(&bridge->coordinator->requests, job->options_id);
    // A batch that failed has nothing to release.
    if (status != BTK_STATUS_OK && job->block_count == 0) job->batch_id = 0;
    pthread_mutex_lock(&bridge->mutex);
    job->status = status;
    job->is_done = true;
    pthread_mutex_unlock(&bridge->mutex);
    job->resume(job->resume_context);
}

static int add_block(struct btk_http_bridge *bridge, struct btk_http_job *job,
                     const struct btk_completion *completion)
{
    if (job->block_count == job->block_capacity) {
        const uint32_t capacity = job->block_capacity * 2 + 4;
        struct btk_http_block *blocks = realloc(job->blocks, capacity * sizeof *blocks);
        if (blocks == NULL) return -ENOMEM;
        job->blocks = blocks;
        job->block_capacity = capacity;
    }
    struct btk_http_block block = {
        .first_document = completion->first_document,
        .document_count = completion->document_count,
        .status = completion->status,
    };
    const struct btk_http_mapping *mapping = *find_mapping(bridge, completion->results_id);
    if (completion->results_id != 0) {
        if (mapping == NULL
            || !btk_range_is_inside(completion->offset, completion->bytes, mapping->memory.bytes))
            return -EPROTO;
        block.data = (const uint8_t *)mapping->memory.address + completion->offset;
        block.bytes = completion->bytes;
    }
    job->blocks[job->block_count++] = block;
    return 0;
}

static void on_completion(void *context, const struct btk_completion *completion)
{
    struct btk_http_bridge *bridge = context;
    struct btk_http_job *job = *flight_slot(bridge, completion->batch_id);
    if (job == NULL || job->batch_id != completion->batch_id) return;
    switch (completion->kind) {
    case BTK_COMPLETION_SHARD:
        // A block that cannot be told of leaves a hole, which the answer finds.
        if (add_block(bridge, job, completion) != 0) errno = 0;
        return;
    case BTK_COMPLETION_BATCH: end_job(bridge, job, BTK_STATUS_OK); return;
    default:
        job->block_count = 0;
        job->retry_after_ms = completion->retry_after_ms;
        end_job(bridge, job, completion->status);
        return;
    }
}

// --- Jobs, the loop's

static void free_job(struct btk_http_job *job)
{
    free(job->blocks);
    free(job);
}

static uint64_t next_batch_id(struct btk_http_bridge *bridge)
{
    for (int i = 0; i < BTK_HTTP_JOBS_MAX; i++)
        if (*flight_slot(bridge, ++bridge->last_batch_id) == NULL) return bridge->last_batch_id;
    return 0;
}

// As a client in another process would.
static void submit_trace(struct btk_http_bridge *bridge, const struct btk_http_job *job)
{
    const struct btk_submission_trace trace = {
        .kind = BTK_SUBMISSION_TRACE,
        .batch_id = job->batch_id,
        .parent = job->trace,
    };
    struct btk_submission submission;
    if (!job->trace.is_there) return;
    memcpy(&submission, &trace, sizeof submission);
    btk_client_table_submit(bridge->client, &submission, 0);
}

static void start_job(struct btk_http_bridge *bridge, struct btk_http_job *job)
{
    struct btk_coordinator *coordinator = bridge->coordinator;
    struct btk_options_entry entry = {.options = job->options};
    const struct btk_image_name *name =
        btk_image_names_find(&coordinator->images.names, job->tokenizer);
    if (name == NULL) {
        end_job(bridge, job, BTK_STATUS_UNKNOWN_TOKENIZER);
        return;
    }
    entry.tokenizer_id = coordinator->images.images[name->slot].tokenizer_id;
    job->tokenizer_id = entry.tokenizer_id;
    const uint64_t batch_id = next_batch_id(bridge);
    if (batch_id == 0
        || btk_options_table_acquire(&coordinator->requests, &entry, &job->options_id) != 0)
    {
        end_job(bridge, job, BTK_STATUS_OVERLOADED);
        return;
    }
    job->batch_id = batch_id;
    *flight_slot(bridge, batch_id) = job;
    const struct btk_submission submission = {
        .kind = BTK_SUBMISSION_SUBMIT,
        .op = (uint8_t)job->options.op,
        .slab_id = (uint16_t)bridge->client->slabs->id,
        .options_id = job->options_id,
        .batch_id = batch_id,
        .submitted_ns = job->submitted_ns,
        .table_offset = job->table_offset,
        .text_offset = job->text_offset,
        .text_bytes = job->text_bytes,
        .document_count = job->document_count,
        .flags = job->flags,
    };
    submit_trace(bridge, job);
    btk_client_table_submit(bridge->client, &submission, btk_clock_now_ns());
}

static void release_job(struct btk_http_bridge *bridge, struct btk_http_job *job)
{
    const struct btk_submission release = {
        .kind = BTK_SUBMISSION_RELEASE,
        .batch_id = job->batch_id,
        .submitted_ns = job->finished_ns,
    };
    if (job->batch_id != 0) btk_client_table_submit(bridge->client, &release, btk_clock_now_ns());
    free_job(job);
}

static struct btk_http_job *take_queue(struct btk_http_bridge *bridge)
{
    pthread_mutex_lock(&bridge->mutex);
    struct btk_http_job *job = bridge->first;
    bridge->first = NULL;
    bridge->last = NULL;
    pthread_mutex_unlock(&bridge->mutex);
    return job;
}

static void on_bell(void *context, int fd, uint32_t events BTK_UNUSED)
{
    struct btk_http_bridge *bridge = context;
    btk_doorbell_clear(fd);
    struct btk_http_job *job = take_queue(bridge);
    while (job != NULL) {
        struct btk_http_job *next = job->next;
        if (job->is_finished)
            release_job(bridge, job);
        else
            start_job(bridge, job);
        job = next;
    }
}

// --- Life, the loop's

int btk_http_bridge_open(struct btk_http_bridge *bridge, struct btk_coordinator *coordinator)
{
    bridge->coordinator = coordinator;
    bridge->bell = -1;
    pthread_mutex_init(&bridge->mutex, NULL);
    bridge->sink = (struct btk_client_sink){
        .on_completion = on_completion,
        .on_results = on_results,
        .on_results_gone = on_results_gone,
        .context = bridge,
    };
    void *address = NULL;
    int rc = btk_doorbell_create(&bridge->bell);
    if (rc == 0) rc = btk_loop_add_fd(coordinator->loop, bridge->bell, EPOLLIN, on_bell, bridge);
    if (rc == 0)
        rc = btk_client_table_add_internal(coordinator, &bridge->sink, SLAB_BYTES, &address,
                                           &bridge->client);
    if (rc != 0) return rc;
    bridge->slab_address = address;
    btk_slab_init(&bridge->room, bridge->client->slabs->memory.bytes);
    return 0;
}

bool btk_http_bridge_uses_image(const struct btk_http_bridge *bridge, uint32_t tokenizer_id)
{
    for (int i = 0; i < BTK_HTTP_JOBS_MAX; i++)
        if (bridge->flight[i] != NULL && bridge->flight[i]->tokenizer_id == tokenizer_id)
            return true;
    return false;
}

bool btk_http_bridge_is_settled(struct btk_http_bridge *bridge)
{
    pthread_mutex_lock(&bridge->mutex);
    const bool is_settled = bridge->open_count == 0;
    pthread_mutex_unlock(&bridge->mutex);
    return is_settled;
}

void btk_http_bridge_refuse_all(struct btk_http_bridge *bridge)
{
    pthread_mutex_lock(&bridge->mutex);
    bridge->is_closed = true;
    pthread_mutex_unlock(&bridge->mutex);
    on_bell(bridge, bridge->bell, 0);
    for (int i = 0; i < BTK_HTTP_JOBS_MAX; i++) {
        struct btk_http_job *job = bridge->flight[i];
        if (job == NULL) continue;
        end_job(bridge, job, BTK_STATUS_SHUTTING_DOWN);
    }
}

void btk_http_bridge_close(struct btk_http_bridge *bridge)
{
    if (bridge->coordinator == NULL) return;
    struct btk_http_job *job = take_queue(bridge);
    while (job != NULL) {
        struct btk_http_job *next = job->next;
        free_job(job);
        job = next;
    }
    while (bridge->mappings != NULL) drop_mapping(&bridge->mappings);
    btk_loop_remove_fd(bridge->coordinator->loop, bridge->bell);
    if (bridge->bell >= 0) close(bridge->bell);
    pthread_mutex_destroy(&bridge->mutex);
    bridge->coordinator = NULL;
}

// --- The HTTP thread's

int btk_http_bridge_reserve(struct btk_http_bridge *bridge, struct btk_http_job *job,
                            uint64_t text_bytes, uint32_t document_count)
{
    const uint64_t table_bytes =
        btk_align_up(document_count * sizeof(uint64_t), BTK_SLAB_ALIGNMENT);
    uint64_t offset = 0;
    const int rc = btk_slab_acquire(&bridge->room, table_bytes + text_bytes, &offset);
    if (rc != 0) return rc;
    job->room_offset = offset;
    job->table_offset = offset;
    job->text_offset = offset + table_bytes;
    job->text_bytes = text_bytes;
    job->document_count = document_count;
    return 0;
}

// False: nobody takes it any more.
static bool queue_job(struct btk_http_bridge *bridge, struct btk_http_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&bridge->mutex);
    const bool is_open = !bridge->is_closed;
    if (is_open && bridge->last != NULL)
        bridge->last->next = job;
    else if (is_open)
        bridge->first = job;
    if (is_open) bridge->last = job;
    pthread_mutex_unlock(&bridge->mutex);
    if (is_open) btk_doorbell_ring(bridge->bell);
    return is_open;
}

void btk_http_bridge_submit(struct btk_http_bridge *bridge, struct btk_http_job *job)
{
    job->submitted_ns = btk_clock_now_ns();
    pthread_mutex_lock(&bridge->mutex);
    bridge->open_count++;
    pthread_mutex_unlock(&bridge->mutex);
    if (queue_job(bridge, job)) return;
    job->status = BTK_STATUS_SHUTTING_DOWN;
    job->is_done = true;
    job->resume(job->resume_context);
}

bool btk_http_bridge_is_done(struct btk_http_bridge *bridge, const struct btk_http_job *job)
{
    pthread_mutex_lock(&bridge->mutex);
    const bool is_done = job->is_done;
    pthread_mutex_unlock(&bridge->mutex);
    return is_done;
}

void btk_http_bridge_leave(struct btk_http_bridge *bridge)
{
    pthread_mutex_lock(&bridge->mutex);
    bridge->open_count--;
    pthread_mutex_unlock(&bridge->mutex);
}

void btk_http_bridge_record_return(struct btk_http_bridge *bridge, const struct btk_http_job *job)
{
    struct btk_result_header header;
    const uint64_t now_ns = btk_clock_now_ns();
    for (uint32_t i = 0; i < job->block_count; i++) {
        if (job->blocks[i].data == NULL || job->blocks[i].bytes < sizeof header) continue;
        memcpy(&header, job->blocks[i].data, sizeof header);
        if (header.finished_ns <= now_ns)
            btk_histogram_record(&bridge->returned, now_ns - header.finished_ns);
    }
}

void btk_http_bridge_finish(struct btk_http_bridge *bridge, struct btk_http_job **job_at)
{
    struct btk_http_job *job = *job_at;
    *job_at = NULL;
    if (job == NULL) return;
    if (job->document_count > 0) btk_slab_release(&bridge->room, job->room_offset);
    const bool needs_release = job->is_done && job->batch_id != 0;
    job->is_finished = true;
    job->finished_ns = btk_clock_now_ns();
    if (!needs_release || !queue_job(bridge, job)) free_job(job);
}
