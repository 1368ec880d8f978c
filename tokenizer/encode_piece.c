// SPDX-License-Identifier: Apache-2.0
// One piece: from the cache or through the model, and its columns.
#include <errno.h>
#include <string.h>

#include "tokenizer/engine.h"
#include "tokenizer/model/bpe_cut.h"
#include "tokenizer/model/byte_cut.h"
#include "tokenizer/model/piece_table.h"

int btk_encode_reserve(struct btk_encoder *encoder, size_t count)
{
    if (encoder->encoding->capacity - encoder->encoding->count >= count) return 0;
    return encoder->grow ? encoder->grow(encoder, count) : -ENOBUFS;
}

int btk_encode_show(struct btk_encoder *encoder, size_t at, struct btk_bytes text)
{
    struct btk_buffer *const shown = &encoder->scratch->shown;
    uint32_t *const source = encoder->encoding->sources + 2 * at;
    if (shown->length + text.length > UINT32_MAX) return -E2BIG;
    source[0] = (uint32_t)shown->length;
    if (btk_buffer_append(shown, text.data, text.length) < 0) return -ENOMEM;
    source[1] = (uint32_t)shown->length;
    return 0;
}

// What is unknown to Unigram, and to all models of SentencePiece, shows itself.
static bool shows_itself(const struct btk_image_config *config, uint32_t id)
{
    return id == config->unknown_id
           && (config->model == BTK_MODEL_UNIGRAM
               || (config->model_flags & BTK_MODEL_SENTENCEPIECE));
}

static int annotate_source(struct btk_encoder *encoder, size_t at, struct btk_bytes text)
{
    struct btk_encoding *const encoding = encoder->encoding;
    encoding->sources[2 * at] = encoding->sources[2 * at + 1] = 0;
    return shows_itself(encoder->image->config, encoding->ids[at])
               ? btk_encode_show(encoder, at, text)
               : 0;
}

// Also of a token that is added as well, when the model has made it.
static void annotate_spaces(const struct btk_encoder *encoder, size_t at, struct btk_bytes text)
{
    const uint32_t id = encoder->encoding->ids[at];
    const struct btk_token_info info = encoder->image->tokens[id];
    encoder->spaces[2 * at] = info.leading_spaces;
    encoder->spaces[2 * at + 1] = info.trailing_spaces;
    if (shows_itself(encoder->image->config, id))
        btk_postprocess_count_spaces(text, encoder->spaces + 2 * at);
}

// The place of the token `at` and its word. Crafted images, and bytes of affixes, have tokens that leave
// the piece: they have the place of its end.
static inline void place_token(const struct btk_encoder *encoder, const struct btk_span *span,
                               struct btk_piece piece, size_t at, size_t begin, size_t end)
{
    const struct btk_encoding *const encoding = encoder->encoding;
    begin = btk_min_size(begin, piece.end - 1);
    end = btk_max_size(btk_min_size(end, piece.end), begin + 1);
    if (encoding->offsets) {
        encoding->offsets[2 * at] = btk_span_source_begin(span, begin);
        encoding->offsets[2 * at + 1] = btk_span_source_end(span, end - 1);
    }
    if (encoding->word_ids) encoding->word_ids[at] = encoder->word_id;
}

// The columns beside the id for the token `at`, which stands at [begin, end) of the span.
static int annotate_token(struct btk_encoder *encoder, const struct btk_span *span,
                          struct btk_piece piece, size_t at, size_t begin, size_t end)
{
    place_token(encoder, span, piece, at, begin, end);
    if (!encoder->spaces && !encoder->encoding->sources) return 0;
    begin = btk_min_size(begin, piece.end - 1);
    end = btk_max_size(btk_min_size(end, piece.end), begin + 1);
    const struct btk_bytes text = {span->text.data + begin, end - begin};
    if (encoder->spaces) annotate_spaces(encoder, at, text);
    return encoder->encoding->sources ? annotate_source(encoder, at, text) : 0;
}

static int annotate_tokens(struct btk_encoder *encoder, const struct btk_span *span,
                           struct btk_piece piece, size_t at, size_t base, const uint32_t *places,
                           size_t count)
{
    if (!encoder->spaces && !encoder->encoding->sources) {
        for (size_t i = 0; i < count; i++)
            place_token(encoder, span, piece, at + i, base + places[2 * i],
                        base + places[2 * i + 1]);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const int status = annotate_token(encoder, span, piece, at + i, base + places[2 * i],
                                          base + places[2 * i + 1]);
        if (status < 0) return status;
    }
    return 0;
}

