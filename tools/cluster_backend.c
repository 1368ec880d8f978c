// SPDX-License-Identifier: Apache-2.0
// A cluster through the client library: up to `depth` batches are in flight.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/backend.h"
#include "tools/open_tokenizer.h"
#include "tools/request_options.h"

enum { RETRIES_MAX = 600 };

struct cluster_backend {
    struct btk_client *client;
    // Without and with special tokens, by enum btk_special_text; 0: not registered yet.
    uint32_t options_ids[2][4];
    struct btk_client_request_options options; // of all of them
    const char *tokenizer;
    struct btk_batch *batches[BTK_BACKEND_DEPTH_MAX];
    const struct btk_request_batch *requests[BTK_BACKEND_DEPTH_MAX];
    struct btk_encoding_view encoding; // that was viewed last
};

// Registers a way to encode when the first batch wants it; the client knows it again by its id.
static int find_options(struct cluster_backend *backend, bool adds_special, uint8_t special_text,
                        uint32_t *out_id, struct btk_error *error)
{
    uint32_t *const id = &backend->options_ids[adds_special][special_text & 3];
    struct btk_client_request_options options = backend->options;
    struct btk_error_info info;
    options.add_special_tokens = adds_special;
    options.special_text = special_text;
    if (!*id && btk_client_register(backend->client, backend->tokenizer, &options, id, &info) < 0)
        return btk_error_import(error, &info);
    *out_id = *id;
    return 0;
}

static int submit_once(struct cluster_backend *backend, unsigned slot, struct btk_error *error)
{
    const struct btk_request_batch *const request = backend->requests[slot];
    const uint32_t count = (uint32_t)btk_request_document_count(request);
    struct btk_error_info info;
    struct btk_batch *batch = NULL;
    uint32_t options_id = 0;
    int status = find_options(backend, request->options->add_special_tokens,
                              request->options->special_text, &options_id, error);
    if (status < 0) return status;
    status = btk_client_reserve(backend->client, request->text.length, count, &batch, &info);
    if (status < 0) return status == -EAGAIN ? status : btk_error_import(error, &info);
    if (request->text.length)
        memcpy(btk_batch_text(batch), request->text.data, request->text.length);
    memcpy(btk_batch_ends(batch), request->ends.data, request->ends.length);
    status = btk_client_submit(backend->client, batch, options_id, 0, &info);
    if (status < 0) {
        btk_client_release(backend->client, &batch);
        return status == -EAGAIN ? status : btk_error_import(error, &info);
    }
    backend->batches[slot] = batch;
    return 0;
}

static void pause_ms(uint32_t milliseconds)
{
    const struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

// No room until the cluster has let go of older batches: it is asked to, and tried again.
static int submit_patiently(struct cluster_backend *backend, unsigned slot, struct btk_error *error)
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

static const char *unsupported(const struct btk_request_batch *batch)
{
    const struct btk_request_options *const options = batch->options;
    if (batch->has_shapes) return "pairs and words are not supported through a cluster yet";
    if (options->truncation_source || options->padding_source)
        return "truncation and padding are not supported through a cluster yet";
    return NULL;
}

static int submit(void *self, unsigned slot, const struct btk_request_batch *batch,
                  struct btk_error *error)
{
    struct cluster_backend *const backend = self;
    backend->requests[slot] = batch;
    // A batch of errors alone has no documents.
    return btk_request_document_count(batch) && !unsupported(batch)
               ? submit_patiently(backend, slot, error)
               : 0;
}

// Overload is not an error of the job: it waits for as long as the cluster says.
static int wait_for(void *self, unsigned slot, struct btk_error *error)
{
    struct cluster_backend *const backend = self;
    struct btk_error_info info;
    if (!backend->batches[slot]) return 0;
    for (unsigned i = 0; i < RETRIES_MAX; i++) {
        const int status = btk_client_wait(backend->client, backend->batches[slot], -1, &info);
        if (status != -EBUSY) return status < 0 ? btk_error_import(error, &info) : 0;
        const uint32_t after_ms = btk_batch_retry_after_ms(backend->batches[slot]);
        btk_client_release(backend->client, &backend->batches[slot]);
        pause_ms(after_ms ? after_ms : 10);
        const int again = submit_patiently(backend, slot, error);
        if (again < 0) return again;
    }
    return btk_error_import(error, &info);
}

// What the cluster does not do is refused before it is sent.
static void check(void *self, unsigned slot, struct btk_result_view *out_view)
{
    const struct cluster_backend *const backend = self;
    const char *const why = unsupported(backend->requests[slot]);
    *out_view = (struct btk_result_view){
        .status = why ? BTK_STATUS_MALFORMED : BTK_STATUS_OK, .error_offset = 0, .message = why};
}

static int view(void *self, unsigned slot, size_t index, struct btk_result_view *out_view)
{
    struct cluster_backend *const backend = self;
    struct btk_document_view document;
    check(self, slot, out_view);
    if (out_view->status != BTK_STATUS_OK) return 0;
    const int status = btk_batch_document(backend->batches[slot], index, &document);
    if (status < 0) return status;
    backend->encoding = (struct btk_encoding_view){
        .token_count = document.token_count,
        .ids = document.ids,
        .type_ids = document.type_ids,
        .offsets = document.offsets,
        .word_ids = document.word_ids,
        .special_tokens_mask = document.special_tokens_mask,
        .token_ends = document.token_ends,
        .token_text = (const char *)document.token_text,
        .token_text_begin = document.token_text_begin,
        .token_text_end = document.token_text_end,
    };
    *out_view = (struct btk_result_view){
        .status = document.status,
        .error_offset = document.error_offset,
        .text = document.text,
        .text_bytes = document.text_bytes,
        .encodings = &backend->encoding,
        .encoding_count = 1,
    };
    return 0;
}

static void release(void *self, unsigned slot)
{
    struct cluster_backend *const backend = self;
    btk_client_release(backend->client, &backend->batches[slot]);
}

static void close_backend(void *self)
{
    struct cluster_backend *const backend = self;
    btk_client_close(&backend->client);
    free(backend);
}

static int register_options(struct cluster_backend *backend, const char *tokenizer,
                            const struct btk_backend_request *request, struct btk_error *error)
{
    struct btk_client_request_options *const options = &backend->options;
    *options = (struct btk_client_request_options)BTK_CLIENT_REQUEST_DEFAULTS;
    options->operation = request->operation;
    options->fields = request->fields & ~(uint32_t)BTK_FIELD_OVERFLOWING;
    if (request->fields & BTK_FIELD_SEQUENCE_IDS) options->fields |= BTK_FIELD_SPECIAL_TOKENS_MASK;
    options->skip_special_tokens = request->skip_special_tokens;
    options->offsets_unit = request->offsets_unit;
    options->invalid_utf8 = request->invalid_utf8;
    backend->tokenizer = tokenizer;
    // An unknown tokenizer is an error before there is a document.
    uint32_t unused;
    return find_options(backend, true, BTK_SPECIAL_TEXT_DEFAULT, &unused, error);
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
    if (!status)
        status = register_options(backend, options->values[BTK_OPTION_tokenizer], request, error);
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
