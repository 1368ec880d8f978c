// SPDX-License-Identifier: Apache-2.0
// The engine in this process: a document is encoded when its result is asked for.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/profile.h"
#include "common/request_options.h"
#include "common/status.h"
#include "tools/backend.h"
#include "tools/open_tokenizer.h"

struct engine_backend {
    struct btk_backend_request request;
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    bool takes_profile;
    const char *name;                 // as the command line has it
    struct btk_decode_stream *stream; // decode, as a stream
    const struct btk_request_batch *batch;
    struct btk_encoding_options options; // of the batch
    struct btk_encodings *encodings;     // of the documents of one line
    int options_status;                  // do they make sense?
    size_t line;                         // the one after that line
    size_t first_document;               // of that line
    size_t document_count;               // of that line
    int status;                          // of that line
    struct btk_error_info error;
    struct btk_buffer inputs; // struct btk_encode_input
    struct btk_buffer views;  // struct btk_encoding_view
    char *text;               // decode
    size_t text_capacity;
};

// --- Encoding

static int resolve_options(struct engine_backend *backend)
{
    const struct btk_request_options *const given = backend->batch->options;
    struct btk_encoding_options *const options = &backend->options;
    *options = (struct btk_encoding_options)BTK_ENCODING_DEFAULTS;
    btk_tokenizer_configured(backend->tokenizer, &options->truncation, &options->padding);
    options->fields = backend->request.fields;
    options->encode.add_special_tokens = given->add_special_tokens;
    options->encode.special_text = given->special_text;
    options->encode.offsets_unit = backend->request.offsets_unit;
    options->encode.invalid_utf8 = backend->request.invalid_utf8;
    if (given->padding_source == BTK_OPTION_IS_OFF) options->padding.is_on = false;
    if (given->padding_source == BTK_OPTION_IS_GIVEN)
        options->padding = btk_request_options_padding(given);
    if (given->truncation_source == BTK_OPTION_IS_OFF) options->truncation.is_on = false;
    if (given->truncation_source != BTK_OPTION_IS_GIVEN) return 0;
    options->truncation = given->truncation;
    return btk_truncation_check(backend->tokenizer, &options->truncation, &backend->error);
}

// The documents of the line, which are padded together.
static int encode_line(struct engine_backend *backend)
{
    backend->inputs.length = 0;
    for (size_t i = 0; i < backend->document_count; i++) {
        const struct btk_encode_input input =
            btk_request_input(backend->batch, backend->first_document + i);
        if (btk_buffer_append(&backend->inputs, &input, sizeof input) < 0) {
            snprintf(backend->error.message, sizeof backend->error.message, "not enough memory");
            return -ENOMEM;
        }
    }
    return btk_encode_batch(backend->tokenizer, backend->scratch,
                            (const struct btk_encode_input *)(const void *)backend->inputs.data,
                            backend->document_count, &backend->options, backend->encodings,
                            &backend->error);
}

// Encodes the line of the document, unless it is the one that was encoded last.
static void encode_line_of(struct engine_backend *backend, size_t index)
{
    const struct btk_request_line *const lines = btk_request_lines(backend->batch);
    if (index < backend->first_document + backend->document_count) return;
    do {
        backend->first_document += backend->document_count;
        backend->document_count = lines[backend->line++].document_count;
    } while (index >= backend->first_document + backend->document_count);
    backend->status = encode_line(backend);
}

static void fail(const struct engine_backend *backend, int status, struct btk_result_view *out_view)
{
    *out_view = (struct btk_result_view){.status = btk_status_of_engine(status),
                                         .error_offset = backend->error.offset,
                                         .message = backend->error.message};
}

static void check(void *self, unsigned slot, struct btk_result_view *out_view)
{
    const struct engine_backend *const backend = self;
    (void)slot;
    *out_view = (struct btk_result_view){.status = BTK_STATUS_OK};
    if (backend->options_status < 0) fail(backend, backend->options_status, out_view);
}

static int encode_document(struct engine_backend *backend, size_t index,
                           struct btk_result_view *out_view)
{
    if (!backend->options_status) encode_line_of(backend, index);
    const int status = backend->options_status ? backend->options_status : backend->status;
    if (status < 0) {
        fail(backend, status, out_view);
        return 0;
    }
    const size_t document = index - backend->first_document;
    const size_t count = btk_encodings_count(backend->encodings, document);
    backend->views.length = 0;
    for (size_t i = 0; i < count; i++) {
        const struct btk_encoding_view view = btk_encodings_get(backend->encodings, document, i);
        if (btk_buffer_append(&backend->views, &view, sizeof view) < 0) return -ENOMEM;
    }
    *out_view = (struct btk_result_view){
        .encodings = (const struct btk_encoding_view *)(const void *)backend->views.data,
        .encoding_count = count};
    return 0;
}

// --- Decoding

