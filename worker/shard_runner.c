// SPDX-License-Identifier: Apache-2.0
#include "worker/shard_runner.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/probes.h"

// The largest block in a memfd of its own: a reader does not map more.
#define OWN_BLOCK_BYTES_MAX (UINT64_C(1) << 40)

// What one run carries from step to step.
struct run {
    const struct btk_assignment *assignment;
    const struct btk_attached_client *client;
    const uint8_t *slab;
    struct btk_loaded_image *image;
    struct btk_shard shard;
    struct btk_result_block block;
    struct btk_shard_report report;
};

uint64_t btk_shard_runner_next_results_id(struct btk_shard_runner *runner)
{
    return (uint64_t)runner->epoch << 32 | ++runner->results_counter;
}

struct btk_shard_report btk_shard_runner_refuse(const struct btk_shard_runner *runner,
                                                const struct btk_assignment *assignment,
                                                uint32_t status)
{
    const uint64_t now_ns = btk_clock_now_ns();
    return (struct btk_shard_report){
        .shard_id = assignment->shard_id,
        .epoch = runner->epoch,
        .status = status,
        .started_ns = now_ns,
        .finished_ns = now_ns,
    };
}

static bool has_own_memory(const struct run *run)
{
    return (run->assignment->flags & BTK_ASSIGNMENT_OWN_MEMFD) != 0;
}

// --- Before

static uint32_t malformed(const struct btk_assignment *assignment, const char *why)
{
    btk_log(BTK_LOG_DEBUG, "worker", "shard_refused", "shard=%llu reason=%s",
            (unsigned long long)assignment->shard_id, why);
    return BTK_STATUS_MALFORMED;
}

// Finds what the assignment names, and checks it against that.
static uint32_t resolve(struct btk_shard_runner *runner, struct run *run)
{
    const struct btk_assignment *assignment = run->assignment;
    struct btk_error error = {0};
    run->client = btk_attached_clients_find(&runner->clients, assignment->client_id);
    if (run->client == NULL) return malformed(assignment, "unknown client");
    const struct btk_shared_memory *slab =
        btk_attached_client_find_slab(run->client, assignment->slab_id);
    if (slab == NULL) return malformed(assignment, "unknown slab");
    run->slab = slab->address;
    if (btk_assignment_check(assignment, slab->bytes, run->client->results.bytes, &error) != 0)
        return malformed(assignment, error.message);
    const struct btk_defined_options *defined =
        btk_options_table_find(&runner->options, assignment->options_id);
    if (defined == NULL || defined->options.op != assignment->op)
        return malformed(assignment, "unknown options");
    run->shard.options = &defined->options;
    run->image = btk_image_table_find(&runner->images, defined->tokenizer_id);
    return run->image == NULL ? BTK_STATUS_UNKNOWN_TOKENIZER : BTK_STATUS_OK;
}

static uint32_t open_shard(struct btk_shard_runner *runner, struct run *run)
{
    struct btk_error error = {0};
    run->shard.tokenizer = run->image->tokenizer;
    run->shard.scratch = run->image->scratch;
    run->shard.workspace = &runner->workspace;
    run->shard.page = runner->page;
    const int rc = btk_shard_open(&run->shard, run->assignment, run->slab, &error);
    if (rc == 0) return BTK_STATUS_OK;
    if (rc == -ENOMEM) return BTK_STATUS_OUT_OF_MEMORY;
    return malformed(run->assignment, error.message);
}

// In the results memory of the client, or in private room for `bound` bytes.
static int choose_room(struct btk_shard_runner *runner, const struct run *run, uint64_t bound,
                       struct btk_result_room *out_room)
{
    if (!has_own_memory(run)) {
        uint8_t *results = run->client->results.address;
        *out_room = (struct btk_result_room){
            .base = results + run->assignment->result_offset,
            .bytes = run->assignment->result_limit_bytes,
            .limit_bytes = run->assignment->result_limit_bytes,
            .page = runner->page,
        };
        return 0;
    }
    struct btk_private_memory *block = &runner->workspace.block;
    const int rc = btk_private_memory_reserve(block, bound);
    if (rc != 0) return rc;
    *out_room = (struct btk_result_room){block->address, bound, OWN_BLOCK_BYTES_MAX, runner->page};
    return 0;
}

static struct btk_result_header wanted_header(const struct run *run)
{
    return (struct btk_result_header){
        .op = run->shard.options->op,
        .fields = run->shard.options->fields,
        .document_count = run->assignment->document_count,
    };
}

