// SPDX-License-Identifier: Apache-2.0
// Submissions in, completions and results out.
#include <string.h>

#include "common/clock.h"
#include "coordinator/client_internal.h"
#include "coordinator/coordinator_internal.h"
#include "ipc/doorbell.h"

enum { SUBMISSIONS_AT_ONCE = 32, WAITING_RETRY_NS = 1000 * 1000 };

// --- Submissions

static enum btk_status look_up(struct btk_client_entry *client, struct btk_batch_request *request,
                               struct btk_client_slab **out_slab)
{
    const struct btk_submission *submission = &request->submission;
    struct btk_error error = {0};
    struct btk_client_slab *slab = btk_client_slabs_find(client, submission->slab_id);
    if (slab == NULL || btk_submission_check(submission, slab->memory.bytes, &error) != 0)
        return BTK_STATUS_MALFORMED;
    const struct btk_options_entry *options =
        btk_options_table_get(&client->coordinator->requests, submission->options_id);
    if (options == NULL) return BTK_STATUS_UNKNOWN_TOKENIZER;
    if (options->options.op != submission->op) return BTK_STATUS_MALFORMED;
    request->shape = btk_result_shape_of(&options->options);
    request->ends =
        (const void *)((const uint8_t *)slab->memory.address + submission->table_offset);
    *out_slab = slab;
    return BTK_STATUS_OK;
}

// Whether the batch is traced, and by which number.
static uint32_t begin_trace(struct btk_client_entry *client,
                            const struct btk_submission *submission, uint64_t now_ns)
{
    static const struct btk_trace_parent none;
    struct btk_coordinator *coordinator = client->coordinator;
    const bool is_named = client->trace.batch_id == submission->batch_id;
    const struct btk_options_entry *options =
        btk_options_table_get(&coordinator->requests, submission->options_id);
    const struct btk_image_entry *image =
        options == NULL ? NULL : btk_image_store_by_id(&coordinator->images, options->tokenizer_id);
    return btk_tracer_begin(coordinator->tracer, is_named ? &client->trace.parent : &none,
                            submission, image == NULL ? "" : image->name, now_ns);
}

static void release_batch(struct btk_client_entry *client, const struct btk_submission *submission,
                          uint64_t now_ns)
{
    struct btk_coordinator *coordinator = client->coordinator;
    if (coordinator->tracer != NULL) {
        const uint32_t trace =
            btk_scheduler_trace(coordinator->scheduler, client->id, submission->batch_id);
        btk_tracer_note_returned(coordinator->tracer, trace, submission->submitted_ns, now_ns);
    }
    btk_scheduler_release(coordinator->scheduler, client->id, submission->batch_id);
}

static void submit_batch(struct btk_client_entry *client, const struct btk_submission *submission,
                         uint64_t now_ns)
{
    struct btk_scheduler *scheduler = client->coordinator->scheduler;
    struct btk_batch_request request = {.client_id = client->id, .submission = *submission};
    struct btk_client_slab *slab = NULL;
    if (client->coordinator->tracer != NULL)
        request.trace = begin_trace(client, submission, now_ns);
    const enum btk_status status = look_up(client, &request, &slab);
    if (status != BTK_STATUS_OK) {
        // Nothing was pinned; the unpin that follows must not take somebody else's.
        request.submission.slab_id = 0;
        btk_scheduler_refuse(scheduler, &request, status);
        return;
    }
    slab->pins++;
    btk_scheduler_submit(scheduler, &request, now_ns);
}

void btk_client_table_submit(struct btk_client_entry *client,
                             const struct btk_submission *submission, uint64_t now_ns)
{
    struct btk_scheduler *scheduler = client->coordinator->scheduler;
    switch (submission->kind) {
    case BTK_SUBMISSION_SUBMIT: submit_batch(client, submission, now_ns); return;
    case BTK_SUBMISSION_RELEASE: release_batch(client, submission, now_ns); return;
    case BTK_SUBMISSION_TRACE: memcpy(&client->trace, submission, sizeof client->trace); return;
    case BTK_SUBMISSION_CANCEL:
        btk_scheduler_cancel(scheduler, client->id, submission->batch_id);
        return;
    default: btk_client_table_drop(client, "unknown submission"); return;
    }
}

// One batch of submissions a turn, so that no client keeps the loop: the bell is rung again for
// what is left.
void btk_client_on_bell(void *context, int fd, uint32_t events BTK_UNUSED)
{
    struct btk_client_entry *client = context;
    struct btk_submission submissions[SUBMISSIONS_AT_ONCE];
    btk_doorbell_clear(fd);
    btk_client_push_waiting(client);
    if (client->is_leaving) return;
    const int count =
        btk_ring_try_pop(&client->submissions, submissions, BTK_ARRAY_COUNT(submissions));
    if (count < 0) {
        btk_client_table_drop(client, "the ring of submissions is broken");
        return;
    }
    if (count == (int)BTK_ARRAY_COUNT(submissions)) btk_doorbell_ring(fd);
    const uint64_t now_ns = btk_clock_now_ns();
    for (int i = 0; i < count && !client->is_leaving; i++)
        btk_client_table_submit(client, submissions + i, now_ns);
}

