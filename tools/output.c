// SPDX-License-Identifier: Apache-2.0
#include "tools/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/encoding_json.h"
#include "common/status.h"
#include "tools/output_json.h"

enum { FLUSH_BYTES = 1 << 20, NPY_HEADER_BYTES = 128 };

static const char *const format_names[] = {"jsonl", "u32", "npy", NULL};
static int write_all(int fd, const struct btk_buffer *buffer)
{
    for (size_t done = 0; done < buffer->length;) {
        const ssize_t bytes = write(fd, buffer->data + done, buffer->length - done);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return -errno;
        done += (size_t)bytes;
    }
    return 0;
}

static int file_error(const struct btk_output *output, int status, struct btk_error *error)
{
    return btk_error_set(error, -status, BTK_NO_OFFSET, "%s: %s", output->path, strerror(-status));
}

static int flush(struct btk_output *output, struct btk_error *error)
{
    int status = write_all(output->fd, &output->buffer);
    if (!status && output->ends_fd >= 0) status = write_all(output->ends_fd, &output->ends);
    output->buffer.length = 0;
    output->ends.length = 0;
    return status < 0 ? file_error(output, status, error) : 0;
}

static int create_file(const char *path, struct btk_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return fd >= 0 ? fd
                   : btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", path, strerror(errno));
}

static int open_ends(struct btk_output *output, struct btk_error *error)
{
    char path[4096];
    const char *const suffix = output->format == BTK_OUTPUT_NPY ? ".ends.npy" : ".ends";
    if ((size_t)snprintf(path, sizeof path, "%s%s", output->path, suffix) >= sizeof path)
        return btk_error_set(error, ENAMETOOLONG, BTK_NO_OFFSET, "--output: the name is too long");
    output->ends_fd = create_file(path, error);
    return output->ends_fd < 0 ? output->ends_fd : 0;
}

// A header of a fixed length: the count is written into it at the end.
static int append_npy_header(struct btk_buffer *buffer, const char *type, uint64_t count)
{
    char header[NPY_HEADER_BYTES + 1];
    const int length = snprintf(
        header, sizeof header,
        "\x93NUMPY\x01%c\x76%c{'descr': '%s', 'fortran_order': False, 'shape': (%" PRIu64 ",), }",
        0, 0, type, count);
    memset(header + length, ' ', (size_t)(NPY_HEADER_BYTES - length));
    header[NPY_HEADER_BYTES - 1] = '\n';
    return btk_buffer_append(buffer, header, NPY_HEADER_BYTES);
}

static int open_files(struct btk_output *output, struct btk_error *error)
{
    const bool is_stdout = strcmp(output->path, "-") == 0;
    if (is_stdout) output->path = "standard output";
    output->fd = is_stdout ? STDOUT_FILENO : create_file(output->path, error);
    if (output->fd < 0) return output->fd;
    if (output->format == BTK_OUTPUT_JSONL) return 0;
    if (is_stdout && output->format == BTK_OUTPUT_NPY)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--output-format npy needs --output FILE");
    const int status = is_stdout ? 0 : open_ends(output, error);
    if (status < 0 || output->format != BTK_OUTPUT_NPY) return status;
    if (append_npy_header(&output->buffer, "<u4", 0) < 0
        || append_npy_header(&output->ends, "<u8", 0) < 0)
        return file_error(output, -ENOMEM, error);
    return 0;
}

int btk_output_open(struct btk_output *output, const struct btk_options *options,
                    struct btk_error *error)
{
    unsigned format, fields = BTK_FIELD_IDS;
    *output = (struct btk_output){.fd = -1, .ends_fd = -1, .path = "-"};
    int status =
        btk_options_choice(options, BTK_OPTION_output_format, format_names, &format, error);
    if (!status && btk_options_has(options, BTK_OPTION_fields))
        status = btk_options_set(options->values[BTK_OPTION_fields], btk_encoding_json_fields,
                                 "--fields", &fields, error);
    if (status < 0) return status;
    if (format != BTK_OUTPUT_JSONL && fields != BTK_FIELD_IDS)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--output-format %s holds ids alone; --fields needs jsonl",
                             format_names[format]);
    if (format != BTK_OUTPUT_JSONL && options->command == BTK_COMMAND_DECODE)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--output-format: decode writes jsonl alone");
    output->format = format;
    output->fields = fields;
    if (btk_options_has(options, BTK_OPTION_output))
        output->path = options->values[BTK_OPTION_output];
    return open_files(output, error);
}

static int patch_npy(int fd, const char *type, uint64_t count)
{
    struct btk_buffer header;
    btk_buffer_init(&header);
    int status = append_npy_header(&header, type, count);
    if (!status && pwrite(fd, header.data, header.length, 0) != (ssize_t)header.length)
        status = -errno;
    btk_buffer_clear(&header);
    return status;
}

int btk_output_finish(struct btk_output *output, struct btk_error *error)
{
    int status = flush(output, error);
    if (status < 0 || output->format != BTK_OUTPUT_NPY) return status;
    status = patch_npy(output->fd, "<u4", output->token_count);
    if (!status) status = patch_npy(output->ends_fd, "<u8", output->document_count);
    return status < 0 ? file_error(output, status, error) : 0;
}

