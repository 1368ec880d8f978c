// SPDX-License-Identifier: Apache-2.0
#include "tools/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/json.h"
#include "tools/command_line_options.h"
#include "tools/request_json.h"

enum {
    BATCH_BYTES = 1 << 20, // of text
    BATCH_LINES = 16384,
};

#define DOCUMENT_BYTES_MAX ((uint64_t)1 << 30)
#define JSON_LINE_OVERHEAD 6 // \u0000 for one byte
#define ID_CHARACTERS      12

static const char *const format_names[] = {"auto", "text", "lines", "jsonl", NULL};

// All or nothing: the total is only known when every file is a regular one.
static uint64_t sum_sizes(char *const *files, unsigned count)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        struct stat status;
        if (stat(files[i], &status) < 0 || !S_ISREG(status.st_mode)) return 0;
        total += (uint64_t)status.st_size;
    }
    return total;
}

int btk_input_init(struct btk_input *input, const struct btk_options *options,
                   struct btk_error *error)
{
    unsigned format;
    *input =
        (struct btk_input){.fd = -1, .text_key = "text", .options = BTK_REQUEST_OPTIONS_DEFAULTS};
    int status = btk_options_choice(options, BTK_OPTION_input_format, format_names, &format, error);
    if (!status)
        status = btk_options_number(options, BTK_OPTION_max_document_bytes, 1, DOCUMENT_BYTES_MAX,
                                    &input->document_bytes_max, error);
    if (status < 0) return status;
    if (input->document_bytes_max > DOCUMENT_BYTES_MAX)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET, "--max-document-bytes: at most %" PRIu64,
                             DOCUMENT_BYTES_MAX);
    input->format = format;
    input->wants_ids = options->command == BTK_COMMAND_DECODE;
    if (input->wants_ids && format != BTK_INPUT_AUTO && format != BTK_INPUT_JSONL)
        return btk_error_set(error, EINVAL, BTK_NO_OFFSET,
                             "--input-format: decode reads jsonl alone");
    status = btk_command_line_options_read(&input->options, options, error);
    if (status < 0) return status;
    if (btk_options_has(options, BTK_OPTION_text_key))
        input->text_key = options->values[BTK_OPTION_text_key];
    input->files = options->files;
    input->file_count = options->file_count;
    input->bytes_total = sum_sizes(options->files, options->file_count);
    return 0;
}

static void close_file(struct btk_input *input)
{
    input->bytes_done += input->lines.bytes_read;
    btk_line_reader_clear(&input->lines);
    input->lines.bytes_read = 0;
    if (input->fd > STDIN_FILENO) close(input->fd);
    input->fd = -1;
}

void btk_input_clear(struct btk_input *input)
{
    close_file(input);
    btk_json_free(input->pending);
    input->pending = NULL;
}

