// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/bpe.h"

#include <errno.h>
#include <stdlib.h>

#include "common/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/lookup_hash.h"
#include "tokenizer/model/bpe_cut.h"
#include "tokenizer/model/bpe_line.h"
#include "tokenizer/model/merge_table.h"
#include "tokenizer/model/trie.h"
#include "tokenizer/model/whole_chars.h"
#include "tokenizer/space_mark.h"

enum {
    LARGE_SYMBOLS = 1 << 17, // from here on candidates are kept by rank
    TICK_EVERY = 1 << 16
};

// Every page of a long piece's arrays is touched for the first time somewhere: that takes time too.
static inline void tick(const struct btk_bpe_scratch *scratch, size_t step)
{
    if (step % TICK_EVERY == 0 && step) btk_progress_tick(&scratch->progress);
}

size_t btk_bpe_symbols_max(const struct btk_image_config *config, size_t piece_bytes)
{
    if (!(config->model_flags & BTK_MODEL_BYTE_FALLBACK)) return piece_bytes;
    const size_t per_byte = config->flags & BTK_PIPELINE_MODEL_READS_BYTES ? 2 : 1;
    return (per_byte + config->prefix_bytes) * piece_bytes + config->suffix_bytes;
}

static bool draws(const struct btk_image_config *config)
{
    return config->dropout > 0 && config->dropout < 1;
}

int btk_bpe_scratch_init(struct btk_bpe_scratch *scratch, const struct btk_image *image,
                         size_t capacity)
{
    const size_t count = capacity + 1;
    *scratch = (struct btk_bpe_scratch){.capacity = capacity};
    scratch->ids = malloc(count * sizeof *scratch->ids);
    scratch->lengths = malloc(count * sizeof *scratch->lengths);
    scratch->previous = malloc(count * sizeof *scratch->previous);
    scratch->next = malloc(count * sizeof *scratch->next);
    // Each of the n - 1 pairs; each of at most n - 1 merges takes one away and puts two there.
    const size_t candidates = 2 * count;
    const uint32_t ranks = capacity > LARGE_SYMBOLS ? image->config->rank_count : 0;
    if (draws(image->config)) scratch->skipped = malloc(candidates * sizeof *scratch->skipped);
    if ((!draws(image->config) || scratch->skipped) && scratch->ids && scratch->lengths
        && scratch->previous && scratch->next
        && btk_bpe_queue_init(&scratch->queue, candidates, ranks) == 0)
        return 0;
    btk_bpe_scratch_clear(scratch);
    return -ENOMEM;
}

void btk_bpe_scratch_clear(struct btk_bpe_scratch *scratch)
{
    if (!scratch) return;
    free(scratch->ids);
    free(scratch->lengths);
    free(scratch->previous);
    free(scratch->next);
    free(scratch->skipped);
    btk_bpe_queue_clear(&scratch->queue);
    *scratch = (struct btk_bpe_scratch){0};
}

// --- Symbols

struct spelling {
    const struct btk_image *image;
    struct btk_bpe_scratch *scratch;
    size_t count;
    uint32_t unknown_length; // of the unknown token that is not yet in the list; 0: there is none
};

uint32_t btk_bpe_find_char(const struct btk_image *image, uint32_t code_point, uint32_t place)
{
    return btk_edge_find(image->char_ids, image->char_mask, code_point << 2 | place);
}

static void add_symbol(struct spelling *spelling, uint32_t id, uint32_t length)
{
    struct btk_bpe_scratch *const scratch = spelling->scratch;
    tick(scratch, spelling->count);
    scratch->ids[spelling->count] = id;
    scratch->lengths[spelling->count++] = length;
}

static void flush_unknown(struct spelling *spelling)
{
    if (!spelling->unknown_length) return;
    add_symbol(spelling, spelling->image->config->unknown_id, spelling->unknown_length);
    spelling->unknown_length = 0;
}

static bool has_fallback(const struct btk_image *image, struct btk_bytes text)
{
    for (size_t i = 0; i < text.length; i++)
        if (image->fallback_ids[text.data[i]] == BTK_NO_TOKEN) return false;
    return true;
}

