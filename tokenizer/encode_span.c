// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "common/utf8.h"

#include "tokenizer/engine.h"
#include "tokenizer/model/wordpiece.h"

static int reserve(const struct btk_encoder *encoder, size_t count)
{
    return encoder->encoding->capacity - encoder->encoding->count < count ? -ENOBUFS : 0;
}

static uint32_t source_begin(const struct btk_span *span, size_t at)
{
    return span->begins ? span->begins[at] : span->base + (uint32_t)at;
}

static uint32_t source_end(const struct btk_span *span, size_t last)
{
    return span->ends ? span->ends[last] : span->base + (uint32_t)last + 1;
}

// Bytes of the i-th token of a piece, when it came from the cache and only its id is known.
static uint32_t token_length(const struct btk_image *image, uint32_t id, size_t i,
                             struct btk_bytes piece)
{
    if (image->config->model == BTK_MODEL_BPE)
        return image->decoded_ends[id + 1] - image->decoded_ends[id];
    if (id == image->config->unknown_id) return (uint32_t)piece.length;
    const uint32_t length = image->token_ends[id + 1] - image->token_ends[id];
    return i ? length - image->config->prefix_bytes : length;
}

// The columns beside the ids for the newest `count` tokens, which are those of one piece.
// `lengths`: NULL when they follow from the ids.
static void annotate(struct btk_encoder *encoder, const struct btk_span *span,
                     struct btk_piece piece, const uint32_t *lengths, size_t count)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const size_t first = encoding->count - count;
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    size_t at = piece.begin;
    for (size_t i = 0; i < count; i++) {
        const uint32_t length =
            lengths ? lengths[i] : token_length(encoder->image, encoding->ids[first + i], i, text);
        if (encoding->offsets) {
            // Inside of the piece, whatever lengths an image gives to its tokens.
            const size_t begin = btk_min_size(at, piece.end - 1);
            const size_t end = btk_max_size(btk_min_size(at + length, piece.end), begin + 1);
            encoding->offsets[2 * (first + i)] = source_begin(span, begin);
            encoding->offsets[2 * (first + i) + 1] = source_end(span, end - 1);
        }
        if (encoding->word_ids) encoding->word_ids[first + i] = encoder->word_id;
        if (encoding->sources)
            encoding->sources[2 * (first + i)] = encoding->sources[2 * (first + i) + 1] = 0;
        at += length;
    }
}

// Merges a piece that no scratch is made for.
static int encode_giant(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece)
{
    struct btk_bpe_scratch bpe;
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    if (btk_bpe_scratch_init(&bpe, text.length) < 0) return -ENOMEM;
    bpe.progress = encoder->scratch->progress;
    encoder->scratch->spill_count++;
    const size_t count = btk_bpe_merge(encoder->image, &bpe, text);
    const int status = reserve(encoder, count);
    if (!status) {
        struct btk_encoding *const encoding = encoder->encoding;
        memcpy(encoding->ids + encoding->count, bpe.ids, count * sizeof *bpe.ids);
        encoding->count += count;
        if (encoder->annotates) annotate(encoder, span, piece, bpe.lengths, count);
    }
    btk_bpe_scratch_clear(&bpe);
    return status;
}

// The tokens of a piece, without the cache, into scratch->bpe. Returns the count.
static size_t run_model(struct btk_encoder *encoder, struct btk_bytes text)
{
    const struct btk_image *const image = encoder->image;
    struct btk_bpe_scratch *const bpe = &encoder->scratch->bpe;
    if (image->config->model == BTK_MODEL_WORDPIECE)
        return btk_wordpiece_encode(image, text, bpe->ids, bpe->lengths);
    const uint32_t id = text.length <= image->config->decoded_bytes_max
                            ? btk_image_find_bytes(image, text)
                            : BTK_NO_TOKEN;
    if (id != BTK_NO_TOKEN
        && ((image->tokens[id].flags & BTK_TOKEN_WHOLE)
            || (image->config->flags & BTK_PIPELINE_IGNORE_MERGES)))
    {
        bpe->ids[0] = id;
        bpe->lengths[0] = (uint32_t)text.length;
        return 1;
    }
    return btk_bpe_merge(image, bpe, text);
}

static int append_tokens(struct btk_encoder *encoder, const struct btk_span *span,
                         struct btk_piece piece, size_t count)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const struct btk_bpe_scratch *const bpe = &encoder->scratch->bpe;
    const int status = reserve(encoder, count);
    if (status < 0) return status;
    memcpy(encoding->ids + encoding->count, bpe->ids, count * sizeof *bpe->ids);
    encoding->count += count;
    if (encoder->annotates) annotate(encoder, span, piece, bpe->lengths, count);
    return 0;
}

