// SPDX-License-Identifier: Apache-2.0
// Every model with every option, against what tokenizers 0.23.3 answered (model_cases.h); and what
// has to be so for any vocabulary: cuts change nothing, long pieces are like short ones, dropout is
// as likely as it says.
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "tests/tokenizer/model_cases.h"
#include "tests/tokenizer/small_models.h"
#include "tokenizer/engine.h"
#include "tokenizer/model/bpe_cut.h"

enum { ROOM = 100001 };

static struct btk_tokenizer *open_json(const char *json)
{
    struct btk_tokenizer *tokenizer = NULL;
    struct btk_error_info error = {0};
    cr_assert_eq(btk_tokenizer_open_json(json, strlen(json), &tokenizer, &error), 0, "%s\n%s",
                 error.message, json);
    return tokenizer;
}

// --- Recorded answers

// "id:begin-end id:begin-end", or "error".
static void print_tokens(struct btk_buffer *line, int status, const struct btk_encoding *encoding)
{
    cr_assert(status == 0 || status == -ENODATA);
    line->length = 0;
    if (status < 0) cr_assert_eq(btk_buffer_printf(line, "error"), 0);
    for (size_t i = 0; i < encoding->count; i++)
        cr_assert_eq(btk_buffer_printf(line, "%s%u:%u-%u", i ? " " : "", encoding->ids[i],
                                       encoding->offsets[2 * i], encoding->offsets[2 * i + 1]),
                     0);
    cr_assert_eq(btk_buffer_append(line, "", 1), 0);
}

static void expect_answers(const struct model_case *wanted)
{
    static uint32_t ids[ROOM], offsets[2 * ROOM];
    struct btk_tokenizer *tokenizer = open_json(wanted->json);
    struct btk_scratch *scratch;
    struct btk_error_info error = {0};
    struct btk_buffer line;
    btk_buffer_init(&line);
    cr_assert_eq(btk_scratch_new(tokenizer, &scratch, &error), 0);
    const struct btk_encode_options options = {.add_special_tokens = false};
    for (size_t i = 0; wanted->texts[i].text; i++) {
        const char *const text = wanted->texts[i].text;
        for (int round = 0; round < 2; round++) { // the second comes from the cache
            struct btk_encoding encoding = {.capacity = ROOM, .ids = ids, .offsets = offsets};
            const int status =
                btk_encode(tokenizer, scratch, text, strlen(text), &options, &encoding, &error);
            print_tokens(&line, status, &encoding);
            cr_expect_str_eq((const char *)line.data, wanted->texts[i].answer, "%s\n%s",
                             wanted->json, text);
        }
    }
    btk_buffer_clear(&line);
    btk_scratch_free(&scratch);
    btk_tokenizer_close(&tokenizer);
}

Test(models, give_what_the_reference_gives)
{
    for (size_t i = 0; i < sizeof model_cases / sizeof model_cases[0]; i++)
        expect_answers(&model_cases[i]);
}

Test(models, refuse_the_files_that_the_reference_refuses)
{
    for (size_t i = 0; i < sizeof refused_models / sizeof refused_models[0]; i++) {
        struct btk_tokenizer *tokenizer = NULL;
        struct btk_error_info error = {0};
        const int status = btk_tokenizer_open_json(refused_models[i], strlen(refused_models[i]),
                                                   &tokenizer, &error);
        cr_expect(status == -EINVAL || status == -ENOTSUP, "%s", refused_models[i]);
        btk_tokenizer_close(&tokenizer);
    }
}

// --- Cuts

static const char *const letters[] = {"a", "b",           "c", "\xc3\xa9", "\xe2\x96\x81",
                                      "x", "\xe4\xb8\xad"};
enum { LETTERS = sizeof letters / sizeof letters[0], KNOWN = 6 }; // the last has no token

static size_t random_letters(uint64_t *seed, char *text, size_t chars)
{
    text[0] = 0;
    for (size_t i = 0; i < chars; i++) strcat(text, letters[btk_small_random(seed) % LETTERS]);
    return strlen(text);
}

