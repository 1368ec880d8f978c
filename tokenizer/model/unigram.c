// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/unigram.h"

#include <errno.h>
#include <stdlib.h>

#include "common/utf8.h"
#include "tokenizer/model/trie.h"
#include "tokenizer/space_mark.h"

enum { NODES = 1 << 14, TICK_EVERY = 1 << 14 };

#define LARGE_SCORE 100000.0 // SentencePiece: sums beyond begin again at 0

#define NO_START UINT32_MAX

int btk_unigram_init(struct btk_unigram *unigram)
{
    *unigram = (struct btk_unigram){.capacity = NODES};
    unigram->nodes = malloc(NODES * sizeof *unigram->nodes);
    return unigram->nodes ? 0 : -ENOMEM;
}

void btk_unigram_clear(struct btk_unigram *unigram)
{
    if (unigram) free(unigram->nodes);
}

// What a piece beyond the usual needed is given back.
static void release(struct btk_unigram *unigram)
{
    if (unigram->capacity == NODES) return;
    struct btk_unigram_node *const nodes = realloc(unigram->nodes, NODES * sizeof *nodes);
    if (!nodes) return;
    unigram->nodes = nodes;
    unigram->capacity = NODES;
}

static int reserve(struct btk_unigram *unigram, size_t count)
{
    if (count <= unigram->capacity) return 0;
    const size_t capacity = btk_max_size(count, 2 * unigram->capacity);
    struct btk_unigram_node *const nodes =
        realloc(unigram->nodes, capacity * sizeof *unigram->nodes);
    if (!nodes) return -ENOMEM;
    unigram->nodes = nodes;
    unigram->capacity = capacity;
    unigram->spill_count++;
    return 0;
}

void btk_unigram_begin(struct btk_unigram *unigram, struct btk_bytes piece)
{
    release(unigram);
    unigram->piece = piece;
    unigram->base = unigram->at = unigram->ready = 0;
    unigram->score = 0;
    unigram->unknown_begin = unigram->unknown_end = 0;
    unigram->fallback_begin = unigram->fallback_end = unigram->fallback_at = 0;
}

// --- The best way to the next settled place

// Nodes [0, reach] are in use; offsets count from unigram->base.
struct stretch {
    const struct btk_image *image;
    struct btk_unigram *unigram;
    size_t reach;
    bool is_single; // precision of sums
};

static double sum_of(const struct stretch *stretch, double a, double b)
{
    // The sum of two floats in double precision rounds to what it is in single precision.
    return stretch->is_single ? (double)(float)(a + b) : a + b;
}

// Large sums lose their last digits: SentencePiece takes what is common away.
static void rebase(struct stretch *stretch, size_t at)
{
    struct btk_unigram_node *const nodes = stretch->unigram->nodes;
    const double offset = nodes[at].score;
    if (!stretch->is_single || (offset >= -LARGE_SCORE && offset <= LARGE_SCORE)) return;
    for (size_t i = at; i <= stretch->reach; i++)
        if (i == at || nodes[i].start != NO_START)
            nodes[i].score = sum_of(stretch, nodes[i].score, -offset);
}

static void reach_out(struct stretch *stretch, size_t end)
{
    while (stretch->reach < end) stretch->unigram->nodes[++stretch->reach].start = NO_START;
}

static bool is_better(const struct btk_unigram_node *node, double score)
{
    return node->start == NO_START || score > node->score;
}

static void take(struct btk_unigram_node *node, double score, size_t start, uint32_t id)
{
    node->score = score;
    node->start = (uint32_t)start;
    node->id = id;
}

// The node behind the next byte, or behind U+2581; no token ends inside of that.
static inline uint32_t follow(const struct btk_image *image, uint32_t node, const uint8_t *text,
                              size_t left, size_t *in_out_length)
{
    if (btk_begins_with_space_mark(text, left)) {
        *in_out_length += BTK_SPACE_MARK_BYTES;
        return image->trie[node].mark;
    }
    *in_out_length += 1;
    return btk_trie_follow(image, node, text[0]);
}

// All tokens that begin at `start`, the shorter ones first. Is one of them the character itself?
static int walk_tokens(struct stretch *stretch, size_t start, size_t char_bytes, bool *out_has_char)
{
    const struct btk_image *const image = stretch->image;
    struct btk_unigram *const unigram = stretch->unigram;
    const uint8_t *const text = unigram->piece.data + unigram->base + start;
    const size_t left =
        btk_min_size(unigram->piece.length - unigram->base - start, image->config->token_bytes_max);
    if (reserve(unigram, start + left + 1) < 0) return -ENOMEM;
    struct btk_unigram_node *const nodes = unigram->nodes + start;
    const double score = nodes[0].score;
    uint32_t node = 0;
    for (size_t length = 0; length < left;) {
        node = follow(image, node, text + length, left - length, &length);
        if (node == BTK_NO_NODE) break;
        const uint32_t id = image->trie[node].token;
        if (id == BTK_NO_TOKEN) continue;
        reach_out(stretch, start + length);
        const double sum = sum_of(stretch, image->scores[id], score);
        if (is_better(&nodes[length], sum)) take(&nodes[length], sum, start, id);
        *out_has_char |= length == char_bytes;
    }
    return 0;
}

