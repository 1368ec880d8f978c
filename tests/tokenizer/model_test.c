// SPDX-License-Identifier: Apache-2.0
// The models against the simplest way to do the same: no tables, no heap, no trie.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tokenizer/small_models.h"
#include "tokenizer/model/bpe.h"
#include "tokenizer/model/wordpiece.h"

enum { PIECE_MAX = 400 };

static struct btk_small_model model;

// --- BPE: look at all pairs, merge the first of the lowest rank, begin again

static uint32_t find_merge(uint32_t left, uint32_t right)
{
    for (uint32_t rank = 0; rank < model.merge_count; rank++)
        if (model.merges[rank].left == left && model.merges[rank].right == right) return rank;
    return UINT32_MAX;
}

static size_t merge_naively(const uint8_t *piece, size_t length, uint32_t *ids)
{
    size_t count = length;
    for (size_t i = 0; i < length; i++) ids[i] = piece[i];
    for (;;) {
        uint32_t best = UINT32_MAX;
        size_t best_at = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            const uint32_t rank = find_merge(ids[i], ids[i + 1]);
            if (rank >= best) continue;
            best = rank;
            best_at = i;
        }
        if (best == UINT32_MAX) return count;
        ids[best_at] = model.merges[best].merged;
        memmove(ids + best_at + 1, ids + best_at + 2, (count - best_at - 2) * sizeof *ids);
        count--;
    }
}

static void compare_bpe(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                        const uint8_t *piece, size_t length)
{
    uint32_t expected[PIECE_MAX];
    const size_t count = merge_naively(piece, length, expected);
    size_t found_count, bytes = 0;
    cr_assert_eq(btk_bpe_merge(image, scratch, (struct btk_bytes){piece, length}, &found_count), 0);
    cr_assert_eq(found_count, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(scratch->ids[i], expected[i]);
        cr_assert_eq(scratch->lengths[i], model.tokens[expected[i]].length);
        bytes += scratch->lengths[i];
    }
    cr_assert_eq(bytes, length);
}

// How long random pieces are: both sides of the length from which on the heap is used.
static const size_t bpe_lengths[] = {1, 2, 3, 5, 10, 30, 62, 63, 64, 65, 66, 100, 200, PIECE_MAX};

static void compare_bpe_vocabulary(uint64_t seed)
{
    btk_small_bpe(&model, seed, 20 + (uint32_t)(seed % 5) * 60);
    struct btk_buffer json;
    btk_small_bpe_json(&model, "", &json);
    size_t bytes;
    void *const memory = btk_small_image(&json, &bytes);
    struct btk_image image;
    cr_assert_eq(btk_image_view(memory, bytes, &image, NULL), 0);
    struct btk_bpe_scratch scratch;
    cr_assert_eq(btk_bpe_scratch_init(&scratch, &image, PIECE_MAX), 0);
    for (size_t i = 0; i < sizeof bpe_lengths / sizeof bpe_lengths[0]; i++) {
        uint8_t piece[PIECE_MAX];
        for (size_t at = 0; at < bpe_lengths[i]; at++)
            piece[at] = (uint8_t)('a' + btk_small_random(&seed) % 4);
        compare_bpe(&image, &scratch, piece, bpe_lengths[i]);
        memset(piece, 'a', bpe_lengths[i]);
        compare_bpe(&image, &scratch, piece, bpe_lengths[i]);
    }
    btk_bpe_scratch_clear(&scratch);
    btk_buffer_clear(&json);
    free(memory);
}

Test(bpe, line_and_heap_give_what_merging_the_lowest_rank_again_and_again_gives)
{
    for (uint64_t seed = 1; seed <= 60; seed++) compare_bpe_vocabulary(seed);
}

// --- WordPiece: try every end from the longest on

static uint32_t find_piece(const char *prefix, const uint8_t *text, size_t length)
{
    const size_t prefix_bytes = strlen(prefix);
    for (uint32_t id = 0; id < model.token_count; id++)
        if (model.tokens[id].length == prefix_bytes + length
            && memcmp(model.tokens[id].bytes, prefix, prefix_bytes) == 0
            && memcmp(model.tokens[id].bytes + prefix_bytes, text, length) == 0)
            return id;
    return UINT32_MAX;
}

