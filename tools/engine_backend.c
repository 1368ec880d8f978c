// SPDX-License-Identifier: Apache-2.0
// The engine in this process: a document is encoded when its result is asked for.
#include <errno.h>
#include <stdlib.h>

#include "common/utf8.h"
#include "tools/backend.h"
#include "tools/open_tokenizer.h"

struct engine_backend {
    struct btk_backend_request request;
    struct btk_tokenizer *tokenizer;
    struct btk_scratch *scratch;
    struct btk_decode_stream *stream; // decode, as a stream
    const struct btk_request_batch *batch;
    struct btk_encoding encoding;
    struct btk_buffer token_text;
    uint32_t *token_ends;
    char *text; // decode
    size_t text_capacity;
    struct btk_buffer replaced; // a document as the sources of its tokens speak of it
};

static void clear_columns(struct engine_backend *backend)
{
    struct btk_encoding *const encoding = &backend->encoding;
    free(encoding->ids);
    free(encoding->offsets);
    free(encoding->type_ids);
    free(encoding->word_ids);
    free(encoding->special_tokens_mask);
    free(encoding->sources);
    free(backend->token_ends);
    *encoding = (struct btk_encoding){0};
    backend->token_ends = NULL;
}

static bool try_allocate(uint32_t **column, bool is_wanted, size_t count)
{
    if (!is_wanted) return true;
    *column = malloc(count * sizeof **column);
    return *column != NULL;
}

static int reserve_columns(struct engine_backend *backend, size_t capacity)
{
    struct btk_encoding *const encoding = &backend->encoding;
    if (encoding->capacity >= capacity) return 0;
    clear_columns(backend);
    const uint32_t fields = backend->request.fields;
    const bool wants_mask = fields & (BTK_FIELD_SPECIAL_TOKENS_MASK | BTK_FIELD_SEQUENCE_IDS);
    const bool wants_tokens = fields & BTK_FIELD_TOKENS;
    const bool wants_offsets = fields & BTK_FIELD_OFFSETS;
    if (!try_allocate(&encoding->ids, true, capacity)
        || !try_allocate(&encoding->offsets, wants_offsets, 2 * capacity)
        || !try_allocate(&encoding->type_ids, fields & BTK_FIELD_TYPE_IDS, capacity)
        || !try_allocate(&encoding->word_ids, fields & BTK_FIELD_WORD_IDS, capacity)
        || !try_allocate(&encoding->sources, wants_tokens, 2 * capacity)
        || !try_allocate(&backend->token_ends, wants_tokens, capacity))
        return -ENOMEM;
    if (wants_mask && !(encoding->special_tokens_mask = malloc(capacity))) return -ENOMEM;
    encoding->capacity = capacity;
    return 0;
}

// With its invalid parts replaced, when that was asked for.
static int make_valid(struct engine_backend *backend, struct btk_bytes *text)
{
    if (backend->request.invalid_utf8 != BTK_INVALID_UTF8_REPLACE
        || btk_utf8_valid_prefix(text->data, text->length) == text->length)
        return 0;
    struct btk_buffer *const replaced = &backend->replaced;
    replaced->length = 0;
    if (btk_buffer_reserve(replaced, 3 * text->length) < 0) return -ENOMEM;
    replaced->length = btk_utf8_replace_invalid(replaced->data, text->data, text->length);
    *text = (struct btk_bytes){replaced->data, replaced->length};
    return 0;
}

static int write_tokens(struct engine_backend *backend, const char *text)
{
    const struct btk_encoding *const encoding = &backend->encoding;
    backend->token_text.length = 0;
    for (size_t i = 0; i < encoding->count; i++) {
        size_t bytes;
        const char *const token = btk_token_text_in(backend->tokenizer, encoding->ids[i], text,
                                                    &encoding->sources[2 * i], &bytes);
        if (btk_buffer_append(&backend->token_text, token, bytes) < 0) return -ENOMEM;
        if (backend->token_text.length > UINT32_MAX) return -E2BIG;
        backend->token_ends[i] = (uint32_t)backend->token_text.length;
    }
    return 0;
}

