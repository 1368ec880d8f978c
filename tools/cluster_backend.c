// SPDX-License-Identifier: Apache-2.0
// A cluster through the client library: up to `depth` batches are in flight.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/request_options.h"
#include "tools/backend.h"
#include "tools/open_tokenizer.h"

enum { RETRIES_MAX = 600, REGISTERED_MAX = 256 };

// One batch in flight.
struct slot {
    const struct btk_request_batch *request;
    struct btk_batch *batch; // NULL: there was nothing to submit, or it was refused
    bool is_too_large;       // the cluster refused it for what it could become
};

struct registered {
    struct btk_request_options options;
    bool is_grouped;
    uint32_t id;
};

struct cluster_backend {
    struct btk_client *client;
    struct btk_client_request_options common; // of all batches
    const char *tokenizer;
    struct registered registered[REGISTERED_MAX];
    unsigned registered_count;
    unsigned next_registered; // is replaced next, once there are so many
    struct slot slots[BTK_BACKEND_DEPTH_MAX];
    struct btk_buffer inputs; // struct btk_encode_input of a batch
    struct btk_buffer views;  // struct btk_encoding_view of the document that was viewed last
    char message[512];        // of that document
};

// --- Options

static int register_options(struct cluster_backend *backend,
                            const struct btk_request_options *options, bool is_grouped,
                            uint32_t *out_id, struct btk_error *error)
{
    struct btk_client_request_options request = backend->common;
    struct btk_error_info info;
    request.is_grouped = is_grouped;
    request.add_special_tokens = options->add_special_tokens;
    request.special_text = options->special_text;
    request.truncation_source = options->truncation_source;
    request.truncation = options->truncation;
    request.padding_source = options->padding_source;
    request.padding = btk_request_options_padding(options);
    if (btk_client_register(backend->client, backend->tokenizer, &request, out_id, &info) < 0)
        return btk_error_import(error, &info);
    return 0;
}

// The oldest whose batches are all done; there are more of them than batches in flight.
static struct registered *replace_oldest(struct cluster_backend *backend)
{
    for (;;) {
        struct registered *const oldest = &backend->registered[backend->next_registered];
        backend->next_registered = (backend->next_registered + 1) % REGISTERED_MAX;
        if (btk_client_unregister(backend->client, oldest->id) == 0) return oldest;
    }
}

// Registers a way to encode when the first batch wants it.
static int find_options(struct cluster_backend *backend, const struct btk_request_options *options,
                        bool is_grouped, uint32_t *out_id, struct btk_error *error)
{
    for (unsigned i = 0; i < backend->registered_count; i++) {
        const struct registered *const registered = &backend->registered[i];
        if (registered->is_grouped != is_grouped
            || !btk_request_options_equal(&registered->options, options))
            continue;
        *out_id = registered->id;
        return 0;
    }
    const bool is_full = backend->registered_count == REGISTERED_MAX;
    struct registered *const place =
        is_full ? replace_oldest(backend) : &backend->registered[backend->registered_count];
    const int status = register_options(backend, options, is_grouped, &place->id, error);
    if (status < 0) return status;
    place->options = *options;
    place->is_grouped = is_grouped;
    if (!is_full) backend->registered_count++;
    *out_id = place->id;
    return 0;
}

// --- Submitting

static int reserve_plain(struct cluster_backend *backend, const struct btk_request_batch *request,
                         struct btk_batch **out_batch, struct btk_error_info *info)
{
    const uint32_t count = (uint32_t)btk_request_document_count(request);
    const int status =
        btk_client_reserve(backend->client, request->text.length, count, out_batch, info);
    if (status < 0) return status;
    if (request->text.length)
        memcpy(btk_batch_text(*out_batch), request->text.data, request->text.length);
    memcpy(btk_batch_ends(*out_batch), request->ends.data, request->ends.length);
    return 0;
}

static int reserve_shapes(struct cluster_backend *backend, const struct btk_request_batch *request,
                          struct btk_batch **out_batch, struct btk_error_info *info)
{
    const uint32_t count = (uint32_t)btk_request_document_count(request);
    backend->inputs.length = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct btk_encode_input input = btk_request_input(request, i);
        if (btk_buffer_append(&backend->inputs, &input, sizeof input) < 0) {
            snprintf(info->message, sizeof info->message, "not enough memory");
            info->code = ENOMEM;
            return -ENOMEM;
        }
    }
    return btk_client_reserve_inputs(backend->client, (const void *)backend->inputs.data, count,
                                     out_batch, info);
}