static void add_fallback(struct spelling *spelling, struct btk_bytes text)
{
    for (size_t i = 0; i < text.length; i++)
        add_symbol(spelling, spelling->image->fallback_ids[text.data[i]], 1);
}

// All bytes have a token, those of prefix and suffix as well, or none is taken. The unknown token
// that waits keeps waiting: it comes behind these bytes.
static bool try_fallback(struct spelling *spelling, struct btk_bytes text, uint32_t place)
{
    const struct btk_image *const image = spelling->image;
    const struct btk_image_config *const config = image->config;
    if (!(config->model_flags & BTK_MODEL_BYTE_FALLBACK)) return false;
    const struct btk_bytes prefix = {image->affixes,
                                     place & BTK_CHAR_CONTINUES ? config->prefix_bytes : 0};
    const struct btk_bytes suffix = {image->affixes + config->prefix_bytes,
                                     place & BTK_CHAR_ENDS ? config->suffix_bytes : 0};
    if (!has_fallback(image, prefix) || !has_fallback(image, text) || !has_fallback(image, suffix))
        return false;
    add_fallback(spelling, prefix);
    add_fallback(spelling, text);
    add_fallback(spelling, suffix);
    return true;
}

// -ENODATA.
static int add_unknown(struct spelling *spelling, struct btk_bytes text, uint32_t place)
{
    const struct btk_image_config *const config = spelling->image->config;
    uint8_t spelled[4];
    if (config->model_flags & BTK_MODEL_COUNTS_ALPHABET)
        text = (struct btk_bytes){spelled, btk_byte_alphabet_spell(text.data[0], spelled)};
    if (try_fallback(spelling, text, place)) return 0;
    if (config->model_flags & BTK_MODEL_DROPS_UNKNOWN) return 0;
    if (config->unknown_id == BTK_NO_TOKEN) return -ENODATA;
    if (!(config->model_flags & BTK_MODEL_FUSES_UNKNOWN)) flush_unknown(spelling);
    spelling->unknown_length += (uint32_t)text.length;
    return 0;
}

// The places that a character can be in; only prefix and suffix make a difference.
static uint32_t char_place(const struct btk_image_config *config, size_t begin, size_t end,
                           size_t piece_bytes)
{
    return (begin && config->prefix_bytes ? BTK_CHAR_CONTINUES : 0u)
           | (end == piece_bytes && config->suffix_bytes ? BTK_CHAR_ENDS : 0u);
}

// The longest string that is one symbol, of those that the text begins with; 0: none. It ends where a
// character does, whatever the image says.
static size_t find_symbol(const struct btk_image *image, struct btk_bytes text, uint32_t *out_id)
{
    size_t longest = 0;
    uint32_t node = 0;
    for (size_t length = 1; length <= text.length; length++) {
        node = btk_trie_follow(image, node, text.data[length - 1]);
        if (node == BTK_NO_NODE) break;
        if (image->trie[node].token == BTK_NO_TOKEN
            || (length < text.length && (text.data[length] & 0xc0) == 0x80))
            continue;
        longest = length;
        *out_id = image->trie[node].token;
    }
    return longest;
}

// A word ends before the next U+2581.
static size_t word_bytes(struct btk_bytes text)
{
    for (size_t at = 1; at < text.length; at++)
        if (btk_begins_with_space_mark(text.data + at, text.length - at)) return at;
    return text.length;
}

static int spell_words(struct spelling *spelling, struct btk_bytes piece)
{
    int status = 0;
    for (size_t at = 0; at < piece.length && !status;) {
        struct btk_bytes word = {piece.data + at, piece.length - at};
        word.length = word_bytes(word);
        const uint32_t id = btk_image_find_bytes(spelling->image, word);
        if (id == BTK_NO_TOKEN) {
            status = add_unknown(spelling, word, 0);
        } else {
            flush_unknown(spelling);
            add_symbol(spelling, id, (uint32_t)word.length);
        }
        at += word.length;
    }
    flush_unknown(spelling);
    return status;
}

