// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "tokenizer/engine.h"

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
    struct btk_bert_output output = {.text = buffer->text,
                                     .begins = has_maps ? buffer->begins : NULL,
                                     .ends = has_maps ? buffer->ends : NULL};
    btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_NORMALIZATION);
    bert->chars = buffer->chars;
    const size_t length =
        btk_bert_normalize(bert, (struct btk_bytes){encoder->text.data + begin, end - begin},
                           (uint32_t)begin, &output);
    if (length > UINT32_MAX) return -E2BIG; // pieces are 32 bits
    const struct btk_span span = {
        .text = {buffer->text, length},
        .base = (uint32_t)begin,
        .begins = output.has_moved ? output.begins : NULL,
        .ends = output.has_moved ? output.ends : NULL,
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
        btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_NORMALIZATION);
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
    btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_NORMALIZATION);
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

int btk_encode_text(struct btk_encoder *encoder)
{
    const struct btk_span whole = {.text = encoder->text};
    struct btk_added_finder finder;
    struct btk_added_match match;
    size_t begin = 0;
    btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_ADDED_TOKENS);
    btk_added_finder_init(&finder, &encoder->image->raw_trie, &encoder->tokenizer->raw_filter,
                          encoder->text);
    finder.skips_special = btk_encode_special_text(encoder) == BTK_SPECIAL_TEXT_PLAIN;
    while (btk_added_finder_next(&finder, &match)) {
        int status = match.begin > begin ? encode_gap(encoder, begin, match.begin) : 0;
        btk_profiler_enter(&encoder->scratch->profiler, BTK_STAGE_ADDED_TOKENS);
        if (!status) status = btk_encode_added(encoder, &whole, &match);
        if (status < 0) return status;
        begin = match.end;
    }
    const int status = encode_gap(encoder, begin, encoder->text.length);
    encoder->scratch->word_count = encoder->word_id;
    return status;
}
