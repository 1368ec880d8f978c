// SPDX-License-Identifier: Apache-2.0
// What is known of pieces before they come, and what is remembered of those that came; places in
// characters.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/char_places.h"
#include "tokenizer/default/default_models.h"
#include "tokenizer/engine.h"
#include "tokenizer/model/piece_table.h"

static struct btk_tokenizer *open_default(const char *name)
{
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_default_model model;
    cr_assert(btk_default_model_find(name, &model));
    cr_assert_eq(btk_tokenizer_open_json(model.json, model.json_bytes, &tokenizer, NULL), 0);
    return tokenizer;
}

static size_t key_length(const struct btk_short_piece *piece)
{
    const uint8_t *const bytes = (const uint8_t *)piece->words;
    size_t length = BTK_SHORT_BYTES_MAX;
    while (length && bytes[length - 1] == 0xff) length--;
    return length;
}

// Every piece of the table beside what the model makes of its text. Returns how many there are.
static size_t compare_table(const struct btk_tokenizer *tokenizer)
{
    const struct btk_image *const image = &tokenizer->image;
    struct btk_model_scratch scratch;
    cr_assert_eq(btk_model_scratch_init(&scratch, image, BTK_SHORT_BYTES_MAX), 0);
    size_t seen = 0;
    for (size_t i = 0; i < (size_t)image->piece_line_count * BTK_PIECE_TABLE_WAYS; i++) {
        const struct btk_short_piece *const piece = &image->pieces[i];
        if (btk_short_piece_is_nothing(piece)) continue;
        const struct btk_bytes text = {(const uint8_t *)piece->words, key_length(piece)};
        const struct btk_short_key key = btk_short_key_copy(text.data, text.length);
        size_t count, begin = 0;
        cr_assert_eq(btk_model_begin(image, &scratch, text, &count), 0);
        cr_assert_eq(btk_short_layout_count(piece->layout), count);
        for (size_t j = 0; j < count; j++) {
            cr_assert_eq(piece->ids[j], scratch.ids[j]);
            cr_assert_eq(begin, scratch.places[2 * j]);
            begin = btk_short_layout_end(piece->layout, begin, text.length);
            cr_assert_eq(begin, scratch.places[2 * j + 1]);
        }
        cr_assert_eq(btk_piece_table_find(image, &key), piece);
        seen++;
    }
    btk_model_scratch_clear(&scratch);
    return seen;
}

// Most of a vocabulary is short: a table that loses its pieces would go unseen but for the time it takes.
Test(pieces, the_table_says_what_the_model_says_of_nearly_all_short_tokens)
{
    static const char *const names[] = {"bpe", "wordpiece"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        struct btk_tokenizer *tokenizer = open_default(names[i]);
        const size_t seen = compare_table(tokenizer);
        size_t short_tokens = 0;
        for (uint32_t id = 0; id < tokenizer->image.config->token_count; id++) {
            const struct btk_bytes text = btk_image_model_text(&tokenizer->image, id);
            short_tokens += text.length > 0 && text.length <= BTK_SHORT_BYTES_MAX
                            && btk_utf8_valid_prefix(text.data, text.length) == text.length;
        }
        cr_assert_geq(10 * seen, 9 * short_tokens, "%zu of %zu", seen, short_tokens);
        btk_tokenizer_close(&tokenizer);
    }
}

Test(pieces, keys_of_all_lengths_are_different_and_both_ways_to_make_them_agree)
{
    uint8_t text[2 * BTK_SHORT_BYTES_MAX];
    memset(text, 0, sizeof text);
    struct btk_short_key last = {{0}};
    for (size_t length = 0; length <= BTK_SHORT_BYTES_MAX; length++) {
        const struct btk_short_key read = btk_short_key_read(text, length);
        const struct btk_short_key copied = btk_short_key_copy(text, length);
        cr_expect_eq(memcmp(&read, &copied, sizeof read), 0);
        cr_expect_neq(memcmp(&read, &last, sizeof read), 0);
        last = read;
    }
}

enum { CACHE_TOKENS = 4096, CACHE_BYTES = 512 };

struct columns {
    uint32_t ids[CACHE_TOKENS], offsets[2 * CACHE_TOKENS], word_ids[CACHE_TOKENS];
};

static int encode(const struct btk_tokenizer *tokenizer, struct btk_scratch *scratch,
                  struct btk_bytes text, bool has_places, struct columns *columns,
                  struct btk_encoding *encoding)
{
    const struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    encoding->ids = columns->ids;
    encoding->offsets = has_places ? columns->offsets : NULL;
    encoding->word_ids = has_places ? columns->word_ids : NULL;
    return btk_encode(tokenizer, scratch, (const char *)text.data, text.length, &options, encoding,
                      NULL);
}

static void expect_equal(const struct btk_encoding *a, const struct btk_encoding *b)
{
    cr_assert_eq(a->count, b->count);
    cr_assert_eq(memcmp(a->ids, b->ids, a->count * sizeof *a->ids), 0);
    if (!a->offsets) return;
    cr_assert_eq(memcmp(a->offsets, b->offsets, 2 * a->count * sizeof *a->offsets), 0);
    cr_assert_eq(memcmp(a->word_ids, b->word_ids, a->count * sizeof *a->word_ids), 0);
}