void btk_output_close(struct btk_output *output)
{
    if (output->fd > STDOUT_FILENO) close(output->fd);
    if (output->ends_fd >= 0) close(output->ends_fd);
    btk_buffer_clear(&output->buffer);
    btk_buffer_clear(&output->ends);
}

static void report_error(const struct btk_output *output, const struct btk_result_view *view)
{
    fprintf(stderr, "budtiktok: document %" PRIu64 ": %s", output->document_count,
            btk_status_name(view->status));
    if (btk_status_has_offset(view->status))
        fprintf(stderr, " at byte %" PRIu64, view->error_offset);
    else if (view->message)
        fprintf(stderr, ": %s", view->message);
    fprintf(stderr, "\n");
}

// A document without a result has no ids.
static int append_ids(struct btk_output *output, const struct btk_result_view *view)
{
    if (view->status != BTK_STATUS_OK) {
        report_error(output, view);
        output->error_count++;
    } else {
        const struct btk_encoding_view *const encoding = view->encodings;
        const int status = btk_buffer_append(&output->buffer, encoding->ids,
                                             encoding->token_count * sizeof *encoding->ids);
        if (status < 0) return status;
        output->token_count += encoding->token_count;
    }
    output->document_count++;
    if (output->ends_fd < 0) return 0;
    return btk_buffer_append(&output->ends, &output->token_count, sizeof output->token_count);
}

static int append_json(struct btk_output *output, struct btk_json_writer *writer,
                       const struct btk_result_view *view)
{
    output->document_count++;
    for (size_t i = 0; i < view->encoding_count; i++)
        output->token_count += view->encodings[i].token_count;
    output->error_count += btk_output_json_document(writer, output->fields, view);
    return writer->status;
}

struct line_context {
    struct btk_output *output;
    btk_output_view_fn *view;
    void *context;
};

static int append_steps(const struct line_context *line, struct btk_json_writer *writer,
                        size_t index)
{
    bool is_error = false;
    const int status = line->output->steps(line->context, index, writer, &is_error);
    line->output->document_count++;
    line->output->error_count += is_error;
    return status < 0 ? status : writer->status;
}

static int write_documents(const struct line_context *line, struct btk_json_writer *writer,
                           size_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct btk_result_view view;
        int status;
        if (line->output->steps) {
            status = append_steps(line, writer, first + i);
            if (status < 0) return status;
            continue;
        }
        status = line->view(line->context, first + i, &view);
        if (!status)
            status = line->output->format == BTK_OUTPUT_JSONL
                         ? append_json(line->output, writer, &view)
                         : append_ids(line->output, &view);
        if (status < 0) return status;
    }
    return 0;
}

// A document of a list that has no result takes the place of the list.
static int write_batch(const struct line_context *line, struct btk_json_writer *writer,
                       size_t first, uint32_t count)
{
    struct btk_result_view view;
    for (uint32_t i = 0; i < count || (i == 0 && !count); i++) {
        const size_t index = count ? first + i : BTK_OUTPUT_NO_DOCUMENT;
        const int status = line->view(line->context, index, &view);
        if (status < 0) return status;
        if (view.status != BTK_STATUS_OK) return append_json(line->output, writer, &view);
    }
    btk_json_begin_object(writer);
    btk_json_name(writer, "batch");
    btk_json_begin_array(writer);
    const int status = write_documents(line, writer, first, count);
    btk_json_end_array(writer);
    btk_json_end_object(writer);
    return status;
}

static int write_json_line(const struct line_context *line, const struct btk_request_line *request,
                           size_t first)
{
    struct btk_json_writer writer;
    btk_json_writer_init(&writer, &line->output->buffer);
    int status = 0;
    if (request->error.code) {
        btk_output_json_error(&writer, &request->error);
    } else if (request->is_batch) {
        status = write_batch(line, &writer, first, request->document_count);
    } else {
        status = write_documents(line, &writer, first, request->document_count);
    }
    if (!status) status = writer.status;
    return status ? status : btk_buffer_append(&line->output->buffer, "\n", 1);
}

static int write_ids_line(const struct line_context *line, const struct btk_request_line *request,
                          size_t first)
{
    if (!request->error.code) return write_documents(line, NULL, first, request->document_count);
    fprintf(stderr, "budtiktok: document %" PRIu64 ": %s\n", line->output->document_count,
            request->error.message);
    line->output->document_count++;
    if (line->output->ends_fd < 0) return 0;
    return btk_buffer_append(&line->output->ends, &line->output->token_count,
                             sizeof line->output->token_count);
}

int btk_output_write(struct btk_output *output, const struct btk_request_batch *batch,
                     btk_output_view_fn *view, void *context, struct btk_error *error)
{
    const struct line_context line = {output, view, context};
    const struct btk_request_line *const requests = btk_request_lines(batch);
    size_t first = 0;
    for (size_t i = 0; i < btk_request_line_count(batch); i++) {
        if (requests[i].error.code) output->error_count++;
        const int status = output->format == BTK_OUTPUT_JSONL
                               ? write_json_line(&line, &requests[i], first)
                               : write_ids_line(&line, &requests[i], first);
        if (status < 0) return file_error(output, status, error);
        first += requests[i].document_count;
        if (output->buffer.length >= FLUSH_BYTES || output->ends.length >= FLUSH_BYTES) {
            const int flushed = flush(output, error);
            if (flushed < 0) return flushed;
        }
    }
    // An interactive reader sees the answers to what it has written.
    return flush(output, error);
}
