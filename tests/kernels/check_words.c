// SPDX-License-Identifier: Apache-2.0
// check_words [--seed N] [--rounds N]: the bit algebra of words.h's family against the plain walk from
// piece to piece, on random texts of what has rules of its own, for every set of kernels.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/pretok/words_list.h"
#include "tests/kernels/clip_walk.h"
#include "tests/kernels/deepseek3_walk.h"
#include "tests/kernels/sample_text.h"

enum { LONGEST_TEXT = 6000, MOST_FAILURES = 10 };

#define MEMBER(name, words, numbers, alones, ...)                                                  \
    static WORDS_WALK(walk_##name, .word = (words), .number = (numbers), .alone = (alones),        \
                      __VA_ARGS__)
WORDS_LIST(MEMBER)
#undef MEMBER

static const struct member {
    const char *name;
    btk_pretok_next_fn *next;
    btk_pretok_next_fn *walk;
    size_t least; // capacity
} members[] = {
#define MEMBER(name, words, numbers, alones, ...) {#name, btk_pretok_##name##_next, walk_##name, 1},
    WORDS_LIST(MEMBER)
#undef MEMBER
        {"clip", btk_pretok_clip_next, clip_walk, 3},
    {"deepseek3", btk_pretok_deepseek3_next, deepseek3_walk, 1},
};

static const char *const units[] = {
    " ",
    " ",
    " ",
    "\n",
    "\n",
    "\r",
    "\t",
    "\v",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\xc2\x85",
    "'",
    "'",
    "'",
    "s",
    "t",
    "re",
    "VE",
    "ll",
    "LL",
    "d",
    "M",
    "\u017f",
    "'s",
    "'S",
    "'t",
    "a",
    "b",
    "A",
    "B",
    "é",
    "É",
    "ж",
    "Ж",
    "字",
    "々",
    "〇",
    "あ",
    "ー",
    "゛",
    "゙",
    "〇",
    "⺀",
    "〆",
    "\U00016ff0",
    "〡",
    "\u3040",
    "・",
    "゠",
    "́",
    "़",
    "क",
    "ก",
    "ا",
    "한",
    "ǅ",
    "ª",
    "1",
    "2",
    "34",
    "567",
    "٣",
    "²",
    "𝟘",
    "Ⅷ",
    "!",
    "/",
    "/",
    "(",
    "$",
    "。",
    "€",
    "😀",
    "️",
    "\u200d",
    "\x01",
    "\x7f",
    "͸",
    "\U00011de0",
    "龥",
    "鿿",
    "힣",
    "\ud7b0",
    "𠀀",
    "👨‍👩",
    "-",
    "_",
    "//",
    "<|startoftext|>",
    "<|endoftext|>",
    "<|",
    "!!\u0301\n",
};

static uint8_t text[LONGEST_TEXT];
static size_t check_count, failure_count;

// One of all, of a few, or the one before once more.
static size_t fill(uint64_t *seed, size_t most)
{
    const size_t few_count = 2 + sample_random(seed) % 10;
    size_t few[12];
    for (size_t i = 0; i < few_count; i++) few[i] = sample_random(seed) % BTK_ARRAY_COUNT(units);
    const bool has_few = sample_random(seed) % 4 != 0;
    const size_t repeats_in = 2 + sample_random(seed) % 8;
    size_t length = sample_random(seed) % 130;
    memset(text, sample_random(seed) % 2 ? 'a' : ' ', length);
    for (const char *unit = "x";;) {
        if (sample_random(seed) % repeats_in != 0)
            unit = units[has_few ? few[sample_random(seed) % few_count]
                                 : sample_random(seed) % BTK_ARRAY_COUNT(units)];
        const size_t bytes = strlen(unit);
        if (length + bytes > most) return length;
        memcpy(text + length, unit, bytes);
        length += bytes;
    }
}

static void fail(const struct member *member, const struct btk_kernels *kernels, uint64_t seed,
                 size_t length, size_t at)
{
    printf("FAIL %s.%s: seed %llu, %zu bytes, cut elsewhere behind %zu of ", kernels->name,
           member->name, (unsigned long long)seed, length, at);
    for (size_t i = at > 40 ? at - 40 : 0; i < length && i < at + 40; i++) printf("%02x", text[i]);
    printf("\n");
    failure_count++;
}

static size_t cut(btk_pretok_next_fn *next, const struct btk_kernels *kernels, struct btk_bytes of,
                  size_t capacity, struct btk_piece *out_pieces)
{
    static struct btk_pretok pretok;
    size_t total = 0;
    btk_pretok_init(&pretok, kernels, of);
    for (size_t count; (count = next(&pretok, out_pieces + total, capacity)) != 0;) total += count;
    return total;
}

static void check(const struct member *member, const struct btk_kernels *kernels, uint64_t seed,
                  size_t length, size_t capacity)
{
    static struct btk_piece found[LONGEST_TEXT + 256], expected[LONGEST_TEXT + 256];
    // Of its own size, so that a sanitizer sees what is read behind it.
    uint8_t *const copy = malloc(length + !length);
    if (!copy) exit(1);
    memcpy(copy, text, length);
    const struct btk_bytes bytes = {copy, length};
    const size_t expected_count = cut(member->walk, kernels, bytes, 256, expected);
    const size_t found_count = cut(member->next, kernels, bytes, capacity, found);
    check_count++;
    size_t at = 0;
    while (at < expected_count && at < found_count && expected[at].begin == found[at].begin
           && expected[at].end == found[at].end)
        at++;
    if (at < expected_count || at < found_count)
        fail(member, kernels, seed, length, at ? found[at - 1].end : 0);
    free(copy);
}

static void check_text(uint64_t seed)
{
    static const size_t capacities[] = {256, 1, 2, 13, 255};
    static const size_t lengths[] = {20, 64, 150, 300, 1100, 1300, LONGEST_TEXT};
    uint64_t random = seed;
    const size_t most = lengths[sample_random(&random) % BTK_ARRAY_COUNT(lengths)];
    const size_t capacity = capacities[sample_random(&random) % BTK_ARRAY_COUNT(capacities)];
    const size_t length =
        fill(&random, sample_random(&random) % 8 ? btk_min_size(most, 300) : most);
    size_t set_count;
    const struct btk_kernels *const *sets = btk_kernels_all(&set_count);
    for (size_t i = 0; i < set_count; i++) {
        if (!btk_kernels_is_supported(sets[i])) continue;
        for (size_t k = 0; k < BTK_ARRAY_COUNT(members); k++)
            check(&members[k], sets[i], seed, length, btk_max_size(capacity, members[k].least));
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, rounds = 20000;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--rounds") == 0) rounds = strtoull(argv[i + 1], NULL, 10);
    }
    for (uint64_t round = 0; round < rounds && failure_count < MOST_FAILURES; round++)
        check_text(seed + round);
    printf("%s: %zu checks, %zu failures\n", failure_count ? "FAIL" : "PASS", check_count,
           failure_count);
    return failure_count ? 1 : 0;
}