static struct btk_bytes random_text(uint8_t *text, unsigned *seed)
{
    static const char letters[] = "etaoin shrdlu'\n 0123abcXYZ";
    const size_t bytes = 1 + (size_t)rand_r(seed) % (CACHE_BYTES - 1);
    for (size_t i = 0; i < bytes; i++)
        text[i] = (uint8_t)letters[(size_t)rand_r(seed) % (sizeof letters - 1)];
    return (struct btk_bytes){text, bytes};
}

// A scratch that has seen much beside one that has seen nothing; columns that are just long enough, and
// columns that are not.
Test(pieces, remembered_pieces_are_the_same_as_new_ones, .timeout = 60)
{
    struct btk_tokenizer *tokenizer = open_default("bpe");
    struct btk_scratch *fresh = NULL, *used = NULL;
    static struct columns columns[2];
    uint8_t text[CACHE_BYTES];
    unsigned seed = 7;
    cr_assert_eq(btk_scratch_new(tokenizer, &fresh, NULL), 0);
    cr_assert_eq(btk_scratch_new(tokenizer, &used, NULL), 0);
    for (unsigned round = 0; round < 4000; round++) {
        const bool has_places = round % 2;
        const struct btk_bytes bytes = random_text(text, &seed);
        struct btk_encoding a = {.capacity = CACHE_TOKENS}, b = a;
        btk_scratch_clear_cache(fresh);
        cr_assert_eq(encode(tokenizer, used, bytes, has_places, &columns[0], &a), 0);
        cr_assert_eq(encode(tokenizer, fresh, bytes, has_places, &columns[1], &b), 0);
        expect_equal(&a, &b);
        b = (struct btk_encoding){.capacity = a.count};
        cr_assert_eq(encode(tokenizer, used, bytes, has_places, &columns[1], &b), 0);
        expect_equal(&a, &b);
        b = (struct btk_encoding){.capacity = a.count - 1};
        cr_assert_eq(encode(tokenizer, used, bytes, has_places, &columns[1], &b), -ENOBUFS);
    }
    btk_scratch_free(&fresh);
    btk_scratch_free(&used);
    btk_tokenizer_close(&tokenizer);
}

enum { PLACES_BYTES = 3 * BTK_CHAR_WINDOW_BYTES };

static size_t fill_text(char *text, unsigned *seed)
{
    static const char *const chars[] = {"a", "\303\251", "\344\270\255", "\360\237\230\200"};
    size_t length = 0;
    while (length < PLACES_BYTES - 4) {
        const char *const one = chars[(size_t)rand_r(seed) % BTK_ARRAY_COUNT(chars)];
        memcpy(text + length, one, strlen(one));
        length += strlen(one);
    }
    return length;
}

// Tokens of up to nine bytes, which may divide a character; holes between some of them.
static size_t fill_offsets(uint32_t *offsets, size_t length, unsigned *seed)
{
    size_t count = 0;
    for (size_t at = 0; at < length; count++) {
        const size_t end = btk_min_size(length, at + 1 + (size_t)rand_r(seed) % 9);
        offsets[2 * count] = (uint32_t)at;
        offsets[2 * count + 1] = (uint32_t)end;
        at = rand_r(seed) % 8 ? end : end + (size_t)rand_r(seed) % 200;
    }
    return count;
}

static bool is_start(const char *text, size_t at)
{
    return ((uint8_t)text[at] & 0xc0) != 0x80;
}

// The character that byte `at` is part of.
static uint32_t number_of(const char *text, size_t at)
{
    uint32_t number = UINT32_MAX;
    for (size_t i = 0; i <= at; i++) number += is_start(text, i);
    return number;
}

// Only what the border of a window divides is left to the caller.
Test(pieces, places_in_characters_are_those_that_counting_gives, .timeout = 60)
{
    static char text[PLACES_BYTES];
    static uint32_t bytes[2 * PLACES_BYTES], chars[2 * PLACES_BYTES];
    static struct btk_char_places places;
    unsigned seed = 3;
    for (unsigned round = 0; round < 20; round++) {
        const size_t length = fill_text(text, &seed), count = fill_offsets(bytes, length, &seed);
        size_t left = 0;
        memcpy(chars, bytes, 2 * count * sizeof *chars);
        btk_char_places_init(&places, (struct btk_bytes){(const uint8_t *)text, length});
        for (size_t done = 0; done < count; done++, left++) {
            const size_t begin = done;
            done += btk_char_places_convert(&places, chars + 2 * done, count - done);
            for (size_t i = begin; i < done; i++) {
                cr_assert_eq(chars[2 * i], number_of(text, bytes[2 * i]));
                cr_assert_eq(chars[2 * i + 1], number_of(text, bytes[2 * i + 1] - 1) + 1);
            }
            if (done == count) break;
            cr_assert_lt(bytes[2 * done], places.end);
            cr_assert_gt(bytes[2 * done + 1], places.end);
        }
        cr_assert_leq(left, length / BTK_CHAR_WINDOW_BYTES);
    }
}