// A list of documents is one call of the reference: what is wrong with one is wrong with all.
static bool has_lists(const struct btk_request_batch *request)
{
    const struct btk_request_line *const lines = btk_request_lines(request);
    for (size_t i = 0; i < btk_request_line_count(request); i++)
        if (lines[i].document_count > 1) return true;
    return false;
}

// The documents of a line are encoded together.
static void mark_groups(const struct btk_request_batch *request, struct btk_batch *batch)
{
    const struct btk_request_line *const lines = btk_request_lines(request);
    uint64_t *const ends = btk_batch_ends(batch);
    size_t document = 0;
    for (size_t i = 0; i < btk_request_line_count(request); i++) {
        document += lines[i].document_count;
        if (lines[i].document_count) ends[document - 1] |= BTK_GROUP_END;
    }
}

static int submit_once(struct cluster_backend *backend, struct slot *slot, struct btk_error *error)
{
    struct btk_error_info info;
    struct btk_batch *batch = NULL;
    uint32_t options_id = 0;
    int status =
        find_options(backend, slot->request->options, has_lists(slot->request), &options_id, error);
    if (status < 0) return status;
    status = slot->request->has_shapes ? reserve_shapes(backend, slot->request, &batch, &info)
                                       : reserve_plain(backend, slot->request, &batch, &info);
    if (status < 0) return status == -EAGAIN ? status : btk_error_import(error, &info);
    mark_groups(slot->request, batch);
    status = btk_client_submit(backend->client, batch, options_id, 0, &info);
    if (status < 0) {
        btk_client_release(backend->client, &batch);
        return status == -EAGAIN ? status : btk_error_import(error, &info);
    }
    slot->batch = batch;
    return 0;
}