static int encode_long(struct btk_encoder *encoder, const struct btk_span *span,
                       struct btk_piece piece)
{
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    if (text.length > BTK_LONG_PIECE_BYTES && encoder->image->config->model == BTK_MODEL_BPE)
        return encode_giant(encoder, span, piece);
    return append_tokens(encoder, span, piece, run_model(encoder, text));
}

static int append_entry(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece, const struct btk_piece_entry *entry)
{
    struct btk_encoding *const encoding = encoder->encoding;
    uint32_t *const out = encoding->ids + encoding->count;
    const size_t count = entry->count;
    if (encoding->capacity - encoding->count >= BTK_PIECE_IDS_MAX + 1) {
        memcpy(out, entry->ids,
               (BTK_PIECE_IDS_MAX + 1) * sizeof *out); // one move; the rest is free
    } else {
        const int status = reserve(encoder, count);
        if (status < 0) return status;
        memcpy(out, entry->ids, count * sizeof *out);
    }
    encoding->count += count;
    if (encoder->annotates) annotate(encoder, span, piece, NULL, count);
    return 0;
}

static int encode_piece(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece)
{
    struct btk_scratch *const scratch = encoder->scratch;
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    if (text.length > BTK_PIECE_BYTES_MAX) return encode_long(encoder, span, piece);
    const bool is_padded = text.data + BTK_READ_SLACK_BYTES <= span->readable_end;
    const struct btk_piece_key key = btk_piece_key(text.data, text.length, is_padded);
    struct btk_piece_entry *const set = btk_piece_cache_set(scratch->cache, &key);
    const struct btk_piece_entry *const entry = btk_piece_cache_find(scratch->cache, set, &key);
    if (entry) return append_entry(encoder, span, piece, entry);
    const size_t count = run_model(encoder, text);
    if (count <= BTK_PIECE_IDS_MAX) btk_piece_cache_put(set, &key, scratch->bpe.ids, count);
    return append_tokens(encoder, span, piece, count);
}

static int encode_pieces(struct btk_encoder *encoder, const struct btk_span *span)
{
    struct btk_scratch *const scratch = encoder->scratch;
    btk_pretok_next_fn *const next = encoder->image->config->pretokenizer == BTK_PRETOKENIZER_BERT
                                         ? btk_pretok_bert_next
                                         : btk_pretok_gpt2_next;
    btk_pretok_init(&scratch->pretok, scratch->kernels, span->text);
    size_t count;
    while ((count = next(&scratch->pretok, scratch->pieces, BTK_PIECE_BATCH)) != 0) {
        btk_progress_tick(&scratch->progress);
        for (size_t i = 0; i < count; i++) {
            const int status = encode_piece(encoder, span, scratch->pieces[i]);
            if (status < 0) return status;
            encoder->word_id++;
        }
    }
    return 0;
}

// --- add_prefix_space: the first piece is not in the text as it stands

// The first piece of " " + text: one byte more than it takes from the text.
static size_t prefixed_piece_bytes(struct btk_scratch *scratch, const struct btk_span *span,
                                   uint32_t flags)
{
    if (!(flags & BTK_PIPELINE_USE_REGEX)) return span->text.length;
    struct btk_piece piece;
    struct btk_pretok *const pretok = &scratch->pretok;
    btk_pretok_init(pretok, scratch->kernels, span->text);
    return btk_pretok_gpt2_first_after_space(pretok, &piece) ? piece.end : 0;
}

// Space and text share the place of the first character, as the reference's prepend() has it.
static void fill_prefixed(struct btk_normal_buffer *buffer, const struct btk_span *span,
                          size_t bytes)
{
    const size_t first_bytes = btk_utf8_length(span->text.data[0]);
    const uint32_t first_begin = source_begin(span, 0);
    const uint32_t first_end = source_end(span, btk_min_size(first_bytes, span->text.length) - 1);
    buffer->text[0] = ' ';
    memcpy(buffer->text + 1, span->text.data, bytes);
    for (size_t i = 0; i <= bytes; i++) {
        const bool is_first = i <= first_bytes;
        buffer->begins[i] = is_first ? first_begin : source_begin(span, i - 1);
        buffer->ends[i] = is_first ? first_end : source_end(span, i - 1);
    }
}

static int encode_prefixed_piece(struct btk_encoder *encoder, const struct btk_span *span,
                                 struct btk_normal_buffer *buffer, size_t bytes)
{
    fill_prefixed(buffer, span, bytes);
    const struct btk_span piece_span = {.text = {buffer->text, bytes + 1},
                                        .begins = buffer->begins,
                                        .ends = buffer->ends,
                                        .readable_end = buffer->text + bytes + 1};
    return encode_piece(encoder, &piece_span, (struct btk_piece){0, (uint32_t)bytes + 1});
}