// Merges of a few letters in any order; fused unknown tokens.
static struct btk_tokenizer *random_bpe(uint64_t *seed)
{
    char tokens[64][64] = {""}, line[300];
    size_t count = KNOWN;
    struct btk_buffer json, merges;
    btk_buffer_init(&json);
    btk_buffer_init(&merges);
    cr_assert_eq(btk_buffer_printf(&json, "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\","
                                          "\"fuse_unk\":true,\"vocab\":{\"<unk>\":0"),
                 0);
    for (size_t i = 0; i < KNOWN; i++) strcpy(tokens[i], letters[i]);
    for (int i = 0; i < 12 && count < 64; i++) {
        const char *const left = tokens[btk_small_random(seed) % count];
        const char *const right = tokens[btk_small_random(seed) % count];
        snprintf(line, sizeof line, "%s%s", left, right);
        if (strlen(line) >= 40) continue;
        strcpy(tokens[count++], line);
        cr_assert_eq(
            btk_buffer_printf(&merges, "%s\"%s %s\"", merges.length ? "," : "", left, right), 0);
    }
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(btk_buffer_printf(&json, ",\"%s\":%zu", tokens[i], i + 1), 0);
    cr_assert_eq(btk_buffer_append(&merges, "", 1), 0);
    cr_assert_eq(btk_buffer_printf(&json, "},\"merges\":[%s]}}", (char *)merges.data), 0);
    cr_assert_eq(btk_buffer_append(&json, "", 1), 0);
    struct btk_tokenizer *const tokenizer = open_json((const char *)json.data);
    btk_buffer_clear(&json);
    btk_buffer_clear(&merges);
    return tokenizer;
}

struct tokens {
    uint32_t ids[ROOM], places[2 * ROOM];
    size_t count;
};

// Appends the tokens of text[begin, end), as one piece.
static void add_piece(const struct btk_image *image, struct btk_model_scratch *scratch,
                      const char *text, size_t begin, size_t end, struct tokens *tokens)
{
    size_t count;
    cr_assert_eq(btk_model_begin(image, scratch,
                                 (struct btk_bytes){(const uint8_t *)text + begin, end - begin},
                                 &count),
                 0);
    while (count) {
        for (size_t i = 0; i < count; i++) {
            tokens->ids[tokens->count] = scratch->ids[i];
            tokens->places[2 * tokens->count] = (uint32_t)begin + scratch->places[2 * i];
            tokens->places[2 * tokens->count++ + 1] = (uint32_t)begin + scratch->places[2 * i + 1];
        }
        cr_assert_eq(btk_model_next(image, scratch, &count), 0);
    }
}

static size_t compare_cuts(const struct btk_image *image, uint64_t *seed)
{
    static struct tokens whole, parts;
    char text[1024];
    struct btk_model_scratch scratch;
    size_t cuts = 0;
    cr_assert_eq(btk_model_scratch_init(&scratch, image, 1024), 0);
    for (int i = 0; i < 50; i++) {
        const size_t length = random_letters(seed, text, 1 + btk_small_random(seed) % 120);
        const struct btk_bytes bytes = {(const uint8_t *)text, length};
        whole.count = parts.count = 0;
        add_piece(image, &scratch, text, 0, length, &whole);
        for (size_t begin = 0, end; begin < length; begin = end) {
            end = btk_bpe_next_cut(image, bytes, begin);
            cuts += end < length;
            add_piece(image, &scratch, text, begin, end, &parts);
        }
        cr_assert_eq(whole.count, parts.count, "%s", text);
        cr_assert_eq(memcmp(whole.ids, parts.ids, whole.count * sizeof *whole.ids), 0, "%s", text);
        cr_assert_eq(memcmp(whole.places, parts.places, 2 * whole.count * sizeof *whole.places), 0);
    }
    btk_model_scratch_clear(&scratch);
    return cuts;
}

Test(models, a_piece_has_the_same_tokens_when_it_is_cut)
{
    size_t cuts = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t state = seed;
        struct btk_tokenizer *tokenizer = random_bpe(&state);
        cr_assert(tokenizer->image.config->model_flags & BTK_MODEL_HAS_CUTS);
        cuts += compare_cuts(&tokenizer->image, &state);
        btk_tokenizer_close(&tokenizer);
    }
    cr_expect_gt(cuts, 10000);
}

// --- Unigram: all divisions of the whole text at once

struct naive {
    double score;
    size_t start;
    uint32_t id;
};

static const struct {
    const char *text;
    double score;
} scored[] = {{"<unk>", 0},  {"a", -1.25},  {"aa", -2.125}, {"aaa", -3.0625}, {"b", -1.5},
              {"ab", -2.75}, {"ba", -2.75}, {"aab", -3.75}, {"aba", -3.875}};

static void try_end(struct naive *best, size_t start, size_t end, double score, uint32_t id)
{
    if (best[end].start != SIZE_MAX && !(score > best[end].score)) return;
    best[end] = (struct naive){score, start, id};
}

