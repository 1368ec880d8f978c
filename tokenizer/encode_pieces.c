// SPDX-License-Identifier: Apache-2.0
// Pieces by the cache: nearly all of them are there, so what counts is that no step waits for the one
// before. First the keys of some pieces are made and their lines asked for, then the lines are read, when
// they have come. What is not in its line goes another way (encode_piece.c).
//
// The columns get whole vectors of what a line has, and the next piece writes over what is too much:
// that needs no loop over the ids.
#include <string.h>

#include "tokenizer/engine.h"

enum { PROBES = 64, IDS_A_MOVE = 4 };

// The columns that are written here; others need a look at each token.
enum columns { COLUMNS_IDS, COLUMNS_PLACES, COLUMNS_ALL };

static enum columns columns_of(const struct btk_encoder *encoder, const struct btk_span *span)
{
    if (!encoder->annotates) return COLUMNS_IDS;
    return span->begins || encoder->spaces || encoder->encoding->sources ? COLUMNS_ALL
                                                                         : COLUMNS_PLACES;
}

// The keys of pieces and their lines. `is_padded`: a whole key can be read at each of them.
static inline __attribute__((always_inline)) void ask(struct btk_piece_cache *cache,
                                                      const struct btk_span *span,
                                                      const struct btk_piece *pieces, size_t count,
                                                      bool is_padded, struct btk_probe *out_probes)
{
    const uint64_t seeds[2] = {cache->seeds[0], cache->seeds[1]};
    for (size_t i = 0; i < count; i++) {
        const size_t length = pieces[i].end - pieces[i].begin;
        const size_t key_bytes = length <= BTK_SHORT_BYTES_MAX ? length : 0;
        const uint8_t *const text = span->text.data + pieces[i].begin;
        const struct btk_short_key key =
            is_padded ? btk_short_key_read(text, key_bytes) : btk_short_key_copy(text, key_bytes);
        struct btk_piece_line *const line = btk_piece_cache_line(cache, &key, seeds);
        out_probes[i] = (struct btk_probe){key, line};
        __builtin_prefetch(line);
    }
}

static inline bool are_padded(const struct btk_span *span, const struct btk_piece *pieces,
                              size_t count)
{
    const size_t readable = (size_t)(span->readable_end - span->text.data);
    return pieces[count - 1].begin + BTK_SHORT_BYTES_MAX <= readable; // the others are before it
}

// The places of the tokens from `at` on.
static inline void put_places(const struct btk_encoder *encoder, const struct btk_span *span,
                              struct btk_piece piece, const struct btk_short_piece *known,
                              size_t at)
{
    const struct btk_encoding *const encoding = encoder->encoding;
    const size_t count = btk_short_layout_count(known->layout);
    const size_t length = piece.end - piece.begin;
    const uint32_t base = span->base + piece.begin;
    for (size_t i = 0, begin = 0, end; i < count && encoding->offsets; i++, begin = end) {
        end = btk_short_layout_end(known->layout, begin, length);
        encoding->offsets[2 * (at + i)] = base + (uint32_t)begin;
        encoding->offsets[2 * (at + i) + 1] = base + (uint32_t)end;
    }
    for (size_t i = 0; i < count && encoding->word_ids; i++)
        encoding->word_ids[at + i] = encoder->word_id;
}

// Takes what the lines have, up to a piece that needs more than that; returns its index, or `count`.
static inline __attribute__((always_inline)) size_t
answer(struct btk_encoder *encoder, const struct btk_span *span, const struct btk_piece *pieces,
       const struct btk_probe *probes, size_t begin, size_t count, enum columns columns,
       bool are_words)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const size_t sure = (encoding->capacity - encoding->count) / IDS_A_MOVE; // pieces
    const size_t end = count - begin <= sure ? count : begin + sure;
    uint32_t *const ids = encoding->ids;
    size_t at = encoding->count, i = begin;
    for (; i < end; i++) {
        const struct btk_short_piece *const known =
            btk_piece_line_find(probes[i].line, &probes[i].key);
        if (__builtin_expect(!known, false)) break;
        memcpy(ids + at, (const uint8_t *)known + offsetof(struct btk_short_piece, ids),
               IDS_A_MOVE * sizeof *ids);
        if (columns == COLUMNS_PLACES) {
            put_places(encoder, span, pieces[i], known, at);
            encoder->word_id += are_words;
        }
        at += btk_short_layout_count(known->layout);
    }
    encoding->count = at;
    if (columns == COLUMNS_IDS && are_words) encoder->word_id += (uint32_t)(i - begin);
    encoder->scratch->cache->hits += i - begin;
    return i;
}

// A piece that answer() left.
static int encode_one(struct btk_encoder *encoder, const struct btk_span *span,
                      struct btk_piece piece, const struct btk_probe *probe)
{
    struct btk_piece_cache *const cache = encoder->scratch->cache;
    const struct btk_short_piece *const known = btk_piece_line_find(probe->line, &probe->key);
    if (!known) {
        cache->misses++;
        return btk_encode_missed(encoder, span, piece, probe);
    }
    cache->hits++;
    return btk_encode_short(encoder, span, piece, known);
}

static inline __attribute__((always_inline)) int encode(struct btk_encoder *encoder,
                                                        const struct btk_span *span,
                                                        const struct btk_piece *pieces,
                                                        size_t count, bool are_words)
{
    struct btk_probe probes[PROBES];
    const enum columns columns = columns_of(encoder, span);
    for (size_t done = 0, some; done < count; done += some) {
        some = btk_min_size(count - done, PROBES);
        if (are_padded(span, pieces + done, some))
            ask(encoder->scratch->cache, span, pieces + done, some, true, probes);
        else
            ask(encoder->scratch->cache, span, pieces + done, some, false, probes);
        for (size_t i = 0; i < some; i++) {
            if (columns == COLUMNS_IDS)
                i = answer(encoder, span, pieces + done, probes, i, some, COLUMNS_IDS, are_words);
            else if (columns == COLUMNS_PLACES)
                i = answer(encoder, span, pieces + done, probes, i, some, COLUMNS_PLACES,
                           are_words);
            if (i == some) break;
            const int status = encode_one(encoder, span, pieces[done + i], &probes[i]);
            if (status < 0) return status;
            encoder->word_id += are_words;
        }
    }
    return 0;
}

int btk_encode_pieces(struct btk_encoder *encoder, const struct btk_span *span,
                      const struct btk_piece *pieces, size_t count)
{
    return encode(encoder, span, pieces, count, true);
}

int btk_encode_parts(struct btk_encoder *encoder, const struct btk_span *span,
                     const struct btk_piece *parts, size_t count)
{
    return encode(encoder, span, parts, count, false);
}