static int spell(struct spelling *spelling, struct btk_bytes piece)
{
    if (spelling->image->config->model_flags & BTK_MODEL_READS_WORDS)
        return spell_words(spelling, piece);
    const struct btk_image *const image = spelling->image;
    const struct btk_image_config *const config = image->config;
    const bool reads_bytes = config->flags & BTK_PIPELINE_MODEL_READS_BYTES;
    const bool counts_alphabet = config->model_flags & BTK_MODEL_COUNTS_ALPHABET;
    const bool has_symbols = config->model_flags & BTK_MODEL_HAS_SYMBOLS;
    for (size_t at = 0; at < piece.length;) {
        const uint8_t byte = piece.data[at];
        const struct btk_bytes rest = {piece.data + at, piece.length - at};
        uint32_t symbol_id;
        const size_t symbol_bytes = has_symbols ? find_symbol(image, rest, &symbol_id) : 0;
        if (symbol_bytes) {
            flush_unknown(spelling);
            add_symbol(spelling, symbol_id, (uint32_t)symbol_bytes);
            at += symbol_bytes;
            continue;
        }
        const bool is_byte = reads_bytes || byte < 0x80;
        size_t length = 1;
        const uint32_t code_point = is_byte ? byte : btk_utf8_decode(piece.data + at, &length);
        const uint32_t place = char_place(config, at, at + length, piece.length);
        const uint32_t id = is_byte ? image->byte_ids[place << 8 | byte]
                                    : btk_bpe_find_char(image, code_point, place);
        if (id == BTK_NO_TOKEN) {
            const int status =
                add_unknown(spelling, (struct btk_bytes){piece.data + at, length}, place);
            if (status < 0) return status;
        } else {
            flush_unknown(spelling);
            add_symbol(spelling, id,
                       counts_alphabet ? btk_byte_alphabet_bytes(byte) : (uint32_t)length);
        }
        at += length;
    }
    flush_unknown(spelling);
    return 0;
}

// Bytes that all have a token, and characters that their bytes become anyway.
static void spell_whole_chars(struct spelling *spelling, struct btk_bytes piece)
{
    const struct btk_image *const image = spelling->image;
    for (size_t at = 0; at < piece.length;) {
        size_t length = 1;
        const uint8_t byte = piece.data[at];
        uint32_t id = image->byte_ids[byte];
        if (byte >= 0xc0 && btk_utf8_length(byte) <= piece.length - at) {
            const uint32_t code_point = btk_utf8_decode(piece.data + at, &length);
            const uint32_t whole = btk_whole_char_find(image, piece, at, length, code_point);
            if (whole == BTK_NO_TOKEN)
                length = 1;
            else
                id = whole;
        }
        add_symbol(spelling, id, (uint32_t)length);
        at += length;
    }
}

// All of it in one go, where each byte has a token wherever it stands. False: one has none.
static bool try_spell_bytes(struct spelling *spelling, struct btk_bytes piece)
{
    const struct btk_image *const image = spelling->image;
    const struct btk_image_config *const config = image->config;
    struct btk_bpe_scratch *const scratch = spelling->scratch;
    if (config->model_flags & BTK_MODEL_HAS_BYTE_CUTS) {
        spell_whole_chars(spelling, piece);
        return true;
    }
    if (!(config->flags & BTK_PIPELINE_MODEL_READS_BYTES) || config->prefix_bytes
        || config->suffix_bytes || (config->model_flags & BTK_MODEL_COUNTS_ALPHABET))
        return false;
    for (size_t i = 0; i < piece.length; i++) {
        const uint32_t id = image->byte_ids[piece.data[i]];
        if (id == BTK_NO_TOKEN) return false;
        tick(scratch, i);
        scratch->ids[i] = id;
        scratch->lengths[i] = 1;
    }
    spelling->count = piece.length;
    return true;
}

// --- Long lists: a token stands where its first symbol stood; lengths 0: merged away

static void push_pair(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                      uint32_t position, uint32_t end)
{
    const uint32_t right = scratch->next[position];
    if (right >= end) return;
    const struct btk_merge_slot merge =
        btk_merge_find(image, scratch->ids[position], scratch->ids[right]);
    if (merge.rank != BTK_NO_RANK) btk_bpe_queue_push(&scratch->queue, merge.rank, position);
}

static void merge_pair(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                       uint32_t position, uint32_t end)
{
    const uint32_t right = scratch->next[position];
    const uint32_t after = scratch->next[right];
    scratch->lengths[position] += scratch->lengths[right];
    scratch->lengths[right] = 0;
    scratch->next[position] = after;
    if (after < end) scratch->previous[after] = position;
    if (position > 0) push_pair(image, scratch, scratch->previous[position], end);
    push_pair(image, scratch, position, end);
}