static uint32_t open_block(struct btk_shard_runner *runner, struct run *run, uint64_t bound)
{
    struct btk_result_room room;
    const struct btk_result_header wanted = wanted_header(run);
    if (choose_room(runner, run, bound, &room) != 0) return BTK_STATUS_OUT_OF_MEMORY;
    const int rc = btk_result_block_open(&run->block, &wanted, &room, &runner->workspace.buffers);
    return rc == 0 ? BTK_STATUS_OK : BTK_STATUS_TOO_LARGE;
}

// --- After

static void fill_header(const struct btk_shard_runner *runner, struct run *run)
{
    const struct btk_assignment *assignment = run->assignment;
    struct btk_result_header *header = &run->block.header;
    header->batch_id = assignment->batch_id;
    header->shard_index = assignment->shard_index;
    header->epoch = runner->epoch;
    header->first_document = assignment->first_document;
    header->worker_id = runner->worker_id;
    header->submitted_ns = assignment->submitted_ns;
    header->dispatched_ns = assignment->dispatched_ns;
    header->previous_finish_ns = runner->previous_finish_ns;
    header->started_ns = run->report.started_ns;
}

// The block is written now: its last word is the head, with the stamp of the end.
static void finish_at(struct run *run, uint8_t *destination)
{
    btk_result_block_write(&run->block, destination);
    run->report.finished_ns = btk_clock_now_ns();
    run->block.header.finished_ns = run->report.finished_ns;
    btk_result_block_write_header(&run->block, destination);
}

// A memfd of the size that it turned out to be. It lives on in its readers.
static uint32_t finish_own(struct btk_shard_runner *runner, struct run *run)
{
    struct btk_shared_memory memory = BTK_SHARED_MEMORY_INIT;
    const uint64_t bytes = btk_result_block_bytes(&run->block);
    int rc = btk_shared_memory_create("btk-shard-results", bytes, 0, &memory);
    if (rc != 0) return BTK_STATUS_OUT_OF_MEMORY;
    btk_worker_page_add(&runner->page->progress, 1);
    finish_at(run, memory.address);
    btk_worker_page_add(&runner->page->progress, 1);
    rc = btk_shared_memory_seal(&memory);
    const struct btk_control_results results = {
        .client_id = run->client->client_id,
        .results_id = btk_shard_runner_next_results_id(runner),
        .bytes = memory.bytes,
        .page_bytes = memory.page_bytes,
        .shard_id = run->assignment->shard_id,
    };
    if (rc == 0) rc = runner->send_results(runner->send_context, &results, memory.fd);
    btk_shared_memory_clear(&memory);
    run->report.results_id = results.results_id;
    return rc == 0 ? BTK_STATUS_OK : BTK_STATUS_INTERNAL;
}

static uint32_t finish_block(struct btk_shard_runner *runner, struct run *run)
{
    fill_header(runner, run);
    run->report.result_bytes = btk_result_block_bytes(&run->block);
    run->report.token_count = run->block.header.token_count;
    run->report.document_errors = run->block.document_errors;
    if (has_own_memory(run)) return finish_own(runner, run);
    run->report.results_id = run->client->results_id;
    finish_at(run, run->block.room.base);
    return BTK_STATUS_OK;
}