static bool ends_with(const char *text, const char *suffix)
{
    const size_t length = strlen(text), suffix_length = strlen(suffix);
    return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

static enum btk_input_format choose_format(const struct btk_input *input, const char *name)
{
    if (input->wants_ids) return BTK_INPUT_JSONL;
    if (input->format != BTK_INPUT_AUTO) return input->format;
    if (!name) return BTK_INPUT_LINES;
    return ends_with(name, ".jsonl") || ends_with(name, ".ndjson") ? BTK_INPUT_JSONL
                                                                   : BTK_INPUT_TEXT;
}

// 1: a file is open; 0: there are no more.
static int open_next(struct btk_input *input, struct btk_error *error)
{
    const bool is_stdin = input->file_count == 0;
    if (input->next_file >= (is_stdin ? 1 : input->file_count)) return 0;
    const char *const file = is_stdin ? "-" : input->files[input->next_file];
    input->next_file++;
    const bool is_dash = strcmp(file, "-") == 0;
    input->name = is_dash ? "standard input" : file;
    input->fd = is_dash ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (input->fd < 0 || fstat(input->fd, &status) < 0)
        return btk_error_set(error, errno, BTK_NO_OFFSET, "%s: %s", file, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return btk_error_set(error, EISDIR, BTK_NO_OFFSET, "%s: is a folder; a file was expected",
                             file);
    input->current = choose_format(input, is_dash ? NULL : file);
    uint64_t line_max = input->document_bytes_max;
    if (input->current == BTK_INPUT_JSONL)
        line_max = (input->wants_ids ? ID_CHARACTERS : JSON_LINE_OVERHEAD) * line_max + 4096;
    btk_line_reader_init(&input->lines, input->fd, line_max);
    return 1;
}

static int add_error_line(struct btk_request_batch *batch, const char *code, uint64_t offset,
                          const char *message)
{
    struct btk_request_line line = {.error = {.code = code, .offset = offset}};
    snprintf(line.error.message, sizeof line.error.message, "%.*s", BTK_REQUEST_MESSAGE_MAX - 1,
             message);
    return btk_request_add_line(batch, &line);
}

static int add_too_large(const struct btk_input *input, struct btk_request_batch *batch)
{
    char message[BTK_REQUEST_MESSAGE_MAX];
    snprintf(message, sizeof message, "a document of more than %" PRIu64 " bytes",
             input->document_bytes_max);
    return add_error_line(batch, "too_large", BTK_NO_OFFSET, message);
}

static int add_document(struct btk_request_batch *batch, struct btk_bytes text)
{
    const struct btk_request_line line = {.document_count = 1};
    int status = btk_buffer_append(&batch->text, text.data, text.length);
    if (!status) status = btk_request_end_document(batch, NULL);
    return status ? status : btk_request_add_line(batch, &line);
}

static struct btk_request_json_rules json_rules(const struct btk_input *input)
{
    return (struct btk_request_json_rules){input->text_key, input->wants_ids,
                                           input->document_bytes_max};
}

static bool is_blank(struct btk_bytes line)
{
    for (size_t i = 0; i < line.length; i++)
        if (!strchr(" \t\r", line.data[i]) || !line.data[i]) return false;
    return true;
}

static int add_wrong_options(struct btk_request_batch *batch, const struct btk_error *error)
{
    return add_error_line(batch, error->code == ENOTSUP ? "not_supported" : "malformed",
                          BTK_NO_OFFSET, error->message);
}

// A batch has one set of options: a line with others waits for the next batch.
static int take_json(struct btk_input *input, struct btk_json *root,
                     struct btk_request_batch *batch)
{
    const struct btk_request_json_rules rules = json_rules(input);
    const struct btk_json *const options = input->wants_ids ? NULL : btk_json_get(root, "options");
    struct btk_error error;
    int status;
    input->line_options = input->options;
    if (btk_request_options_read_json(&input->line_options, options, &error) < 0) {
        status = add_wrong_options(batch, &error);
    } else {
        if (!btk_request_line_count(batch)) *batch->options = input->line_options;
        if (!btk_request_options_equal(batch->options, &input->line_options)) {
            input->pending = root;
            return 0;
        }
        status = btk_request_json_append(root, &rules, batch);
    }
    btk_json_free(root);
    return status;
}

static int add_json_line(struct btk_input *input, struct btk_bytes line,
                         struct btk_request_batch *batch)
{
    struct btk_json *root;
    struct btk_error error;
    if (is_blank(line)) return 0;
    const int status = btk_json_parse(line, &root, &error);
    if (status == -ENOMEM) return status;
    if (!status) return take_json(input, root, batch);
    return add_error_line(batch, status == -EILSEQ ? "invalid_utf8" : "invalid_json", error.offset,
                          error.message);
}

static int add_lines(struct btk_input *input, struct btk_request_batch *batch)
{
    while (batch->text.length < BATCH_BYTES && btk_request_line_count(batch) < BATCH_LINES) {
        if (btk_request_line_count(batch) && !btk_line_reader_has_line(&input->lines)) return 0;
        struct btk_bytes line;
        bool is_too_long;
        int status = btk_line_reader_next(&input->lines, &line, &is_too_long);
        if (status <= 0) {
            close_file(input);
            return status;
        }
        if (is_too_long)
            status = add_too_large(input, batch);
        else
            status = input->current == BTK_INPUT_JSONL ? add_json_line(input, line, batch)
                                                       : add_document(batch, line);
        if (status < 0) return status;
        if (input->pending) return 0;
    }
    return 0;
}

// The whole of a file is one document.
static int add_text(struct btk_input *input, struct btk_request_batch *batch)
{
    const size_t begin = batch->text.length;
    for (;;) {
        int status = btk_buffer_reserve(&batch->text, BATCH_BYTES);
        if (status < 0) return status;
        const ssize_t bytes = read(input->fd, batch->text.data + batch->text.length, BATCH_BYTES);
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return -errno;
        if (bytes == 0) break;
        input->bytes_done += (uint64_t)bytes;
        batch->text.length += (size_t)bytes;
        if (batch->text.length - begin > input->document_bytes_max) {
            batch->text.length = begin;
            close_file(input);
            return add_too_large(input, batch);
        }
    }
    close_file(input);
    return add_document(batch, (struct btk_bytes){NULL, 0});
}

int btk_input_next(struct btk_input *input, struct btk_request_batch *batch,
                   struct btk_error *error)
{
    btk_request_batch_reset(batch);
    *batch->options = input->options;
    if (input->pending) {
        struct btk_json *const root = input->pending;
        input->pending = NULL;
        if (take_json(input, root, batch) < 0) goto no_memory;
    }
    while (!btk_request_line_count(batch)) {
        if (input->fd < 0) {
            const int status = open_next(input, error);
            if (status <= 0) return status;
        }
        const int status =
            input->current == BTK_INPUT_TEXT ? add_text(input, batch) : add_lines(input, batch);
        if (status == -ENOMEM) goto no_memory;
        if (status < 0)
            return btk_error_set(error, -status, BTK_NO_OFFSET, "%s: %s", input->name,
                                 strerror(-status));
    }
    return 1;
no_memory:
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "%s: not enough memory for its documents",
                         input->name);
}