static size_t compact(struct btk_bpe_scratch *scratch, uint32_t end)
{
    size_t count = 0;
    for (uint32_t at = 0; at < end; at = scratch->next[at]) {
        tick(scratch, count);
        scratch->ids[count] = scratch->ids[at];
        scratch->lengths[count++] = scratch->lengths[at];
    }
    return count;
}

// The merge that a candidate stands for, if it still holds.
static bool try_candidate(const struct btk_image *image, const struct btk_bpe_scratch *scratch,
                          uint32_t rank, uint32_t position, uint32_t end, uint32_t *out_id)
{
    if (!scratch->lengths[position] || scratch->next[position] >= end) return false;
    const struct btk_merge_slot merge =
        btk_merge_find(image, scratch->ids[position], scratch->ids[scratch->next[position]]);
    if (merge.rank == BTK_NO_RANK) return false;
    *out_id = btk_merge_id(image, merge);
    if (image->config->model_flags & BTK_MODEL_KEEPS_STALE) return *out_id == image->rank_ids[rank];
    return merge.rank == rank;
}

// One number in [0, 1) of 24 bits, as the reference draws them. Generator: splitmix64.
static float draw(struct btk_bpe_scratch *scratch)
{
    scratch->random += UINT64_C(0x9e3779b97f4a7c15);
    return (float)(btk_mix64(scratch->random) >> 40) * 0x1p-24f;
}

// Candidates that are left out come back when the next one is not.
static bool try_skip(struct btk_bpe_scratch *scratch, float dropout, uint32_t rank,
                     uint32_t position)
{
    if (dropout <= 0) return false;
    if (draw(scratch) < dropout) {
        scratch->skipped[scratch->skipped_count++] = (uint64_t)rank << 32 | position;
        return true;
    }
    while (scratch->skipped_count) {
        const uint64_t entry = scratch->skipped[--scratch->skipped_count];
        btk_bpe_queue_push(&scratch->queue, (uint32_t)(entry >> 32), (uint32_t)entry);
    }
    return false;
}

static void merge_candidates(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                             uint32_t end)
{
    const float dropout = image->config->dropout;
    uint32_t rank, position, id;
    scratch->skipped_count = 0;
    for (size_t taken = 0; btk_bpe_queue_try_pop(&scratch->queue, &rank, &position); taken++) {
        tick(scratch, taken);
        if (try_skip(scratch, dropout, rank, position)) continue;
        if (!try_candidate(image, scratch, rank, position, end, &id)) continue;
        scratch->ids[position] = id;
        merge_pair(image, scratch, position, end);
    }
}

static size_t merge_heap(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                         uint32_t end)
{
    btk_bpe_queue_reset(&scratch->queue);
    for (uint32_t i = 0; i < end; i++) {
        tick(scratch, i);
        scratch->previous[i] = i - 1;
        scratch->next[i] = i + 1;
    }
    for (uint32_t i = 0; i < end; i++) {
        tick(scratch, i);
        push_pair(image, scratch, i, end);
    }
    merge_candidates(image, scratch, end);
    return compact(scratch, end);
}

int btk_bpe_merge(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                  struct btk_bytes piece, size_t *out_count)
{
    const struct btk_image_config *const config = image->config;
    struct spelling spelling = {.image = image, .scratch = scratch};
    const int status = try_spell_bytes(&spelling, piece) ? 0 : spell(&spelling, piece);
    if (status < 0) return status;
    const bool is_plain = config->dropout <= 0 && !(config->model_flags & BTK_MODEL_KEEPS_STALE);
    if (config->dropout >= 1)
        *out_count = spelling.count;
    else if (is_plain && spelling.count > 0 && spelling.count <= BTK_LINE_SYMBOLS_MAX
             && config->rank_count <= BTK_LINE_RANKS_MAX)
        *out_count =
            btk_bpe_merge_line(image, scratch->ids, scratch->lengths, (uint32_t)spelling.count);
    else
        *out_count = merge_heap(image, scratch, (uint32_t)spelling.count);
    return 0;
}