// `begin`: what the places count from.
static int append_tokens(struct btk_encoder *encoder, const struct btk_span *span,
                         struct btk_piece piece, const struct btk_model_scratch *model,
                         size_t begin, size_t count)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const int status = btk_encode_reserve(encoder, count);
    if (status < 0) return status;
    const size_t first = encoding->count;
    memcpy(encoding->ids + first, model->ids, count * sizeof *model->ids);
    encoding->count += count;
    return encoder->annotates
               ? annotate_tokens(encoder, span, piece, first, begin, model->places, count)
               : 0;
}

// All tokens of a piece, which the scratch has room for.
static int run_model(struct btk_encoder *encoder, const struct btk_span *span,
                     struct btk_piece piece, struct btk_model_scratch *model)
{
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    size_t count;
    int status = btk_model_begin(encoder->image, model, text, &count);
    while (!status && count) {
        status = append_tokens(encoder, span, piece, model, piece.begin, count);
        if (!status) status = btk_model_next(encoder->image, model, &count);
    }
    return status;
}

// A piece that no scratch is made for.
static int encode_giant(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece)
{
    struct btk_model_scratch model;
    int status = btk_model_scratch_init(&model, encoder->image, piece.end - piece.begin);
    if (status < 0) return status;
    btk_model_set_progress(&model, encoder->scratch->progress);
    model.bpe.random = encoder->scratch->model.bpe.random++;
    encoder->scratch->spill_count++;
    status = run_model(encoder, span, piece, &model);
    btk_model_scratch_clear(&model);
    return status;
}

static int annotate_entry(struct btk_encoder *encoder, const struct btk_span *span,
                          struct btk_piece piece, const struct btk_piece_entry *entry)
{
    const size_t count = btk_piece_entry_count(entry), first = encoder->encoding->count - count;
    const size_t length = piece.end - piece.begin;
    for (size_t i = 0, begin = 0, end; i < count; i++, begin = end) {
        end = btk_piece_entry_end(entry, begin, length);
        const int status =
            annotate_token(encoder, span, piece, first + i, piece.begin + begin, piece.begin + end);
        if (status < 0) return status;
    }
    return 0;
}

static int append_entry(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece, const struct btk_piece_entry *entry)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const size_t count = btk_piece_entry_count(entry);
    const int status = btk_encode_reserve(encoder, count);
    if (status < 0) return status;
    memcpy(encoding->ids + encoding->count, entry->ids, count * sizeof *entry->ids);
    encoding->count += count;
    return encoder->annotates ? annotate_entry(encoder, span, piece, entry) : 0;
}

int btk_encode_short(struct btk_encoder *encoder, const struct btk_span *span,
                     struct btk_piece piece, const struct btk_short_piece *known)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const size_t count = btk_short_layout_count(known->layout), first = encoding->count;
    const size_t length = piece.end - piece.begin;
    int status = btk_encode_reserve(encoder, count);
    if (status < 0) return status;
    memcpy(encoding->ids + first, known->ids, count * sizeof *known->ids);
    encoding->count += count;
    for (size_t i = 0, begin = 0, end; i < count && encoder->annotates && !status; i++, begin = end)
    {
        end = btk_short_layout_end(known->layout, begin, length);
        status =
            annotate_token(encoder, span, piece, first + i, piece.begin + begin, piece.begin + end);
    }
    return status;
}

// Keeps what the model has made of a piece: in its line, or else in its set.
static void remember(const struct btk_model_scratch *model, size_t length, size_t count,
                     struct btk_piece_entry *set, const struct btk_piece_key *key,
                     const struct btk_probe *probe)
{
    struct btk_short_piece known;
    if (length <= BTK_SHORT_BYTES_MAX
        && btk_short_piece_try_fill(&known, &probe->key, length, model->ids, model->places, count))
        btk_piece_line_put(probe->line, &known);
    else
        btk_piece_set_put(set, key, model->ids, model->places, count);
}