// --- Completions

static void retry_waiting(void *context)
{
    struct btk_coordinator *coordinator = context;
    struct btk_client_table *table = &coordinator->clients;
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++)
        if (table->slots[i] != NULL) btk_client_push_waiting(table->slots[i]);
    if (table->waiting_count > 0) return;
    btk_loop_remove_timer(coordinator->loop, table->waiting_timer);
    table->waiting_timer = -1;
}

// A client does not ring when it has taken completions, so a full ring is looked at by a timer,
// which only runs while there is one.
static void begin_waiting(struct btk_client_entry *client)
{
    struct btk_client_table *table = &client->coordinator->clients;
    table->waiting_count++;
    if (table->waiting_timer >= 0) return;
    if (btk_loop_add_timer(client->coordinator->loop, WAITING_RETRY_NS, retry_waiting,
                           client->coordinator, &table->waiting_timer)
        != 0)
        table->waiting_timer = -1;
}

void btk_client_waiting_clear(struct btk_client_entry *client)
{
    if (client->waiting.length > 0) client->coordinator->clients.waiting_count--;
    client->waiting_offset = 0;
    btk_buffer_clear(&client->waiting);
}

// What was moved is cut off when it is most of the buffer.
static void compact_waiting(struct btk_client_entry *client)
{
    struct btk_buffer *waiting = &client->waiting;
    if (client->waiting_offset < waiting->length / 2) return;
    waiting->length -= client->waiting_offset;
    memmove(waiting->data, waiting->data + client->waiting_offset, waiting->length);
    client->waiting_offset = 0;
}

void btk_client_push_waiting(struct btk_client_entry *client)
{
    // What a completion names is told first.
    if (client->waiting.length == 0 || client->channel.queued_count > 0) return;
    while (client->waiting_offset < client->waiting.length) {
        const int rc =
            btk_ring_try_push(&client->completions, client->waiting.data + client->waiting_offset);
        if (rc == 0) {
            compact_waiting(client);
            return;
        }
        if (rc < 0) {
            btk_client_table_drop(client, "the ring of completions is broken");
            return;
        }
        client->waiting_offset += sizeof(struct btk_completion);
        client->needs_bell = true;
        btk_client_touch(client);
    }
    btk_client_waiting_clear(client);
}

void btk_client_table_complete(struct btk_client_entry *client,
                               const struct btk_completion *completion)
{
    if (client->is_leaving) return;
    if (client->sink != NULL) {
        client->sink->on_completion(client->sink->context, completion);
        return;
    }
    client->needs_bell = true;
    btk_client_touch(client);
    const bool must_wait = client->waiting.length > 0 || client->channel.queued_count > 0;
    const int rc = must_wait ? 0 : btk_ring_try_push(&client->completions, completion);
    if (rc == 1) return;
    const bool is_first = client->waiting.length == 0;
    // Not dropped here: the scheduler is in the middle of something. The bell finds it broken.
    if (rc < 0 || btk_buffer_append(&client->waiting, completion, sizeof *completion) != 0) {
        client->is_broken = true;
        return;
    }
    if (is_first) begin_waiting(client);
}

bool btk_client_table_is_settled(const struct btk_client_table *table)
{
    for (uint32_t i = 0; i < BTK_SCHEDULER_CLIENT_SLOTS; i++) {
        struct btk_client_entry *client = table->slots[i];
        if (client == NULL || client->is_leaving || client->sink != NULL) continue;
        const int64_t free_slots = btk_ring_free_slots(&client->completions);
        if (client->waiting.length > 0 || client->channel.queued_count > 0
            || (free_slots >= 0 && free_slots < (int64_t)BTK_COMPLETION_SLOTS))
            return false;
    }
    return true;
}

// --- Results

void btk_client_table_give_results(struct btk_client_entry *client,
                                   const struct btk_results_memory *memory, int *fd)
{
    if (client->sink != NULL) {
        client->sink->on_results(client->sink->context, memory->results_id, fd);
        return;
    }
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_CLIENT_RESULTS,
        .client_results = {.results_id = memory->results_id,
                           .worker_id = memory->worker_id,
                           .epoch = memory->epoch,
                           .bytes = memory->bytes},
    };
    btk_client_send(client, &message, fd, 1);
    // A program that does not call the library for a while: what was done for it has to fit.
    if (btk_channel_is_congested(&client->channel))
        btk_scheduler_pause_client(client->coordinator->scheduler, client->id, true);
}

void btk_client_table_results_gone(struct btk_client_entry *client, uint64_t results_id)
{
    if (client->is_leaving) return;
    if (client->sink != NULL) {
        client->sink->on_results_gone(client->sink->context, results_id);
        return;
    }
    const struct btk_control_message message = {
        .kind = BTK_CONTROL_RESULTS_GONE,
        .results_gone = {.results_id = results_id},
    };
    if (btk_channel_send(&client->channel, &message, NULL, 0) != 0) client->is_broken = true;
    if (client->is_broken) btk_client_touch(client);
}
