// SPDX-License-Identifier: Apache-2.0
// Pieces by the cache: nearly all of them are there, so what counts is that no step waits for the one
// before. First the keys of some pieces are made and their lines asked for, then the lines are read, when
// they have come. What is not in its line goes another way (encode_piece.c).
//
// The columns get whole vectors of what a line has, and the next piece writes over what is too much:
// that needs no loop over the ids.
#include <string.h>

#include "tokenizer/engine.h"

enum { PROBES = 64, IDS_A_MOVE = 4, KEY_BYTES = 16 };

// The columns that are written here; others need a look at each token.
enum columns { COLUMNS_IDS, COLUMNS_PLACES, COLUMNS_ALL };

static enum columns columns_of(const struct btk_encoder *encoder, const struct btk_span *span)
{
    if (!encoder->annotates) return COLUMNS_IDS;
    return span->begins || encoder->spaces || encoder->encoding->sources ? COLUMNS_ALL
                                                                         : COLUMNS_PLACES;
}

static inline struct btk_short_key key_of(const struct btk_span *span, struct btk_piece piece,
                                          size_t padded_end)
{
    const size_t length = piece.end - piece.begin;
    const uint8_t *const text = span->text.data + piece.begin;
    if (length > BTK_SHORT_BYTES_MAX) return btk_short_key_none();
    return piece.begin < padded_end ? btk_short_key_read(text, length)
                                    : btk_short_key_copy(text, length);
}

static inline void ask(struct btk_piece_cache *cache, const struct btk_span *span,
                       const struct btk_piece *pieces, size_t count, struct btk_probe *out_probes)
{
    const size_t readable = (size_t)(span->readable_end - span->text.data);
    const size_t padded_end = readable >= KEY_BYTES ? readable - KEY_BYTES + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const struct btk_short_key key = key_of(span, pieces[i], padded_end);
        out_probes[i] = (struct btk_probe){key, btk_piece_cache_line(cache, &key)};
        __builtin_prefetch(out_probes[i].line);
    }
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

static inline __attribute__((always_inline)) int
answer(struct btk_encoder *encoder, const struct btk_span *span, const struct btk_piece *pieces,
       size_t count, const struct btk_probe *probes, enum columns columns, bool are_words)
{
    struct btk_encoding *const encoding = encoder->encoding;
    struct btk_piece_cache *const cache = encoder->scratch->cache;
    size_t missed = 0;
    for (size_t i = 0; i < count; i++) {
        const struct btk_short_piece *const known =
            btk_piece_line_find(probes[i].line, &probes[i].key);
        int status = 0;
        if (__builtin_expect(!known, false)) {
            missed++;
            cache->misses++;
            status = btk_encode_missed(encoder, span, pieces[i], &probes[i]);
        } else if (columns == COLUMNS_ALL || encoding->capacity - encoding->count < IDS_A_MOVE) {
            status = btk_encode_short(encoder, span, pieces[i], known);
        } else {
            memcpy(encoding->ids + encoding->count, known->ids, IDS_A_MOVE * sizeof *known->ids);
            if (columns == COLUMNS_PLACES)
                put_places(encoder, span, pieces[i], known, encoding->count);
            encoding->count += btk_short_layout_count(known->layout);
        }
        if (status < 0) return status;
        encoder->word_id += are_words;
    }
    cache->hits += count - missed;
    return 0;
}

static inline __attribute__((always_inline)) int encode(struct btk_encoder *encoder,
                                                        const struct btk_span *span,
                                                        const struct btk_piece *pieces,
                                                        size_t count, bool are_words)
{
    struct btk_probe probes[PROBES];
    const enum columns columns = columns_of(encoder, span);
    int status = 0;
    for (size_t done = 0, some; done < count && !status; done += some) {
        some = btk_min_size(count - done, PROBES);
        ask(encoder->scratch->cache, span, pieces + done, some, probes);
        if (columns == COLUMNS_IDS)
            status = answer(encoder, span, pieces + done, some, probes, COLUMNS_IDS, are_words);
        else if (columns == COLUMNS_PLACES)
            status = answer(encoder, span, pieces + done, some, probes, COLUMNS_PLACES, are_words);
        else
            status = answer(encoder, span, pieces + done, some, probes, COLUMNS_ALL, are_words);
    }
    return status;
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