// A piece that is not remembered.
static int encode_new(struct btk_encoder *encoder, const struct btk_span *span,
                      struct btk_piece piece, struct btk_piece_entry *set,
                      const struct btk_piece_key *key, const struct btk_probe *probe)
{
    struct btk_model_scratch *const model = &encoder->scratch->model;
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    size_t count;
    const int status = btk_model_begin(encoder->image, model, text, &count);
    if (status < 0) return status;
    if (encoder->scratch->model_is_certain) remember(model, text.length, count, set, key, probe);
    return append_tokens(encoder, span, piece, model, piece.begin, count);
}

// A piece of at most BTK_PIECE_BYTES_MAX bytes that has no line.
static int encode_of_set(struct btk_encoder *encoder, const struct btk_span *span,
                         struct btk_piece piece, const struct btk_probe *probe)
{
    struct btk_piece_cache *const cache = encoder->scratch->cache;
    const struct btk_bytes text = {span->text.data + piece.begin, piece.end - piece.begin};
    const bool is_padded = text.data + BTK_READ_SLACK_BYTES <= span->readable_end;
    const struct btk_piece_key key = btk_piece_key(text.data, text.length, is_padded);
    struct btk_piece_entry *const set = btk_piece_cache_set(cache, &key);
    const struct btk_piece_entry *const entry = btk_piece_set_find(set, &key);
    if (!entry) return encode_new(encoder, span, piece, set, &key, probe);
    cache->hits++;
    cache->misses--;
    return append_entry(encoder, span, piece, entry);
}

// A piece beyond those that are remembered.
static int encode_whole(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece)
{
    struct btk_scratch *const scratch = encoder->scratch;
    if (piece.end - piece.begin > scratch->model.piece_bytes_max
        && encoder->image->config->model != BTK_MODEL_UNIGRAM)
        return encode_giant(encoder, span, piece);
    return run_model(encoder, span, piece, &scratch->model);
}

enum { PARTS = 64 };

static size_t next_cut(const struct btk_image *image, struct btk_bytes text, size_t begin)
{
    return image->config->model_flags & BTK_MODEL_HAS_BYTE_CUTS
               ? btk_byte_next_cut(image, text, begin)
               : btk_bpe_next_cut(image, text, begin);
}

// What stands between the cuts of a piece, one after the other, is the same. `end`: of the first part.
static int encode_parts(struct btk_encoder *encoder, const struct btk_span *span,
                        struct btk_piece piece, size_t end)
{
    const struct btk_bytes text = {span->text.data, piece.end};
    struct btk_piece parts[PARTS];
    size_t ticks = piece.begin, count = 0, begin = piece.begin;
    int status = 0;
    while (!status) {
        parts[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)end};
        if (count == PARTS || end == piece.end) {
            status = btk_encode_pieces(encoder, span, parts, count, false);
            count = 0;
        }
        if (end == piece.end) break;
        if (end - ticks >= BTK_WINDOW_BYTES) {
            btk_progress_tick(&encoder->scratch->progress);
            ticks = end;
        }
        begin = end;
        end = next_cut(encoder->image, text, begin);
    }
    return status;
}

static bool has_cuts(const struct btk_image *image, size_t piece_bytes)
{
    // Words of SentencePiece are remembered whole.
    return image->config->model_flags
           & (piece_bytes > BTK_PIECE_BYTES_MAX ? BTK_MODEL_HAS_CUTS | BTK_MODEL_HAS_BYTE_CUTS
                                                : BTK_MODEL_HAS_BYTE_CUTS);
}

int btk_encode_missed(struct btk_encoder *encoder, const struct btk_span *span,
                      struct btk_piece piece, const struct btk_probe *probe)
{
    const size_t length = piece.end - piece.begin;
    const struct btk_short_piece *const known =
        length <= BTK_SHORT_BYTES_MAX ? btk_piece_table_find(encoder->image, &probe->key) : NULL;
    if (known) {
        btk_piece_line_put(probe->line, known);
        return btk_encode_short(encoder, span, piece, known);
    }
    if (length > BTK_SHORT_BYTES_MAX && has_cuts(encoder->image, length)) {
        const struct btk_bytes text = {span->text.data, piece.end};
        const size_t end = next_cut(encoder->image, text, piece.begin);
        if (end < piece.end) return encode_parts(encoder, span, piece, end);
    }
    return length <= BTK_PIECE_BYTES_MAX ? encode_of_set(encoder, span, piece, probe)
                                         : encode_whole(encoder, span, piece);
}
