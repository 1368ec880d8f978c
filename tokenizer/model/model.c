// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/model/wordpiece.h"

enum { PORTION_TOKENS = 4096 };

size_t btk_model_tokens_per_byte(const struct btk_image_config *config)
{
    // The suffix stands once a piece, and a piece has a byte.
    return config->model == BTK_MODEL_BPE ? btk_bpe_symbols_max(config, 1) : 1;
}

int btk_model_scratch_init(struct btk_model_scratch *scratch, const struct btk_image *image,
                           size_t piece_bytes_max)
{
    const struct btk_image_config *const config = image->config;
    const bool is_bpe = config->model == BTK_MODEL_BPE;
    *scratch = (struct btk_model_scratch){.piece_bytes_max = piece_bytes_max};
    int status = 0;
    if (is_bpe)
        status = btk_bpe_scratch_init(&scratch->bpe, image,
                                      btk_bpe_symbols_max(config, piece_bytes_max));
    else if (config->model == BTK_MODEL_UNIGRAM)
        status = btk_unigram_init(&scratch->unigram);
    if (status < 0) return status;
    if (is_bpe && getrandom(&scratch->bpe.random, sizeof scratch->bpe.random, 0) < 0) return -errno;
    scratch->capacity = config->model == BTK_MODEL_WORDPIECE ? piece_bytes_max : PORTION_TOKENS;
    // What BPE needs while it merges is free when its tokens are given out.
    scratch->ids = is_bpe ? scratch->bpe.ids : malloc(scratch->capacity * sizeof *scratch->ids);
    scratch->places = is_bpe ? (uint32_t *)(void *)scratch->bpe.queue.heap
                             : malloc(2 * scratch->capacity * sizeof *scratch->places);
    if (scratch->ids && scratch->places) return 0;
    btk_model_scratch_clear(scratch);
    return -ENOMEM;
}

void btk_model_scratch_clear(struct btk_model_scratch *scratch)
{
    if (!scratch) return;
    if (!scratch->bpe.ids) {
        free(scratch->ids);
        free(scratch->places);
    }
    btk_bpe_scratch_clear(&scratch->bpe);
    btk_unigram_clear(&scratch->unigram);
    *scratch = (struct btk_model_scratch){0};
}

void btk_model_set_progress(struct btk_model_scratch *scratch, struct btk_progress progress)
{
    scratch->bpe.progress = progress;
    scratch->unigram.progress = progress;
}

bool btk_model_is_certain(const struct btk_image_config *config)
{
    return config->dropout <= 0 || config->dropout >= 1;
}

static void put_one(struct btk_model_scratch *scratch, uint32_t id, struct btk_bytes piece,
                    size_t *out_count)
{
    scratch->ids[0] = id;
    scratch->places[0] = 0;
    scratch->places[1] = (uint32_t)piece.length;
    *out_count = 1;
}

static int encode_wordlevel(const struct btk_image *image, struct btk_model_scratch *scratch,
                            struct btk_bytes piece, size_t *out_count)
{
    uint32_t id = btk_image_find_bytes(image, piece);
    if (id == BTK_NO_TOKEN) id = image->config->unknown_id;
    if (id == BTK_NO_TOKEN) return -ENODATA;
    put_one(scratch, id, piece, out_count);
    return 0;
}

// Walks the bytes of a piece and the byte-level alphabet's characters for them side by side.
struct spelled_cursor {
    struct btk_bytes piece;
    size_t at;      // byte
    size_t spelled; // where its character begins
};

// The byte whose character holds the spelled byte `to`, or ends before it.
static size_t go_to(struct spelled_cursor *cursor, size_t to)
{
    while (cursor->at < cursor->piece.length) {
        const size_t end =
            cursor->spelled + btk_byte_alphabet_bytes(cursor->piece.data[cursor->at]);
        if (end > to) break;
        cursor->spelled = end;
        cursor->at++;
    }
    return cursor->at;
}

// From lengths in the byte-level alphabet to bytes of the piece: a byte belongs to a token that
// touches its character. Behind the piece they stay as they are.
static void place_alphabet(struct btk_model_scratch *scratch, struct btk_bytes piece, size_t count)
{
    struct spelled_cursor cursor = {.piece = piece};
    size_t total = 0, at = 0;
    for (size_t i = 0; i < piece.length; i++) total += btk_byte_alphabet_bytes(piece.data[i]);
    for (size_t i = 0; i < count; i++) {
        const size_t end = at + scratch->bpe.lengths[i];
        const bool is_inside = end <= total;
        scratch->places[2 * i] = (uint32_t)(is_inside ? go_to(&cursor, at) : at);
        scratch->places[2 * i + 1] = (uint32_t)(is_inside ? go_to(&cursor, end - 1) + 1 : end);
        at = end;
    }
}

static void place_tokens(struct btk_model_scratch *scratch, size_t count)
{
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        scratch->places[2 * i] = at;
        scratch->places[2 * i + 1] = at += scratch->bpe.lengths[i];
    }
}

// A token of the model that is all of the piece and needs no merging.
static uint32_t find_whole(const struct btk_image *image, struct btk_bytes piece)
{
    const struct btk_image_config *const config = image->config;
    const size_t bytes_max = config->flags & BTK_PIPELINE_MODEL_READS_BYTES
                                 ? config->model_bytes_max
                                 : config->token_bytes_max;
    if (piece.length > bytes_max || config->dropout > 0) return BTK_NO_TOKEN;
    const uint32_t id = btk_image_find_bytes(image, piece);
    if (id == BTK_NO_TOKEN || (config->flags & BTK_PIPELINE_IGNORE_MERGES)) return id;
    return image->tokens[id].flags & BTK_TOKEN_WHOLE ? id : BTK_NO_TOKEN;
}

static int encode_bpe(const struct btk_image *image, struct btk_model_scratch *scratch,
                      struct btk_bytes piece, size_t *out_count)
{
    const uint32_t whole = find_whole(image, piece);
    if (whole != BTK_NO_TOKEN) {
        put_one(scratch, whole, piece, out_count);
        return 0;
    }
    const int status = btk_bpe_merge(image, &scratch->bpe, piece, out_count);
    if (status < 0) return status;
    if (image->config->model_flags & BTK_MODEL_COUNTS_ALPHABET)
        place_alphabet(scratch, piece, *out_count);
    else
        place_tokens(scratch, *out_count);
    return 0;
}

int btk_model_begin(const struct btk_image *image, struct btk_model_scratch *scratch,
                    struct btk_bytes piece, size_t *out_count)
{
    switch (image->config->model) {
    case BTK_MODEL_BPE: return encode_bpe(image, scratch, piece, out_count);
    case BTK_MODEL_WORDPIECE:
        return btk_wordpiece_encode(image, piece, scratch->ids, scratch->places, out_count);
    case BTK_MODEL_WORDLEVEL: return encode_wordlevel(image, scratch, piece, out_count);
    default: break;
    }
    btk_unigram_begin(&scratch->unigram, piece);
    return btk_unigram_next(image, &scratch->unigram, scratch->capacity, scratch->ids,
                            scratch->places, out_count);
}

int btk_model_next(const struct btk_image *image, struct btk_model_scratch *scratch,
                   size_t *out_count)
{
    *out_count = 0;
    if (image->config->model != BTK_MODEL_UNIGRAM) return 0;
    return btk_unigram_next(image, &scratch->unigram, scratch->capacity, scratch->ids,
                            scratch->places, out_count);
}