static void divide_naively(const char *text, size_t length, struct naive *best)
{
    for (size_t i = 0; i <= length; i++) best[i].start = SIZE_MAX;
    best[0].score = 0;
    for (size_t start = 0; start < length; start++) {
        bool has_char = false;
        for (size_t bytes = 1; bytes <= 3 && bytes <= length - start; bytes++)
            for (uint32_t id = 1; id < sizeof scored / sizeof scored[0]; id++) {
                if (strlen(scored[id].text) != bytes
                    || memcmp(scored[id].text, text + start, bytes) != 0)
                    continue;
                has_char |= bytes == 1;
                try_end(best, start, start + bytes, scored[id].score + best[start].score, id);
            }
        if (!has_char) try_end(best, start, start + 1, best[start].score - 3.875 - 10, 0);
    }
}

// The best way in order; fused unknown tokens are one.
static void list_way(struct naive *best, size_t length, struct tokens *tokens, bool *is_start)
{
    memset(is_start, 0, length + 1);
    for (size_t at = length; at; at = best[at].start) is_start[at] = true;
    tokens->count = 0;
    for (size_t begin = 0, end = 1; end <= length; end++) {
        if (!is_start[end]) continue;
        const bool fuses = tokens->count && !best[end].id && !tokens->ids[tokens->count - 1];
        if (!fuses) tokens->places[2 * tokens->count++] = (uint32_t)begin;
        tokens->ids[tokens->count - 1] = best[end].id;
        tokens->places[2 * tokens->count - 1] = (uint32_t)end;
        begin = end;
    }
}

