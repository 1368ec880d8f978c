// SPDX-License-Identifier: Apache-2.0
// An engine whose results anyone can write down: behind the header of the real one, each byte of
// valid UTF-8 is a token of that id, 256 stands before a text and 257 behind it. An image is any
// memory that begins with "double".
#include <budtiktok/tokenizer.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

enum { PREFIX_ID = 256, SUFFIX_ID = 257 };

struct btk_tokenizer {
    char unused;
};

struct btk_scratch {
    uint64_t hits;
    const char *text; // of the last call
};

int btk_tokenizer_attach(const void *image, size_t image_bytes, bool is_verified,
                         struct btk_tokenizer **out_tokenizer, struct btk_error_info *error)
{
    if (!is_verified || image_bytes < 6 || memcmp(image, "double", 6) != 0) {
        error->code = EPROTO;
        strcpy(error->message, "not an image");
        return -EPROTO;
    }
    *out_tokenizer = calloc(1, sizeof **out_tokenizer);
    return *out_tokenizer == NULL ? -ENOMEM : 0;
}

void btk_tokenizer_close(struct btk_tokenizer **tokenizer)
{
    free(*tokenizer);
    *tokenizer = NULL;
}

int btk_scratch_new(const struct btk_tokenizer *tokenizer, struct btk_scratch **out_scratch,
                    struct btk_error_info *error)
{
    (void)tokenizer, (void)error;
    *out_scratch = calloc(1, sizeof **out_scratch);
    return *out_scratch == NULL ? -ENOMEM : 0;
}

void btk_scratch_free(struct btk_scratch **scratch)
{
    free(*scratch);
    *scratch = NULL;
}

void btk_scratch_cache_counts(const struct btk_scratch *scratch, uint64_t *out_hits,
                              uint64_t *out_misses)
{
    *out_hits = scratch->hits;
    *out_misses = 1;
}

void btk_scratch_set_profiling(struct btk_scratch *scratch, bool is_on)
{
    (void)scratch, (void)is_on;
}

void btk_scratch_profile(const struct btk_scratch *scratch, struct btk_profile *out_profile)
{
    *out_profile = (struct btk_profile){.calls = scratch->hits, .cache_misses = 1};
}

size_t btk_encode_bound(const struct btk_tokenizer *tokenizer, size_t text_bytes,
                        const struct btk_encode_options *options)
{
    (void)tokenizer;
    return (options->invalid_utf8 == BTK_INVALID_UTF8_REPLACE ? 3 : 1) * text_bytes + 2;
}

static void put(struct btk_encoding *out, uint32_t id, size_t begin, size_t end)
{
    const size_t at = out->count++;
    out->ids[at] = id;
    if (out->offsets != NULL) {
        out->offsets[2 * at] = (uint32_t)begin;
        out->offsets[2 * at + 1] = (uint32_t)end;
    }
    if (out->type_ids != NULL) out->type_ids[at] = 7;
    if (out->word_ids != NULL) out->word_ids[at] = (uint32_t)at;
    if (out->special_tokens_mask != NULL) out->special_tokens_mask[at] = id > 255;
    if (out->sources != NULL) {
        out->sources[2 * at] = (uint32_t)begin;
        out->sources[2 * at + 1] = (uint32_t)end;
    }
}

int btk_encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch, const char *text,
               size_t text_bytes, const struct btk_encode_options *options,
               struct btk_encoding *encoding, struct btk_error_info *error)
{
    static uint8_t replaced[4096];
    const size_t bound = btk_encode_bound(tokenizer, text_bytes, options);
    if (options->invalid_utf8 == BTK_INVALID_UTF8_REPLACE && 3 * text_bytes <= sizeof replaced) {
        text_bytes = btk_utf8_replace_invalid(replaced, (const uint8_t *)text, text_bytes);
        text = (const char *)replaced;
    }
    const size_t valid = btk_utf8_valid_prefix((const uint8_t *)text, text_bytes);
    encoding->count = 0;
    if (valid < text_bytes) {
        error->offset = valid;
        return -EILSEQ;
    }
    if (encoding->capacity < bound) return -ENOBUFS;
    if (options->add_special_tokens) put(encoding, PREFIX_ID, 0, 0);
    for (size_t i = 0; i < text_bytes; i++) put(encoding, (uint8_t)text[i], i, i + 1);
    if (options->add_special_tokens) put(encoding, SUFFIX_ID, 0, 0);
    scratch->hits++;
    scratch->text = text;
    return 0;
}

const char *btk_token_text_in(const struct btk_tokenizer *tokenizer,
                              const struct btk_scratch *scratch, uint32_t id,
                              const uint32_t source[2], size_t *out_bytes)
{
    (void)tokenizer;
    *out_bytes = id > 255 ? 5 : source[1] - source[0];
    return id > 255 ? "[XXX]" : scratch->text + source[0];
}