static void pause_ms(uint32_t milliseconds)
{
    const struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

// No room until the cluster has let go of older batches: it is asked to, and tried again.
static int submit_patiently(struct cluster_backend *backend, struct slot *slot,
                            struct btk_error *error)
{
    for (unsigned i = 0; i < RETRIES_MAX; i++) {
        const int status = submit_once(backend, slot, error);
        if (status != -EAGAIN) return status;
        struct btk_error_info info;
        if (btk_client_process(backend->client, &info) < 0) return btk_error_import(error, &info);
        pause_ms(5);
    }
    return btk_error_set(error, EBUSY, BTK_NO_OFFSET, "the cluster gave no room for a batch");
}

static int submit(void *self, unsigned index, const struct btk_request_batch *batch,
                  struct btk_error *error)
{
    struct cluster_backend *const backend = self;
    struct slot *const slot = &backend->slots[index];
    *slot = (struct slot){.request = batch};
    // A batch of errors alone has no documents.
    return btk_request_document_count(batch) ? submit_patiently(backend, slot, error) : 0;
}

// Overload is not an error of the job: it waits for as long as the cluster says.
static int wait_for(void *self, unsigned index, struct btk_error *error)
{
    struct cluster_backend *const backend = self;
    struct slot *const slot = &backend->slots[index];
    struct btk_error_info info;
    if (!slot->batch) return 0;
    for (unsigned i = 0; i < RETRIES_MAX; i++) {
        const int status = btk_client_wait(backend->client, slot->batch, -1, &info);
        slot->is_too_large = status == -EMSGSIZE;
        if (!status || slot->is_too_large) return 0;
        if (status != -EBUSY) return btk_error_import(error, &info);
        const uint32_t after_ms = btk_batch_retry_after_ms(slot->batch);
        btk_client_release(backend->client, &slot->batch);
        pause_ms(after_ms ? after_ms : 10);
        const int again = submit_patiently(backend, slot, error);
        if (again < 0) return again;
    }
    return btk_error_import(error, &info);
}

// --- Results

// What is wrong with options, the workers say of each document.
static void check(void *self, unsigned index, struct btk_result_view *out_view)
{
    (void)self, (void)index;
    *out_view = (struct btk_result_view){.status = BTK_STATUS_OK};
}

static struct btk_encoding_view encoding_of(const struct btk_document_view *document)
{
    return (struct btk_encoding_view){
        .token_count = document->token_count,
        .ids = document->ids,
        .type_ids = document->type_ids,
        .offsets = document->offsets,
        .word_ids = document->word_ids,
        .sequence_ids = document->sequence_ids,
        .special_tokens_mask = document->special_tokens_mask,
        .attention_mask = document->attention_mask,
        .token_ends = document->token_ends,
        .token_text = (const char *)document->token_text,
        .token_text_begin = document->token_text_begin,
        .token_text_end = document->token_text_end,
    };
}

static int view_encodings(struct cluster_backend *backend, struct btk_batch *batch, size_t index,
                          struct btk_document_view document)
{
    backend->views.length = 0;
    for (size_t i = 0; i < document.encoding_count; i++) {
        const int status = i ? btk_batch_encoding(batch, index, i, &document) : 0;
        if (status < 0) return status;
        const struct btk_encoding_view view = encoding_of(&document);
        if (btk_buffer_append(&backend->views, &view, sizeof view) < 0) return -ENOMEM;
    }
    return 0;
}

static const char *keep_message(struct cluster_backend *backend,
                                const struct btk_document_view *document)
{
    if (!document->message) return NULL;
    snprintf(backend->message, sizeof backend->message, "%.*s", (int)document->message_bytes,
             document->message);
    return backend->message;
}

static int view(void *self, unsigned slot_index, size_t index, struct btk_result_view *out_view)
{
    struct cluster_backend *const backend = self;
    const struct slot *const slot = &backend->slots[slot_index];
    struct btk_document_view document;
    if (slot->is_too_large) {
        *out_view = (struct btk_result_view){
            .status = BTK_STATUS_TOO_LARGE,
            .message = "what its batch could become is larger than the cluster allows"};
        return 0;
    }
    int status = btk_batch_document(slot->batch, index, &document);
    if (!status) status = view_encodings(backend, slot->batch, index, document);
    if (status < 0) return status;
    *out_view = (struct btk_result_view){
        .status = document.status,
        .error_offset = document.error_offset,
        .message = keep_message(backend, &document),
        .text = document.text,
        .text_bytes = document.text_bytes,
        .encodings = (const struct btk_encoding_view *)(const void *)backend->views.data,
        .encoding_count = document.encoding_count,
    };
    return 0;
}

static void release(void *self, unsigned index)
{
    struct cluster_backend *const backend = self;
    btk_client_release(backend->client, &backend->slots[index].batch);
}

static void close_backend(void *self)
{
    struct cluster_backend *const backend = self;
    btk_client_close(&backend->client);
    btk_buffer_clear(&backend->inputs);
    btk_buffer_clear(&backend->views);
    free(backend);
}

static int begin(struct cluster_backend *backend, const char *tokenizer,
                 const struct btk_backend_request *request, struct btk_error *error)
{
    struct btk_client_request_options *const common = &backend->common;
    *common = (struct btk_client_request_options)BTK_CLIENT_REQUEST_DEFAULTS;
    common->operation = request->operation;
    common->fields = request->fields;
    common->skip_special_tokens = request->skip_special_tokens;
    common->offsets_unit = request->offsets_unit;
    common->invalid_utf8 = request->invalid_utf8;
    backend->tokenizer = tokenizer;
    // An unknown tokenizer is an error before there is a document.
    uint32_t unused;
    return find_options(backend, &BTK_REQUEST_OPTIONS_DEFAULTS, false, &unused, error);
}

int btk_cluster_backend_open(const struct btk_options *options,
                             const struct btk_backend_request *request,
                             struct btk_backend *out_backend, struct btk_error *error)
{
    struct cluster_backend *const backend = calloc(1, sizeof *backend);
    if (!backend) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    const struct btk_client_options client_options = {
        .endpoint = options->values[BTK_OPTION_connect], .name = "budtiktok submit"};
    struct btk_error_info info;
    int status = btk_client_connect(&client_options, &backend->client, &info);
    if (status < 0) {
        btk_error_import(error, &info);
        // Nothing at the endpoint: for a user the same as nobody who answers.
        status = status == -ENOENT ? -ECONNREFUSED : status;
    }
    // A script that is part of a trace says so as OpenTelemetry has it; what is not valid is ignored.
    if (!status && btk_client_set_traceparent(backend->client, getenv("TRACEPARENT")) < 0)
        errno = 0;
    if (!status) status = begin(backend, options->values[BTK_OPTION_tokenizer], request, error);
    if (status < 0) {
        close_backend(backend);
        return status;
    }
    *out_backend = (struct btk_backend){.self = backend,
                                        .depth = BTK_BACKEND_DEPTH_MAX,
                                        .submit = submit,
                                        .wait = wait_for,
                                        .check = check,
                                        .view = view,
                                        .release = release,
                                        .close = close_backend};
    return 0;
}