static struct btk_tokenizer *open_scored(void)
{
    struct btk_buffer json;
    btk_buffer_init(&json);
    cr_assert_eq(
        btk_buffer_printf(&json, "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":["), 0);
    for (size_t i = 0; i < sizeof scored / sizeof scored[0]; i++)
        cr_assert_eq(btk_buffer_printf(&json, "%s[\"%s\",%.4f]", i ? "," : "", scored[i].text,
                                       scored[i].score),
                     0);
    cr_assert_eq(btk_buffer_append(&json, "]}}", 4), 0);
    struct btk_tokenizer *const tokenizer = open_json((const char *)json.data);
    btk_buffer_clear(&json);
    return tokenizer;
}

// Some never settle, and then there are more nodes than a scratch has; others settle in each word.
static const char *const repeated[] = {"a", "aab", "ab x", "xx", "b"};

Test(models, a_long_piece_of_unigram_is_divided_as_if_it_were_looked_at_at_once)
{
    static struct naive best[ROOM];
    static struct tokens found, wanted;
    static bool is_start[ROOM];
    static char text[ROOM];
    const size_t length = ROOM - 1;
    struct btk_tokenizer *tokenizer = open_scored();
    struct btk_model_scratch scratch;
    cr_assert_eq(btk_model_scratch_init(&scratch, &tokenizer->image, 1024), 0);
    for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        for (size_t at = 0; at < length; at++) text[at] = repeated[i][at % strlen(repeated[i])];
        divide_naively(text, length, best);
        list_way(best, length, &wanted, is_start);
        found.count = 0;
        add_piece(&tokenizer->image, &scratch, text, 0, length, &found);
        cr_assert_eq(found.count, wanted.count, "%s", repeated[i]);
        cr_assert_eq(memcmp(found.ids, wanted.ids, found.count * sizeof *found.ids), 0);
        cr_assert_eq(memcmp(found.places, wanted.places, 2 * found.count * sizeof *found.ids), 0);
    }
    cr_expect_gt(scratch.unigram.spill_count, 0);
    btk_model_scratch_clear(&scratch);
    btk_tokenizer_close(&tokenizer);
}

// --- Dropout

Test(models, dropout_is_as_likely_as_in_the_reference)
{
    enum { RUNS = 100000, SHARES = sizeof dropout_shares / sizeof dropout_shares[0] };
    size_t times[SHARES] = {0};
    uint32_t ids[64], offsets[128];
    struct btk_tokenizer *tokenizer = open_json(dropout_json);
    struct btk_scratch *scratch;
    struct btk_error_info error;
    struct btk_buffer line;
    btk_buffer_init(&line);
    cr_assert_eq(btk_scratch_new(tokenizer, &scratch, &error), 0);
    scratch->model.bpe.random = 1;
    const struct btk_encode_options options = {.add_special_tokens = false};
    for (int run = 0; run < RUNS; run++) {
        struct btk_encoding encoding = {.capacity = 64, .ids = ids, .offsets = offsets};
        cr_assert_eq(btk_encode(tokenizer, scratch, dropout_text, strlen(dropout_text), &options,
                                &encoding, &error),
                     0);
        print_tokens(&line, 0, &encoding);
        size_t which = 0;
        while (which < SHARES && strcmp(dropout_shares[which].answer, (char *)line.data) != 0)
            which++;
        cr_assert_lt(which, SHARES, "the reference never had %s", (char *)line.data);
        times[which]++;
    }
    // Five standard deviations, of ours and of the recorded shares.
    for (size_t i = 0; i < SHARES; i++) {
        const double share = dropout_shares[i].share;
        const double bound = 5 * sqrt(share * (1 - share) * 2 / RUNS) + 2.0 / RUNS;
        cr_expect_leq(fabs((double)times[i] / RUNS - share), bound, "%s: %zu of %d, not %f",
                      dropout_shares[i].answer, times[i], RUNS, share);
    }
    btk_buffer_clear(&line);
    btk_scratch_free(&scratch);
    btk_tokenizer_close(&tokenizer);
}

// --- The queue of candidates

static uint64_t lowest(const uint64_t *entries, size_t count, size_t *out_at)
{
    *out_at = 0;
    for (size_t i = 1; i < count; i++)
        if (entries[i] < entries[*out_at]) *out_at = i;
    return entries[*out_at];
}

// New candidates come while others are taken, of any rank: behind, at, and before the present one.
static void compare_queue(struct btk_bpe_queue *queue, uint64_t *seed)
{
    enum { ENTRIES = 600 };
    uint64_t entries[ENTRIES];
    size_t count = 0;
    btk_bpe_queue_reset(queue);
    for (int step = 0; step < 3000; step++) {
        const bool pushes = count < ENTRIES && btk_small_random(seed) % 5 < (step < 1000 ? 4 : 2);
        uint32_t rank = (uint32_t)(btk_small_random(seed) % 100), position = 0;
        if (pushes) {
            position = (uint32_t)(btk_small_random(seed) % 1000);
            entries[count++] = (uint64_t)rank << 32 | position;
            btk_bpe_queue_push(queue, rank, position);
            continue;
        }
        cr_assert_eq(btk_bpe_queue_try_pop(queue, &rank, &position), count > 0);
        if (!count) continue;
        size_t at;
        cr_assert_eq(lowest(entries, count, &at), (uint64_t)rank << 32 | position);
        entries[at] = entries[--count];
    }
}

Test(models, candidates_come_by_rank_and_place_however_they_are_kept)
{
    for (uint32_t ranks = 0; ranks <= 100; ranks += 100) {
        struct btk_bpe_queue queue;
        uint64_t seed = 1;
        cr_assert_eq(btk_bpe_queue_init(&queue, 600, ranks), 0);
        for (int round = 0; round < 30; round++) compare_queue(&queue, &seed);
        btk_bpe_queue_clear(&queue);
    }
}

// Where candidates are kept by rank, a long piece has the tokens that its parts have between cuts.
Test(models, a_giant_piece_has_the_tokens_that_the_heap_gives)
{
    static char text[300001];
    uint64_t seed = 3;
    struct btk_tokenizer *tokenizer = random_bpe(&seed);
    struct btk_image image = tokenizer->image;
    struct btk_bpe_scratch by_rank, by_heap;
    size_t length = 0, rank_count, heap_count;
    while (length < 200000) length += random_letters(&seed, text + length, 100);
    const struct btk_bytes piece = {(const uint8_t *)text, length};
    cr_assert_eq(btk_bpe_scratch_init(&by_rank, &image, length), 0);
    cr_assert_not_null(by_rank.queue.heads);
    struct btk_image_config config = *image.config;
    config.rank_count = 0; // no ranks
    image.config = &config;
    cr_assert_eq(btk_bpe_scratch_init(&by_heap, &image, length), 0);
    cr_assert_null(by_heap.queue.heads);
    cr_assert_eq(btk_bpe_merge(&image, &by_rank, piece, &rank_count), 0);
    cr_assert_eq(btk_bpe_merge(&image, &by_heap, piece, &heap_count), 0);
    cr_assert_eq(rank_count, heap_count);
    cr_expect_eq(memcmp(by_rank.ids, by_heap.ids, rank_count * sizeof *by_rank.ids), 0);
    cr_expect_eq(memcmp(by_rank.lengths, by_heap.lengths, rank_count * sizeof *by_rank.ids), 0);
    btk_bpe_scratch_clear(&by_rank);
    btk_bpe_scratch_clear(&by_heap);
    btk_tokenizer_close(&tokenizer);
}
