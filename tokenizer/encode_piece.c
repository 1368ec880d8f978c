// SPDX-License-Identifier: Apache-2.0
// One piece: from the cache or through the model, and its columns.
#include <errno.h>
#include <string.h>

#include "tokenizer/engine.h"
#include "tokenizer/model/wordpiece.h"

int btk_encode_reserve(const struct btk_encoder *encoder, size_t count)
{
    return encoder->encoding->capacity - encoder->encoding->count < count ? -ENOBUFS : 0;
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
            encoding->offsets[2 * (first + i)] = btk_span_source_begin(span, begin);
            encoding->offsets[2 * (first + i) + 1] = btk_span_source_end(span, end - 1);
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
    const int status = btk_encode_reserve(encoder, count);
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
    const int status = btk_encode_reserve(encoder, count);
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
        const int status = btk_encode_reserve(encoder, count);
        if (status < 0) return status;
        memcpy(out, entry->ids, count * sizeof *out);
    }
    encoding->count += count;
    if (encoder->annotates) annotate(encoder, span, piece, NULL, count);
    return 0;
}

int btk_encode_piece(struct btk_encoder *encoder, const struct btk_span *span,
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
