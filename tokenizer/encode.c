// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "tokenizer/engine.h"

#define TEXT_BYTES_MAX ((size_t)1 << 31)

int btk_normal_buffer_init(struct btk_normal_buffer *buffer, size_t source_bytes_max, bool has_maps)
{
    const size_t bound = btk_bert_bound(source_bytes_max) + BTK_READ_SLACK_BYTES;
    *buffer = (struct btk_normal_buffer){.source_bytes_max = source_bytes_max};
    buffer->text = malloc(bound);
    buffer->chars = malloc((btk_unicode_nfd_bound(source_bytes_max) + 4) * sizeof *buffer->chars);
    if (has_maps) {
        buffer->begins = malloc(bound * sizeof *buffer->begins);
        buffer->ends = malloc(bound * sizeof *buffer->ends);
    }
    if (buffer->text && buffer->chars && (!has_maps || (buffer->begins && buffer->ends))) return 0;
    btk_normal_buffer_clear(buffer);
    return -ENOMEM;
}

void btk_normal_buffer_clear(struct btk_normal_buffer *buffer)
{
    free(buffer->text);
    free(buffer->begins);
    free(buffer->ends);
    free(buffer->chars);
    *buffer = (struct btk_normal_buffer){0};
}

static bool needs_maps(const struct btk_encoder *encoder)
{
    return encoder->encoding->offsets || encoder->encoding->sources
           || btk_pretokenizer_reads_places(encoder->image);
}

static int encode_normalized(struct btk_encoder *encoder, struct btk_normal_buffer *buffer,
                             size_t begin, size_t end)
{
    struct btk_bert *const bert = encoder->scratch->bert;
    const bool has_maps = needs_maps(encoder);
    const struct btk_bert_output output = {.text = buffer->text,
                                           .begins = has_maps ? buffer->begins : NULL,
                                           .ends = has_maps ? buffer->ends : NULL};
    bert->chars = buffer->chars;
    const size_t length =
        btk_bert_normalize(bert, (struct btk_bytes){encoder->text.data + begin, end - begin},
                           (uint32_t)begin, &output);
    if (length > UINT32_MAX) return -E2BIG; // pieces are 32 bits
    const struct btk_span span = {
        .text = {buffer->text, length},
        .begins = output.begins,
        .ends = output.ends,
        .readable_end = buffer->text + length + BTK_READ_SLACK_BYTES,
    };
    return btk_encode_span(encoder, &span);
}

// A stretch that cannot be divided and does not fit into a window.
static int encode_spilled(struct btk_encoder *encoder, size_t begin, size_t end)
{
    struct btk_normal_buffer buffer;
    if (btk_normal_buffer_init(&buffer, end - begin, needs_maps(encoder)) < 0) return -ENOMEM;
    encoder->scratch->spill_count++;
    const int status = encode_normalized(encoder, &buffer, begin, end);
    btk_normal_buffer_clear(&buffer);
    return status;
}

// May the text be divided before `at`? White space separates words, and no mark can be moved over
// it; a Chinese character is set apart by spaces.
static bool is_cut(const struct btk_encoder *encoder, size_t at)
{
    const uint8_t byte = encoder->text.data[at];
    if (byte < 0x80) return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
    if (byte < 0xc0 || !(encoder->image->config->bert_flags & BTK_BERT_CHINESE)) return false;
    size_t length;
    return btk_unicode_classes(btk_utf8_decode(encoder->text.data + at, &length))
           & BTK_CLASS_CHINESE;
}

// The last cut of the window that begins at `begin`, or else the first one after it.
static size_t find_cut(const struct btk_encoder *encoder, size_t begin, size_t end)
{
    const size_t limit = begin + BTK_WINDOW_BYTES;
    if (limit >= end) return end;
    for (size_t at = limit; at > begin; at--)
        if (is_cut(encoder, at)) return at;
    size_t at = limit + 1;
    while (at < end && !is_cut(encoder, at)) at++;
    return at;
}