static int encode_first_piece(struct btk_encoder *encoder, const struct btk_span *span,
                              size_t bytes)
{
    struct btk_scratch *const scratch = encoder->scratch;
    if (bytes <= scratch->prefixed.source_bytes_max)
        return encode_prefixed_piece(encoder, span, &scratch->prefixed, bytes);
    struct btk_normal_buffer buffer;
    if (btk_normal_buffer_init(&buffer, bytes, true) < 0) return -ENOMEM;
    scratch->spill_count++;
    const int status = encode_prefixed_piece(encoder, span, &buffer, bytes);
    btk_normal_buffer_clear(&buffer);
    return status;
}

static struct btk_span sub_span(const struct btk_span *span, size_t begin, size_t end)
{
    struct btk_span part = *span;
    part.text = (struct btk_bytes){span->text.data + begin, end - begin};
    part.base += (uint32_t)begin;
    if (span->begins) {
        part.begins += begin;
        part.ends += begin;
    }
    return part;
}

static int encode_byte_level(struct btk_encoder *encoder, const struct btk_span *span)
{
    const uint32_t flags = encoder->image->config->flags;
    if (!(flags & BTK_PIPELINE_ADD_PREFIX_SPACE) || span->text.data[0] == ' ') {
        if (flags & BTK_PIPELINE_USE_REGEX) return encode_pieces(encoder, span);
        const int status =
            encode_piece(encoder, span, (struct btk_piece){0, (uint32_t)span->text.length});
        encoder->word_id++;
        return status;
    }
    const size_t bytes = prefixed_piece_bytes(encoder->scratch, span, flags);
    const int status = encode_first_piece(encoder, span, bytes);
    encoder->word_id++;
    if (status < 0 || bytes == span->text.length) return status;
    const struct btk_span rest = sub_span(span, bytes, span->text.length);
    return encode_pieces(encoder, &rest);
}

static int encode_gap(struct btk_encoder *encoder, const struct btk_span *span)
{
    if (!span->text.length) return 0;
    return encoder->image->config->pretokenizer == BTK_PRETOKENIZER_BERT
               ? encode_pieces(encoder, span)
               : encode_byte_level(encoder, span);
}

// Does the source spell the match as the normalized text does?
static bool is_in_source(const struct btk_encoder *encoder, const struct btk_span *span,
                         const struct btk_added_match *match, uint32_t begin, uint32_t end)
{
    const size_t length = match->end - match->begin;
    return end - begin == length
           && memcmp(encoder->text.data + begin, span->text.data + match->begin, length) == 0;
}

int btk_encode_added(struct btk_encoder *encoder, const struct btk_span *span,
                     const struct btk_added_match *match)
{
    struct btk_encoding *const encoding = encoder->encoding;
    // The match before took all of it as its spaces: the reference drops what is empty.
    if (match->begin >= match->end) return 0;
    const int status = reserve(encoder, 1);
    if (status < 0) return status;
    const size_t at = encoding->count++;
    encoding->ids[at] = match->id;
    const uint32_t begin = source_begin(span, match->begin);
    const uint32_t end = source_end(span, match->end - 1);
    if (encoding->offsets) {
        encoding->offsets[2 * at] = begin;
        encoding->offsets[2 * at + 1] = end;
    }
    if (encoding->word_ids) encoding->word_ids[at] = encoder->word_id;
    if (encoding->sources) {
        const bool is_shown = match->has_spaces && is_in_source(encoder, span, match, begin, end);
        encoding->sources[2 * at] = is_shown ? begin : 0;
        encoding->sources[2 * at + 1] = is_shown ? end : 0;
    }
    encoder->word_id++;
    return 0;
}

int btk_encode_span(struct btk_encoder *encoder, const struct btk_span *span)
{
    struct btk_added_finder finder;
    struct btk_added_match match;
    size_t begin = 0;
    btk_added_finder_init(&finder, &encoder->image->normal_trie, &encoder->tokenizer->normal_filter,
                          span->text);
    while (btk_added_finder_next(&finder, &match)) {
        int status = 0;
        if (match.begin > begin) {
            const struct btk_span gap = sub_span(span, begin, match.begin);
            status = encode_gap(encoder, &gap);
        }
        if (!status) status = btk_encode_added(encoder, span, &match);
        if (status < 0) return status;
        begin = match.end;
    }
    const struct btk_span rest = sub_span(span, begin, span->text.length);
    return encode_gap(encoder, &rest);
}