size_t btk_decode_bound(const struct btk_tokenizer *tokenizer, size_t id_count)
{
    (void)tokenizer;
    return 5 * id_count;
}

int btk_decode(const struct btk_tokenizer *tokenizer, const uint32_t *ids, size_t id_count,
               bool skip_special_tokens, char *out_text, size_t capacity_bytes, size_t *out_bytes,
               struct btk_error_info *error)
{
    (void)error;
    size_t bytes = 0;
    if (capacity_bytes < btk_decode_bound(tokenizer, id_count)) return -ENOBUFS;
    for (size_t i = 0; i < id_count; i++) {
        if (ids[i] < 128)
            out_text[bytes++] = (char)ids[i];
        else if (!skip_special_tokens)
            bytes += (size_t)(stpcpy(out_text + bytes, "[XXX]") - (out_text + bytes));
    }
    *out_bytes = bytes;
    return 0;
}

void btk_scratch_set_progress(struct btk_scratch *scratch, btk_progress_fn *report, void *context)
{
    (void)scratch, (void)report, (void)context;
}

// --- Documents with shapes: each of its texts as above, then padding to a length, if one is given

enum { DOCUMENTS_MAX = 64, TOKENS_MAX = 4096 };

struct btk_encodings {
    size_t document_count;
    size_t ends[DOCUMENTS_MAX]; // in tokens
    size_t count;
    uint32_t ids[TOKENS_MAX];
};

int btk_encodings_new(struct btk_encodings **out_encodings, struct btk_error_info *error)
{
    (void)error;
    *out_encodings = calloc(1, sizeof **out_encodings);
    return *out_encodings == NULL ? -ENOMEM : 0;
}

void btk_encodings_free(struct btk_encodings **encodings)
{
    free(*encodings);
    *encodings = NULL;
}

uint64_t btk_encodings_bytes(const struct btk_encodings *encodings)
{
    return sizeof *encodings;
}

void btk_tokenizer_configured(const struct btk_tokenizer *tokenizer,
                              struct btk_truncation *out_truncation,
                              struct btk_padding *out_padding)
{
    (void)tokenizer;
    *out_truncation = (struct btk_truncation){0};
    *out_padding = (struct btk_padding){0};
}

// No stride is right.
int btk_truncation_check(const struct btk_tokenizer *tokenizer,
                         const struct btk_truncation *truncation, struct btk_error_info *error)
{
    (void)tokenizer;
    if (truncation->stride == 0) return 0;
    strcpy(error->message, "a stride");
    return -EINVAL;
}

static int put_text(struct btk_encodings *encodings, const struct btk_encode_text *text,
                    struct btk_error_info *error)
{
    error->offset = btk_utf8_valid_prefix((const uint8_t *)text->data, text->bytes);
    if (error->offset < text->bytes) return -EILSEQ;
    for (size_t i = 0; i < text->bytes && encodings->count < TOKENS_MAX; i++)
        encodings->ids[encodings->count++] = (uint8_t)text->data[i];
    return 0;
}

static size_t longest(const struct btk_encode_input *inputs, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t bytes = inputs[i].text.bytes + inputs[i].pair.bytes;
        if (bytes > most) most = bytes;
    }
    return most;
}

int btk_encode_batch(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                     const struct btk_encode_input *inputs, size_t count,
                     const struct btk_encoding_options *options, struct btk_encodings *encodings,
                     struct btk_error_info *error)
{
    (void)tokenizer;
    scratch->hits++;
    const struct btk_padding *padding = &options->padding;
    size_t length = 0;
    if (padding->is_on) length = padding->has_length ? padding->length : longest(inputs, count);
    encodings->document_count = encodings->count = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t begin = encodings->count;
        int rc = put_text(encodings, &inputs[i].text, error);
        if (rc == 0 && inputs[i].has_pair) rc = put_text(encodings, &inputs[i].pair, error);
        if (rc != 0) return rc;
        while (encodings->count - begin < length) encodings->ids[encodings->count++] = padding->id;
        encodings->ends[encodings->document_count++] = encodings->count;
    }
    return 0;
}

size_t btk_encodings_count(const struct btk_encodings *encodings, size_t document)
{
    (void)encodings, (void)document;
    return 1;
}

struct btk_encoding_view btk_encodings_get(const struct btk_encodings *encodings, size_t document,
                                           size_t index)
{
    (void)index;
    const size_t begin = document == 0 ? 0 : encodings->ends[document - 1];
    return (struct btk_encoding_view){.token_count = encodings->ends[document] - begin,
                                      .ids = encodings->ids + begin};
}