// Added tokens of the normalized text may lie across any cut, and pieces of a byte-level
// pre-tokenizer may: then the gap is normalized whole.
static int encode_windows(struct btk_encoder *encoder, size_t begin, size_t end)
{
    const bool is_whole = !encoder->tokenizer->normal_filter.is_empty
                          || encoder->image->config->pretokenizer != BTK_PRETOKENIZER_BERT;
    while (begin < end) {
        const size_t cut = is_whole ? end : find_cut(encoder, begin, end);
        const int status = cut - begin <= BTK_WINDOW_BYTES
                               ? encode_normalized(encoder, &encoder->scratch->normal, begin, cut)
                               : encode_spilled(encoder, begin, cut);
        if (status < 0) return status;
        begin = cut;
    }
    return 0;
}

// A gap is normalized whole: steps look at its beginning and at its end.
static int encode_steps(struct btk_encoder *encoder, const struct btk_span *source)
{
    struct btk_normalizer *const normalizer = encoder->scratch->normalizer;
    struct btk_span span;
    int status = btk_normalizer_run(normalizer, source, needs_maps(encoder), &span);
    if (!status) status = btk_encode_span(encoder, &span);
    btk_normalizer_release(normalizer);
    return status;
}

static int encode_gap(struct btk_encoder *encoder, size_t begin, size_t end)
{
    if (begin == end) return 0;
    if (encoder->scratch->bert) return encode_windows(encoder, begin, end);
    const struct btk_span span = {
        .text = {encoder->text.data + begin, end - begin},
        .base = (uint32_t)begin,
        .readable_end = encoder->text.data + encoder->text.length,
    };
    return encoder->scratch->normalizer ? encode_steps(encoder, &span)
                                        : btk_encode_span(encoder, &span);
}

static int encode_text(struct btk_encoder *encoder)
{
    const struct btk_span whole = {.text = encoder->text};
    struct btk_added_finder finder;
    struct btk_added_match match;
    size_t begin = 0;
    btk_added_finder_init(&finder, &encoder->image->raw_trie, &encoder->tokenizer->raw_filter,
                          encoder->text);
    while (btk_added_finder_next(&finder, &match)) {
        int status = match.begin > begin ? encode_gap(encoder, begin, match.begin) : 0;
        if (!status) status = btk_encode_added(encoder, &whole, &match);
        if (status < 0) return status;
        begin = match.end;
    }
    return encode_gap(encoder, begin, encoder->text.length);
}

static int encode_all(struct btk_encoder *encoder)
{
    int status = btk_postprocess_prefix(encoder);
    const size_t first = encoder->encoding->count;
    if (!status) status = encode_text(encoder);
    if (status < 0) return status;
    btk_postprocess_columns(encoder, first);
    return btk_postprocess_suffix(encoder);
}

static int explain(int status, const struct btk_encoding *encoding, struct btk_error *error)
{
    if (status == -ENOBUFS)
        return btk_error_set(error, ENOBUFS, BTK_NO_OFFSET,
                             "the columns have room for %zu tokens, which is not enough",
                             encoding->capacity);
    if (status == -ETIME)
        return btk_error_set(error, ETIME, BTK_NO_OFFSET,
                             "a pattern of the pre-tokenizer takes too long on this text");
    if (status == -ENODATA)
        return btk_error_set(error, ENODATA, BTK_NO_OFFSET,
                             "the text has something unknown in it, and the vocabulary has no "
                             "unknown token");
    if (status == -E2BIG)
        return btk_error_set(error, E2BIG, BTK_NO_OFFSET,
                             "the normalized text has more than %u bytes", UINT32_MAX);
    if (status == -EDOM)
        return btk_error_set(error, EDOM, BTK_NO_OFFSET,
                             "the normalizer has no result for this text: the reference panics");
    if (status == -ETIME)
        return btk_error_set(error, ETIME, BTK_NO_OFFSET,
                             "a regular expression takes too long on this text");
    return btk_error_set(error, -status, BTK_NO_OFFSET, "not enough memory to encode");
}

int btk_encode_validated(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                         const char *text, size_t text_bytes,
                         const struct btk_encode_options *options, struct btk_encoding *encoding,
                         struct btk_error_info *out_error)
{
    struct btk_error error;
    encoding->count = 0;
    if (text_bytes > TEXT_BYTES_MAX) {
        btk_error_set(&error, E2BIG, BTK_NO_OFFSET, "a text of %zu bytes; the most is %zu",
                      text_bytes, TEXT_BYTES_MAX);
        return btk_error_export(&error, out_error);
    }
    struct btk_encoder encoder = {
        .tokenizer = tokenizer,
        .image = &tokenizer->image,
        .scratch = scratch,
        .options = options,
        .encoding = encoding,
        .text = {(const uint8_t *)text, text_bytes},
        .annotates = encoding->offsets || encoding->word_ids || encoding->sources,
    };
    const int status = encode_all(&encoder);
    if (!status) return 0;
    explain(status, encoding, &error);
    encoding->count = 0;
    return btk_error_export(&error, out_error);
}