static size_t divide_naively(const uint8_t *word, size_t length, uint32_t *ids)
{
    size_t count = 0;
    for (size_t begin = 0; begin < length;) {
        size_t end = length;
        uint32_t id = UINT32_MAX;
        while (end > begin
               && (id = find_piece(begin ? "##" : "", word + begin, end - begin)) == UINT32_MAX)
            end--;
        if (end == begin) {
            ids[0] = 0;
            return 1;
        }
        ids[count++] = id;
        begin = end;
    }
    return count;
}

static size_t random_word(uint64_t *state, uint8_t *word, size_t chars)
{
    static const char *const letters[] = {"a", "b", "c", "\xc3\xa9", "#", "[UNK]"};
    size_t length = 0;
    for (size_t i = 0; i < chars; i++) {
        const uint64_t number = btk_small_random(state) % 64;
        const char *const letter = letters[number < 60 ? number % 4 : 4 + number % 2];
        memcpy(word + length, letter, strlen(letter));
        length += strlen(letter);
    }
    return length;
}

static void compare_words(const struct btk_image *image, uint64_t *state)
{
    for (int i = 0; i < 500; i++) {
        uint8_t word[256];
        uint32_t expected[256], ids[256], places[512];
        const size_t length = random_word(state, word, 1 + btk_small_random(state) % 20);
        const size_t count = divide_naively(word, length, expected);
        size_t found_count;
        cr_assert_eq(btk_wordpiece_encode(image, (struct btk_bytes){word, length}, ids, places,
                                          &found_count),
                     0);
        cr_assert_eq(found_count, count);
        cr_assert_eq(memcmp(ids, expected, count * sizeof *ids), 0);
        for (size_t at = 0; at < count; at++)
            cr_assert_eq(places[2 * at], at ? places[2 * at - 1] : 0);
        cr_assert_eq(places[2 * count - 1], length);
    }
}

static void compare_wordpiece_vocabulary(uint64_t seed)
{
    btk_small_wordpiece(&model, seed, 40 + (uint32_t)(seed % 4) * 100);
    struct btk_buffer json;
    btk_small_wordpiece_json(&model, "", &json);
    size_t bytes;
    void *const memory = btk_small_image(&json, &bytes);
    struct btk_image image;
    cr_assert_eq(btk_image_view(memory, bytes, &image, NULL), 0);
    compare_words(&image, &seed);
    btk_buffer_clear(&json);
    free(memory);
}

Test(wordpiece, trie_gives_what_trying_every_end_gives)
{
    for (uint64_t seed = 1; seed <= 40; seed++) compare_wordpiece_vocabulary(seed);
}

Test(wordpiece, a_word_of_one_character_too_many_is_unknown)
{
    btk_small_wordpiece(&model, 1, 300);
    struct btk_buffer json;
    btk_small_wordpiece_json(&model, "", &json);
    size_t bytes;
    void *const memory = btk_small_image(&json, &bytes);
    struct btk_image image;
    cr_assert_eq(btk_image_view(memory, bytes, &image, NULL), 0);
    uint8_t word[202];
    uint32_t expected[202], ids[202], places[404];
    size_t found_count;
    for (size_t i = 0; i < sizeof word; i += 2) memcpy(word + i, "\xc3\xa9", 2);
    const size_t count = divide_naively(word, 200, expected);
    cr_expect_eq(
        btk_wordpiece_encode(&image, (struct btk_bytes){word, 200}, ids, places, &found_count), 0);
    cr_expect_eq(found_count, count);
    cr_expect_eq(
        btk_wordpiece_encode(&image, (struct btk_bytes){word, 202}, ids, places, &found_count), 0);
    cr_expect_eq(found_count, 1);
    cr_expect_eq(ids[0], 0);
    cr_expect_eq(places[1], 202);
    btk_buffer_clear(&json);
    free(memory);
}