// The bound is that of the longest token, which may be far from all the others: room grows up to it.
static int try_decode(struct engine_backend *backend, const uint32_t *ids, size_t id_count,
                      size_t *out_bytes)
{
    const size_t bound = btk_decode_bound(backend->tokenizer, id_count);
    size_t capacity = btk_min_size(bound, 16 * id_count + 4096);
    for (;; capacity = btk_min_size(bound, 2 * capacity)) {
        if (capacity > backend->text_capacity || !backend->text) {
            free(backend->text);
            backend->text = malloc(capacity + 1);
            backend->text_capacity = backend->text ? capacity : 0;
            if (!backend->text) return -ENOMEM;
        }
        const int status =
            btk_decode(backend->tokenizer, ids, id_count, backend->request.skip_special_tokens,
                       backend->text, backend->text_capacity, out_bytes, NULL);
        if (status != -ENOBUFS || backend->text_capacity >= bound) return status;
    }
}

static int decode_document(struct engine_backend *backend, struct btk_bytes document,
                           struct btk_result_view *out_view)
{
    size_t bytes = 0;
    const int status = try_decode(backend, (const uint32_t *)(const void *)document.data,
                                  document.length / sizeof(uint32_t), &bytes);
    *out_view = status < 0 ? (struct btk_result_view){.status = btk_status_of_engine(status)}
                           : (struct btk_result_view){.text = (const uint8_t *)backend->text,
                                                      .text_bytes = bytes};
    return 0;
}

static int submit(void *self, unsigned slot, const struct btk_request_batch *batch,
                  struct btk_error *error)
{
    struct engine_backend *const backend = self;
    (void)slot, (void)error;
    backend->batch = batch;
    backend->line = backend->first_document = backend->document_count = 0;
    backend->options_status = resolve_options(backend);
    return 0;
}

static int wait_for(void *self, unsigned slot, struct btk_error *error)
{
    (void)self, (void)slot, (void)error;
    return 0;
}

static int view(void *self, unsigned slot, size_t index, struct btk_result_view *out_view)
{
    struct engine_backend *const backend = self;
    (void)slot;
    return backend->request.operation == BTK_OPERATION_DECODE
               ? decode_document(backend, btk_request_document(backend->batch, index), out_view)
               : encode_document(backend, index, out_view);
}

static int steps(void *self, size_t index, struct btk_json_writer *writer, bool *out_is_error)
{
    struct engine_backend *const backend = self;
    const struct btk_bytes document = btk_request_document(backend->batch, index);
    return btk_stream_steps_write(backend->stream, (const uint32_t *)(const void *)document.data,
                                  document.length / sizeof(uint32_t), writer, out_is_error);
}

static void release(void *self, unsigned slot)
{
    (void)self, (void)slot;
}

// On standard error, as all that is no result. Without memory there is none.
static void print_profile(const struct engine_backend *backend)
{
    struct btk_profile profile;
    struct btk_buffer text;
    btk_scratch_profile(backend->scratch, &profile);
    btk_buffer_init(&text);
    if (btk_profile_print(&profile, backend->name, &text) == 0)
        fwrite(text.data, 1, text.length, stderr);
    btk_buffer_clear(&text);
}

static void close_backend(void *self)
{
    struct engine_backend *const backend = self;
    if (backend->takes_profile) print_profile(backend);
    btk_encodings_free(&backend->encodings);
    btk_buffer_clear(&backend->inputs);
    btk_buffer_clear(&backend->views);
    free(backend->text);
    btk_decode_stream_free(&backend->stream);
    btk_scratch_free(&backend->scratch);
    btk_tokenizer_close(&backend->tokenizer);
    free(backend);
}

int btk_engine_backend_open(const struct btk_options *options,
                            const struct btk_backend_request *request,
                            struct btk_backend *out_backend, struct btk_error *error)
{
    struct engine_backend *const backend = calloc(1, sizeof *backend);
    if (!backend) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory");
    backend->request = *request;
    struct btk_said said;
    btk_said_read(options, &said);
    int status = btk_open_tokenizer(options->values[BTK_OPTION_tokenizer], &said,
                                    &backend->tokenizer, error);
    struct btk_error_info info;
    if (!status && btk_scratch_new(backend->tokenizer, &backend->scratch, &info) < 0)
        status = btk_error_import(error, &info);
    if (!status && btk_encodings_new(&backend->encodings, &info) < 0)
        status = btk_error_import(error, &info);
    if (!status && request->stream
        && btk_decode_stream_new(backend->tokenizer,
                                 request->stream == BTK_STREAM_CHOICE_LOSSLESS ? BTK_STREAM_LOSSLESS
                                                                               : BTK_STREAM_EXACT,
                                 request->skip_special_tokens, &backend->stream, &info)
               < 0)
        status = btk_error_import(error, &info);
    bool takes_profile = false;
    if (!status) status = btk_profile_wanted(getenv("BUDTIKTOK_PROFILE"), &takes_profile, error);
    if (status < 0) {
        close_backend(backend);
        return status;
    }
    backend->takes_profile = takes_profile && request->operation == BTK_OPERATION_ENCODE;
    const char *const named = options->values[BTK_OPTION_tokenizer];
    backend->name = named ? named : "the default tokenizer";
    btk_scratch_set_profiling(backend->scratch, backend->takes_profile);
    *out_backend = (struct btk_backend){.self = backend,
                                        .depth = 1,
                                        .submit = submit,
                                        .wait = wait_for,
                                        .check = check,
                                        .view = view,
                                        .steps = steps,
                                        .release = release,
                                        .close = close_backend};
    return 0;
}
