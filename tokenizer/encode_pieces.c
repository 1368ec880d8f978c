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

static enum columns columns_of(const struct btk_encoder *encoder)
{
    if (!encoder->annotates) return COLUMNS_IDS;
    return encoder->spaces || encoder->encoding->sources ? COLUMNS_ALL : COLUMNS_PLACES;
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

// Pieces on their way into the columns.
struct run {
    const struct btk_span *span;
    const struct btk_piece *pieces;
    struct btk_probe *probes;
    size_t count;
    bool are_words; // each has a word_id of its own
};

static inline void put_ids(uint32_t *out_ids, const struct btk_short_piece *known)
{
    memcpy(out_ids, (const uint8_t *)known + offsetof(struct btk_short_piece, ids),
           IDS_A_MOVE * sizeof *out_ids);
}

// How many pieces the columns have room for, whatever they become.
static inline size_t sure_end(const struct btk_encoding *encoding, const struct run *run,
                              size_t begin)
{
    const size_t sure = (encoding->capacity - encoding->count) / IDS_A_MOVE;
    return run->count - begin <= sure ? run->count : begin + sure;
}

// Takes what the lines have, up to a piece that needs more than that; returns its index, or the count.
static __attribute__((noinline)) size_t take_ids(struct btk_encoder *encoder, const struct run *run,
                                                 size_t begin)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const struct btk_probe *const probes = run->probes;
    const size_t end = sure_end(encoding, run, begin);
    uint32_t *ids = encoding->ids + encoding->count;
    size_t i = begin;
    for (; i < end; i++) {
        const struct btk_short_piece *const known =
            btk_piece_line_find(probes[i].line, &probes[i].key);
        if (__builtin_expect(!known, false)) break;
        put_ids(ids, known);
        ids += btk_short_layout_count(known->layout);
    }
    encoding->count = (size_t)(ids - encoding->ids);
    return i;
}

// The place of the token of the bytes [begin, last] of the span.
static inline void put_offsets(const struct btk_span *span, uint32_t begin, uint32_t last,
                               uint32_t *out_offsets)
{
    out_offsets[0] = span->begins ? span->begins[begin] : span->base + begin;
    out_offsets[1] = span->begins ? span->ends[last] : span->base + last + 1;
}

static inline void put_all_offsets(const struct btk_span *span, struct btk_piece piece,
                                   uint32_t layout, uint32_t *out_offsets)
{
    uint32_t begin = piece.begin;
    for (uint32_t ends = btk_short_layout_ends(layout); ends; ends &= ends - 1, out_offsets += 2) {
        const uint32_t last = piece.begin + (uint32_t)__builtin_ctz(ends);
        put_offsets(span, begin, last, out_offsets);
        begin = last + 1;
    }
    put_offsets(span, begin, piece.end - 1, out_offsets);
}

// The same with places and words.
static __attribute__((noinline)) size_t take_places(struct btk_encoder *encoder,
                                                    const struct run *run, size_t begin)
{
    struct btk_encoding *const encoding = encoder->encoding;
    const struct btk_span span = *run->span;
    const size_t end = sure_end(encoding, run, begin);
    uint32_t *const offsets = encoding->offsets, *const word_ids = encoding->word_ids;
    uint32_t word_id = encoder->word_id;
    size_t at = encoding->count, i = begin;
    for (; i < end; i++) {
        const struct btk_short_piece *const known =
            btk_piece_line_find(run->probes[i].line, &run->probes[i].key);
        if (__builtin_expect(!known, false)) break;
        put_ids(encoding->ids + at, known);
        if (offsets) put_all_offsets(&span, run->pieces[i], known->layout, offsets + 2 * at);
        for (unsigned j = 0; word_ids && j < IDS_A_MOVE; j++) word_ids[at + j] = word_id;
        word_id += run->are_words;
        at += btk_short_layout_count(known->layout);
    }
    encoding->count = at;
    return i;
}

static size_t take(struct btk_encoder *encoder, const struct run *run, enum columns columns,
                   size_t begin)
{
    if (columns == COLUMNS_ALL) return begin;
    const size_t end =
        columns == COLUMNS_IDS ? take_ids(encoder, run, begin) : take_places(encoder, run, begin);
    if (run->are_words) encoder->word_id += (uint32_t)(end - begin);
    encoder->scratch->cache->hits += end - begin;
    return end;
}

// A piece that take() left.
static int encode_one(struct btk_encoder *encoder, const struct run *run, size_t at)
{
    struct btk_piece_cache *const cache = encoder->scratch->cache;
    const struct btk_probe *const probe = &run->probes[at];
    const struct btk_short_piece *const known = btk_piece_line_find(probe->line, &probe->key);
    if (!known) {
        cache->misses++;
        return btk_encode_missed(encoder, run->span, run->pieces[at], probe);
    }
    cache->hits++;
    return btk_encode_short(encoder, run->span, run->pieces[at], known);
}

static int encode_run(struct btk_encoder *encoder, const struct run *run, enum columns columns)
{
    struct btk_piece_cache *const cache = encoder->scratch->cache;
    if (are_padded(run->span, run->pieces, run->count))
        ask(cache, run->span, run->pieces, run->count, true, run->probes);
    else
        ask(cache, run->span, run->pieces, run->count, false, run->probes);
    for (size_t i = take(encoder, run, columns, 0); i < run->count;
         i = take(encoder, run, columns, i + 1))
    {
        const int status = encode_one(encoder, run, i);
        if (status < 0) return status;
        encoder->word_id += run->are_words;
    }
    return 0;
}

int btk_encode_pieces(struct btk_encoder *encoder, const struct btk_span *span,
                      const struct btk_piece *pieces, size_t count, bool are_words)
{
    struct btk_probe probes[PROBES];
    struct run run = {.span = span, .probes = probes, .are_words = are_words};
    const enum columns columns = columns_of(encoder);
    int status = 0;
    for (size_t done = 0; done < count && !status; done += run.count) {
        run.pieces = pieces + done;
        run.count = btk_min_size(count - done, PROBES);
        status = encode_run(encoder, &run, columns);
    }
    return status;
}