static int walk_unknown(struct stretch *stretch, size_t start, size_t char_bytes)
{
    const struct btk_image_config *const config = stretch->image->config;
    struct btk_unigram *const unigram = stretch->unigram;
    if (reserve(unigram, start + char_bytes + 1) < 0) return -ENOMEM;
    reach_out(stretch, start + char_bytes);
    struct btk_unigram_node *const end = &unigram->nodes[start + char_bytes];
    const double sum = sum_of(stretch, config->unknown_score, unigram->nodes[start].score);
    if (!is_better(end, sum)) return 0;
    if (config->unknown_id == BTK_NO_TOKEN) return -ENODATA;
    take(end, sum, start, config->unknown_id);
    return 0;
}

// Follows the links back and leaves links forward.
static void turn_way(struct btk_unigram_node *nodes, size_t end)
{
    for (size_t at = end; at > 0;) {
        const size_t start = nodes[at].start;
        nodes[start].next = (uint32_t)at;
        at = start;
    }
}

static int settle(const struct btk_image *image, struct btk_unigram *unigram)
{
    struct stretch stretch = {.image = image,
                              .unigram = unigram,
                              .is_single = image->config->model_flags & BTK_MODEL_SINGLE_SUMS};
    unigram->base = unigram->ready;
    unigram->nodes[0].score = unigram->score;
    const size_t length = unigram->piece.length - unigram->base;
    size_t at = 0, ticks = TICK_EVERY;
    do {
        const size_t char_bytes =
            btk_min_size(btk_utf8_length(unigram->piece.data[unigram->base + at]), length - at);
        bool has_char = false;
        rebase(&stretch, at);
        int status = walk_tokens(&stretch, at, char_bytes, &has_char);
        if (!status && !has_char) status = walk_unknown(&stretch, at, char_bytes);
        if (status < 0) return status;
        at += char_bytes;
        if (at < ticks) continue;
        btk_progress_tick(&unigram->progress);
        ticks += TICK_EVERY;
    } while (at < stretch.reach);
    unigram->score = unigram->nodes[at].score;
    unigram->ready = unigram->base + at;
    turn_way(unigram->nodes, at);
    return 0;
}

// --- Giving out

struct output {
    const struct btk_image *image;
    uint32_t *ids, *places;
    size_t count, capacity;
};

static void give(struct output *output, uint32_t id, size_t begin, size_t end)
{
    output->ids[output->count] = id;
    output->places[2 * output->count] = (uint32_t)begin;
    output->places[2 * output->count++ + 1] = (uint32_t)end;
}

static bool has_fallback(const struct btk_image *image, struct btk_bytes text)
{
    if (!(image->config->model_flags & BTK_MODEL_BYTE_FALLBACK)) return false;
    for (size_t i = 0; i < text.length; i++)
        if (image->fallback_ids[text.data[i]] == BTK_NO_TOKEN) return false;
    return true;
}

// The end of a string of unknown tokens: one token, or the beginning of its bytes.
static void give_unknown(struct btk_unigram *unigram, struct output *output)
{
    const size_t begin = unigram->unknown_begin, end = unigram->unknown_end;
    const struct btk_bytes text = {unigram->piece.data + begin, end - begin};
    const bool is_looked_up = !(output->image->config->model_flags & BTK_MODEL_SENTENCEPIECE);
    const uint32_t id =
        is_looked_up ? btk_image_find_bytes(output->image, text) : (uint32_t)BTK_NO_TOKEN;
    unigram->unknown_begin = end;
    if (id != BTK_NO_TOKEN) {
        give(output, id, begin, end);
    } else if (has_fallback(output->image, text)) {
        unigram->fallback_begin = unigram->fallback_at = begin;
        unigram->fallback_end = end;
    } else {
        give(output, output->image->config->unknown_id, begin, end);
    }
}

static void give_fallback(struct btk_unigram *unigram, struct output *output)
{
    const uint8_t byte = unigram->piece.data[unigram->fallback_at++];
    give(output, output->image->fallback_ids[byte], unigram->fallback_begin, unigram->fallback_end);
}

static void give_way(struct btk_unigram *unigram, struct output *output)
{
    const size_t end = unigram->base + unigram->nodes[unigram->at - unigram->base].next;
    const uint32_t id = unigram->nodes[end - unigram->base].id;
    if (id == output->image->config->unknown_id) {
        if (unigram->unknown_begin == unigram->unknown_end) unigram->unknown_begin = unigram->at;
        unigram->unknown_end = unigram->at = end;
    } else if (unigram->unknown_begin < unigram->unknown_end) {
        give_unknown(unigram, output); // and come again
    } else {
        give(output, id, unigram->at, end);
        unigram->at = end;
    }
}

int btk_unigram_next(const struct btk_image *image, struct btk_unigram *unigram, size_t capacity,
                     uint32_t *out_ids, uint32_t *out_places, size_t *out_count)
{
    struct output output = {
        .image = image, .ids = out_ids, .places = out_places, .capacity = capacity};
    while (output.count < output.capacity) {
        if (unigram->fallback_at < unigram->fallback_end) {
            give_fallback(unigram, &output);
        } else if (unigram->at < unigram->ready) {
            give_way(unigram, &output);
        } else if (unigram->ready < unigram->piece.length) {
            const int status = settle(image, unigram);
            if (status < 0) return status;
        } else if (unigram->unknown_begin < unigram->unknown_end) {
            give_unknown(unigram, &output);
        } else {
            break;
        }
    }
    *out_count = output.count;
    return 0;
}