// Room for a private copy; what a text beyond the usual needed is given back by release_copy().
static uint8_t *reserve_copy(struct btk_scratch *scratch, size_t bytes)
{
    if (scratch->copy_bytes < bytes) {
        free(scratch->copy);
        scratch->copy = malloc(bytes);
        scratch->copy_bytes = scratch->copy ? bytes : 0;
        if (bytes > BTK_COPY_BYTES_MAX) scratch->spill_count++;
    }
    return scratch->copy;
}

static void release_copy(struct btk_scratch *scratch)
{
    if (scratch->copy_bytes <= BTK_COPY_BYTES_MAX) return;
    free(scratch->copy);
    scratch->copy = NULL;
    scratch->copy_bytes = 0;
}

// What is copied is what is checked and replaced: the text may be in memory that others write to.
static int copy_text(struct btk_scratch *scratch, const char *text, size_t *in_out_bytes,
                     const struct btk_encode_options *options, struct btk_error *error)
{
    const size_t bytes = *in_out_bytes;
    const bool replaces = options->invalid_utf8 == BTK_INVALID_UTF8_REPLACE;
    const size_t front = replaces ? 2 * bytes : 0; // replacing grows into it
    uint8_t *const copy = reserve_copy(scratch, btk_max_size(front + bytes, 64 * 1024));
    if (!copy) return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory to encode");
    scratch->copy_begin = 0;
    if (!replaces) {
        const size_t valid = scratch->kernels->utf8_copy(copy, (const uint8_t *)text, bytes);
        if (valid == bytes) return 0;
        return btk_error_set(error, EILSEQ, valid, "not UTF-8: byte 0x%02x at offset %zu",
                             (unsigned char)text[valid], valid);
    }
    if (bytes) memcpy(copy + front, text, bytes);
    if (scratch->kernels->utf8_valid_prefix(copy + front, bytes) == bytes)
        scratch->copy_begin = front;
    else
        *in_out_bytes = btk_utf8_replace_invalid(copy, copy + front, bytes);
    return 0;
}

int btk_encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch, const char *text,
               size_t text_bytes, const struct btk_encode_options *options,
               struct btk_encoding *encoding, struct btk_error_info *out_error)
{
    struct btk_error error;
    encoding->count = 0;
    if (text_bytes > TEXT_BYTES_MAX)
        return btk_encode_validated(tokenizer, scratch, text, text_bytes, options, encoding,
                                    out_error);
    int status = copy_text(scratch, text, &text_bytes, options, &error);
    if (status < 0)
        btk_error_export(&error, out_error);
    else
        status = btk_encode_validated(tokenizer, scratch,
                                      (const char *)scratch->copy + scratch->copy_begin, text_bytes,
                                      options, encoding, out_error);
    release_copy(scratch);
    return status;
}

// A byte gives at most one token; with an added space, a gap of one byte gives two. Normalizing makes
// no more characters than there were bytes, but more bytes: a Hangul syllable has nine of them then.
size_t btk_encode_bound(const struct btk_tokenizer *tokenizer, size_t text_bytes,
                        const struct btk_encode_options *options)
{
    const struct btk_image_config *const config = tokenizer->image.config;
    const size_t specials =
        options->add_special_tokens ? config->prefix_count + (size_t)config->suffix_count : 0;
    const size_t bytes =
        options->invalid_utf8 == BTK_INVALID_UTF8_REPLACE ? 3 * text_bytes : text_bytes;
    const bool grows = config->model == BTK_MODEL_BPE && config->normalizer == BTK_NORMALIZER_BERT;
    const size_t per_byte =
        (config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE ? 2u : 1u) * (grows ? 3u : 1u);
    const size_t steps =
        btk_pretokenizer_growth(&tokenizer->image) * btk_model_tokens_per_byte(config);
    return per_byte * steps * bytes + specials + BTK_PIECE_IDS_MAX + 1;
}
