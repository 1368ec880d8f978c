// SPDX-License-Identifier: Apache-2.0
#include "tools/job.h"

#include <errno.h>
#include <stdio.h>

#include "tools/exit_status.h"
#include "tools/input.h"
#include "tools/output.h"
#include "tools/progress.h"

struct job {
    struct btk_input input;
    struct btk_output output;
    struct btk_backend backend;
    struct btk_progress progress;
    struct btk_request_batch batches[BTK_BACKEND_DEPTH_MAX];
    struct btk_request_options options[BTK_BACKEND_DEPTH_MAX]; // of the batches
    unsigned oldest; // slot of the batch that was submitted first
    unsigned in_flight;
};

struct view_context {
    struct job *job;
    unsigned slot;
};

static int view_document(void *context, size_t index, struct btk_result_view *out_view)
{
    const struct view_context *const view = context;
    if (index == BTK_OUTPUT_NO_DOCUMENT) {
        view->job->backend.check(view->job->backend.self, view->slot, out_view);
        return 0;
    }
    return view->job->backend.view(view->job->backend.self, view->slot, index, out_view);
}

static int write_steps(void *context, size_t index, struct btk_json_writer *writer,
                       bool *out_is_error)
{
    const struct view_context *const view = context;
    return view->job->backend.steps(view->job->backend.self, index, writer, out_is_error);
}

static int finish_oldest(struct job *job, struct btk_error *error)
{
    const unsigned slot = job->oldest;
    struct view_context context = {job, slot};
    int status = job->backend.wait(job->backend.self, slot, error);
    if (!status)
        status =
            btk_output_write(&job->output, &job->batches[slot], view_document, &context, error);
    job->backend.release(job->backend.self, slot);
    job->oldest = (slot + 1) % job->backend.depth;
    job->in_flight--;
    const struct btk_progress_counts counts = {job->input.bytes_done + job->input.lines.bytes_read,
                                               job->input.bytes_total, job->output.document_count,
                                               job->output.token_count};
    btk_progress_update(&job->progress, &counts);
    return status;
}

static int run(struct job *job, struct btk_error *error)
{
    for (;;) {
        if (job->in_flight == job->backend.depth) {
            const int status = finish_oldest(job, error);
            if (status < 0) return status;
        }
        const unsigned slot = (job->oldest + job->in_flight) % job->backend.depth;
        int status = btk_input_next(&job->input, &job->batches[slot], error);
        if (status == 0) break;
        if (status > 0)
            status = job->backend.submit(job->backend.self, slot, &job->batches[slot], error);
        if (status < 0) return status;
        job->in_flight++;
    }
    while (job->in_flight) {
        const int status = finish_oldest(job, error);
        if (status < 0) return status;
    }
    return btk_output_finish(&job->output, error);
}

// --stream alone is --stream=exact.
static int read_stream(const struct btk_options *options, unsigned *out_stream,
                       struct btk_error *error)
{
    static const char *const modes[] = {"", "exact", "lossless", NULL};
    unsigned mode = 0;
    *out_stream = BTK_STREAM_CHOICE_NONE;
    if (!btk_options_has(options, BTK_OPTION_stream)) return 0;
    const int status = btk_options_choice(options, BTK_OPTION_stream, modes, &mode, error);
    *out_stream = mode == 2 ? BTK_STREAM_CHOICE_LOSSLESS : BTK_STREAM_CHOICE_EXACT;
    return status;
}

static int read_request(const struct btk_options *options, struct btk_backend_request *request,
                        struct btk_error *error)
{
    static const char *const units[] = {"char", "byte", NULL};
    static const char *const ways[] = {"error", "replace", NULL};
    unsigned unit, way, stream = BTK_STREAM_CHOICE_NONE;
    int status = btk_options_choice(options, BTK_OPTION_offsets_unit, units, &unit, error);
    if (!status) status = btk_options_choice(options, BTK_OPTION_invalid_utf8, ways, &way, error);
    if (!status) status = read_stream(options, &stream, error);
    if (status < 0) return status;
    *request = (struct btk_backend_request){
        .operation =
            options->command == BTK_COMMAND_DECODE ? BTK_OPERATION_DECODE : BTK_OPERATION_ENCODE,
        .offsets_unit = (uint8_t)unit,
        .invalid_utf8 = (uint8_t)way,
        .stream = (uint8_t)stream,
        .skip_special_tokens = btk_options_has(options, BTK_OPTION_skip_special_tokens),
    };
    return 0;
}

static int close_job(struct job *job, int exit_status)
{
    while (job->in_flight) {
        job->backend.release(job->backend.self, job->oldest);
        job->oldest = (job->oldest + 1) % job->backend.depth;
        job->in_flight--;
    }
    if (job->backend.self) job->backend.close(job->backend.self);
    btk_output_close(&job->output);
    btk_input_clear(&job->input);
    for (unsigned i = 0; i < BTK_BACKEND_DEPTH_MAX; i++) btk_request_batch_clear(&job->batches[i]);
    return exit_status;
}

int btk_job_run(const struct btk_options *options, btk_backend_open_fn *open_backend)
{
    struct job job = {.backend = {.depth = 1}, .output = {.ends_fd = -1}, .input = {.fd = -1}};
    struct btk_backend_request request;
    struct btk_error error;
    for (unsigned i = 0; i < BTK_BACKEND_DEPTH_MAX; i++) {
        btk_request_batch_init(&job.batches[i]);
        job.batches[i].options = &job.options[i];
    }
    if (read_request(options, &request, &error) < 0
        || btk_input_init(&job.input, options, &error) < 0)
        return close_job(&job, btk_exit_report(BTK_EXIT_USAGE, &error));
    const int output_status = btk_output_open(&job.output, options, &error);
    if (output_status < 0)
        return close_job(
            &job,
            btk_exit_report(output_status == -EINVAL ? BTK_EXIT_USAGE : BTK_EXIT_FILE, &error));
    request.fields = job.output.fields;
    if (request.stream) job.output.steps = write_steps;
    const int open_status = open_backend(options, &request, &job.backend, &error);
    if (open_status < 0) return close_job(&job, btk_exit_report_backend(open_status, &error));
    btk_progress_init(&job.progress, btk_options_has(options, BTK_OPTION_quiet));
    const int status = run(&job, &error);
    btk_progress_end(&job.progress);
    if (status < 0) return close_job(&job, btk_exit_report_backend(status, &error));
    return close_job(&job, job.output.error_count ? BTK_EXIT_DIFFERENCES : BTK_EXIT_DONE);
}