static uint32_t status_of(int error_code)
{
    switch (error_code) {
    case -EILSEQ: return BTK_STATUS_INVALID_UTF8;
    case -E2BIG:
    case -ENOBUFS: return BTK_STATUS_TOO_LARGE;
    default: return BTK_STATUS_OUT_OF_MEMORY;
    }
}

static void fill_view(const struct engine_backend *backend, struct btk_document_view *view)
{
    const struct btk_encoding *const encoding = &backend->encoding;
    *view = (struct btk_document_view){
        .token_count = encoding->count,
        .ids = encoding->ids,
        .offsets = encoding->offsets,
        .type_ids = encoding->type_ids,
        .word_ids = encoding->word_ids,
        .special_tokens_mask = encoding->special_tokens_mask,
        .token_ends = backend->token_ends,
        .token_text = backend->token_text.data,
        .token_text_end = (uint32_t)backend->token_text.length,
    };
}

static int encode_document(struct engine_backend *backend, struct btk_bytes document,
                           struct btk_document_view *out_view)
{
    const struct btk_encode_options options = {.add_special_tokens =
                                                   backend->batch->add_special_tokens,
                                               .offsets_unit = backend->request.offsets_unit,
                                               .invalid_utf8 = backend->request.invalid_utf8};
    struct btk_error_info error = {.offset = 0};
    int status = make_valid(backend, &document);
    if (!status)
        status = reserve_columns(backend,
                                 btk_encode_bound(backend->tokenizer, document.length, &options));
    const char *const text = document.length ? (const char *)document.data : "";
    if (!status)
        status = btk_encode(backend->tokenizer, backend->scratch, text, document.length, &options,
                            &backend->encoding, &error);
    if (!status && backend->token_ends) status = write_tokens(backend, text);
    if (!status)
        fill_view(backend, out_view);
    else
        *out_view =
            (struct btk_document_view){.status = status_of(status), .error_offset = error.offset};
    return 0;
}

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
                           struct btk_document_view *out_view)
{
    size_t bytes = 0;
    const int status = try_decode(backend, (const uint32_t *)(const void *)document.data,
                                  document.length / sizeof(uint32_t), &bytes);
    *out_view = status < 0 ? (struct btk_document_view){.status = status_of(status)}
                           : (struct btk_document_view){.text = (const uint8_t *)backend->text,
                                                        .text_bytes = bytes};
    return 0;
}

static int submit(void *self, unsigned slot, const struct btk_request_batch *batch,
                  struct btk_error *error)
{
    struct engine_backend *const backend = self;
    (void)slot, (void)error;
    backend->batch = batch;
    return 0;
}

static int wait_for(void *self, unsigned slot, struct btk_error *error)
{
    (void)self, (void)slot, (void)error;
    return 0;
}

static int view(void *self, unsigned slot, size_t index, struct btk_document_view *out_view)
{
    struct engine_backend *const backend = self;
    (void)slot;
    const struct btk_bytes document = btk_request_document(backend->batch, index);
    return backend->request.operation == BTK_OPERATION_DECODE
               ? decode_document(backend, document, out_view)
               : encode_document(backend, document, out_view);
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

static void close_backend(void *self)
{
    struct engine_backend *const backend = self;
    clear_columns(backend);
    btk_buffer_clear(&backend->token_text);
    btk_buffer_clear(&backend->replaced);
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
    int status =
        btk_open_tokenizer(options->values[BTK_OPTION_tokenizer], &backend->tokenizer, error);
    struct btk_error_info info;
    if (!status && btk_scratch_new(backend->tokenizer, &backend->scratch, &info) < 0)
        status = btk_error_import(error, &info);
    if (!status && request->stream
        && btk_decode_stream_new(backend->tokenizer,
                                 request->stream == BTK_STREAM_CHOICE_LOSSLESS ? BTK_STREAM_LOSSLESS
                                                                               : BTK_STREAM_EXACT,
                                 request->skip_special_tokens, &backend->stream, &info)
               < 0)
        status = btk_error_import(error, &info);
    if (status < 0) {
        close_backend(backend);
        return status;
    }
    *out_backend = (struct btk_backend){.self = backend,
                                        .depth = 1,
                                        .submit = submit,
                                        .wait = wait_for,
                                        .view = view,
                                        .steps = steps,
                                        .release = release,
                                        .close = close_backend};
    return 0;
}