static uint64_t subtract(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

static void count_cache(struct btk_worker_page *page, struct btk_loaded_image *image)
{
    uint64_t hits = 0;
    uint64_t misses = 0;
    btk_scratch_cache_counts(image->scratch, &hits, &misses);
    btk_worker_page_add(&page->cache_hits, hits - image->cache_hits);
    btk_worker_page_add(&page->cache_misses, misses - image->cache_misses);
    image->cache_hits = hits;
    image->cache_misses = misses;
}

static void show_profile(const struct btk_shard_runner *runner,
                         const struct btk_loaded_image *image)
{
    struct btk_profile profile;
    if (!runner->images.takes_profiles) return;
    btk_scratch_profile(image->scratch, &profile);
    btk_page_profiles_set(&runner->page->profiles, image->tokenizer_id, &profile);
}

static uint64_t queue_wait_ns(const struct btk_shard_runner *runner,
                              const struct btk_assignment *assignment)
{
    return subtract(assignment->dispatched_ns, assignment->submitted_ns)
           + subtract(runner->previous_finish_ns, assignment->dispatched_ns);
}

static void count(const struct btk_shard_runner *runner, const struct run *run)
{
    struct btk_worker_page *page = runner->page;
    const struct btk_assignment *assignment = run->assignment;
    const struct btk_shard_report *report = &run->report;
    const uint64_t busy_ns = report->finished_ns - report->started_ns;
    const uint64_t ready_ns = btk_max_size(assignment->dispatched_ns, runner->previous_finish_ns);
    btk_histogram_record(&page->queue_wait, queue_wait_ns(runner, assignment));
    btk_histogram_record(&page->ipc_transfer, subtract(report->started_ns, ready_ns));
    btk_histogram_record(&page->tokenization, busy_ns);
    btk_worker_page_add(&page->shards, 1);
    btk_worker_page_add(&page->documents, assignment->document_count);
    btk_worker_page_add(&page->document_errors, report->document_errors);
    btk_worker_page_add(&page->bytes, assignment->shard_bytes);
    btk_worker_page_add(&page->tokens, report->token_count);
    btk_worker_page_add(&page->busy_ns, busy_ns);
    count_cache(page, run->image);
    show_profile(runner, run->image);
}

// --- Run

static void fill_block(struct run *run)
{
    if (run->shard.options->op == BTK_OPERATION_DECODE)
        btk_shard_decode(&run->shard, &run->block);
    else if (btk_shard_is_plain(&run->shard))
        btk_shard_encode(&run->shard, &run->block);
    else
        btk_shard_encode_groups(&run->shard, &run->block);
}

// What truncation and padding make of a shard is known only afterwards: in private room it is made
// again with the room that its groups are known to need by then, or twice the room.
static uint32_t make_block(struct btk_shard_runner *runner, struct run *run)
{
    const struct btk_result_header wanted = wanted_header(run);
    uint64_t bound = btk_result_block_bound(&wanted, btk_shard_bound(&run->shard));
    for (;;) {
        const uint32_t status = open_block(runner, run, bound);
        if (status != BTK_STATUS_OK) return status;
        fill_block(run);
        if (!run->block.is_full) return BTK_STATUS_OK;
        // The coordinator assigns it again then, with a memfd of its own.
        if (!has_own_memory(run) || bound > OWN_BLOCK_BYTES_MAX) return BTK_STATUS_TOO_LARGE;
        bound = btk_max_size(2 * bound, btk_result_block_bound(&wanted, run->block.wanted));
    }
}

// From here on a crash is blamed on the shard.
static uint32_t work(struct btk_shard_runner *runner, struct run *run)
{
    uint32_t status = open_shard(runner, run);
    if (status == BTK_STATUS_OK) status = make_block(runner, run);
    if (status == BTK_STATUS_OK) status = finish_block(runner, run);
    if (status == BTK_STATUS_OK) count(runner, run);
    return status;
}

static void note_done(const struct btk_shard_runner *runner, const struct run *run, uint32_t status)
{
    const struct btk_shard_report *report = &run->report;
    const bool is_ok = status == BTK_STATUS_OK;
    btk_probe_tokenize_done(run->assignment->shard_id, run->assignment->batch_id, runner->worker_id,
                            run->assignment->shard_bytes, is_ok ? report->token_count : 0,
                            is_ok ? report->finished_ns - report->started_ns : 0);
}

static uint32_t run_assignment(struct btk_shard_runner *runner, struct run *run)
{
    const uint64_t deadline_ns = run->assignment->deadline_ns;
    if (deadline_ns != 0 && run->report.started_ns >= deadline_ns) return BTK_STATUS_DEADLINE;
    uint32_t status = resolve(runner, run);
    if (status != BTK_STATUS_OK) return status;
    const struct btk_assignment *assignment = run->assignment;
    btk_worker_page_set(&runner->page->started_shard_id, assignment->shard_id);
    btk_probe_tokenize_start(assignment->shard_id, assignment->batch_id, runner->worker_id,
                             assignment->shard_bytes, queue_wait_ns(runner, assignment));
    status = work(runner, run);
    btk_worker_page_set(&runner->page->started_shard_id, 0);
    note_done(runner, run, status);
    btk_workspace_trim(&runner->workspace);
    return status;
}

void btk_shard_runner_run(struct btk_shard_runner *runner, const struct btk_assignment *assignment,
                          struct btk_shard_report *out_report)
{
    struct run run = {
        .assignment = assignment,
        .report = btk_shard_runner_refuse(runner, assignment, BTK_STATUS_OK),
    };
    btk_flight_begin(&runner->flight, assignment, &run.report, runner->previous_finish_ns);
    const uint32_t status = run_assignment(runner, &run);
    if (status != BTK_STATUS_OK) {
        const uint64_t started_ns = run.report.started_ns;
        run.report = btk_shard_runner_refuse(runner, assignment, status);
        run.report.started_ns = started_ns;
    }
    runner->previous_finish_ns = run.report.finished_ns;
    btk_flight_end(&runner->flight, &run.report);
    *out_report = run.report;
}

void btk_shard_runner_clear(struct btk_shard_runner *runner)
{
    btk_attached_clients_clear(&runner->clients);
    btk_options_table_clear(&runner->options);
    btk_image_table_clear(&runner->images);
    btk_workspace_clear(&runner->workspace);
    btk_flight_close(&runner->flight);
}
