// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"

enum { TEXT_BYTES = 3 * BTK_PRETOK_WINDOW_BYTES };

static uint8_t text[TEXT_BYTES];

static void expect_piece(struct btk_pretok *pretok, size_t begin, size_t end)
{
    struct btk_piece piece;
    cr_assert_eq(btk_pretok_gpt2_next(pretok, &piece, 1), 1);
    cr_assert(piece.begin == begin && piece.end == end, "%u to %u, expected %zu to %zu",
              piece.begin, piece.end, begin, end);
}

static void check_spaces(const struct btk_kernels *kernels, size_t begin, size_t end)
{
    struct btk_pretok pretok;
    memset(text, 'a', sizeof text);
    memset(text + begin, ' ', end - begin);
    text[end] = '1';
    btk_pretok_init(&pretok, kernels, (struct btk_bytes){text, sizeof text});
    expect_piece(&pretok, 0, begin);
    expect_piece(&pretok, begin, end - 1);
    expect_piece(&pretok, end - 1, end + 1);
    expect_piece(&pretok, end + 1, TEXT_BYTES);
}

// White space gives its last character back to what stands behind it, when the window of masks has
// moved on already.
Test(pretok, white_space_may_end_where_a_window_ends)
{
    const struct btk_kernels *kernels = NULL;
    struct btk_error error = {0};
    cr_assert_eq(btk_kernels_select(NULL, &kernels, &error), 0, "%s", error.message);
    for (size_t end = BTK_PRETOK_WINDOW_BYTES - 4; end < BTK_PRETOK_WINDOW_BYTES + 4; end++)
        for (size_t spaces = 2; spaces < 70; spaces++) check_spaces(kernels, end - spaces, end);
}

// --- BertPreTokenizer, against a walk from character to character

static const char *const bert_characters[] = {
    "a",      "Z",        "7",      " ",        "\t",     "\n",         "\r",         "\v",
    "\f",     "\x01",     "\x7f",   ".",        "_",      "$",          "~",          "\u00e9",
    "\u00d7", "\xc2\xa0", "\u00a7", "\xc2\x85", "\u043f", "\u037e",     "\u0f0d",     "\u4e2d",
    "\u3002", "\u2003",   "\u2014", "\uff01",   "\uac00", "\U0001f600", "\U00010100", "\U00020000",
};

static size_t fill_bert_text(uint32_t *random, unsigned spread)
{
    size_t length = 0;
    const size_t end = *random % 700;
    while (length < end) {
        *random = *random * 1664525u + 1013904223u;
        const unsigned kind = *random >> 16 & 0xff;
        const char *const character =
            kind < spread ? bert_characters[kind % 32] : &"abcdefgh"[kind & 7];
        const size_t bytes = kind < spread ? strlen(character) : 1;
        memcpy(text + length, character, bytes);
        length += bytes;
    }
    return length;
}

static size_t walk_bert(size_t length, struct btk_piece *out)
{
    size_t count = 0, begin = 0;
    for (size_t at = 0, bytes; at < length; at += bytes) {
        const uint16_t classes = btk_unicode_classes(btk_utf8_decode(text + at, &bytes));
        if (!(classes & (BTK_CLASS_WHITESPACE | BTK_CLASS_BERT_PUNCTUATION))) continue;
        if (at > begin) out[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)at};
        if (classes & BTK_CLASS_BERT_PUNCTUATION)
            out[count++] = (struct btk_piece){(uint32_t)at, (uint32_t)(at + bytes)};
        begin = at + bytes;
    }
    if (length > begin) out[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)length};
    return count;
}

static void check_bert(const struct btk_kernels *kernels, size_t length, size_t capacity)
{
    static struct btk_piece expected[TEXT_BYTES], pieces[TEXT_BYTES];
    const size_t expected_count = walk_bert(length, expected);
    struct btk_pretok pretok;
    btk_pretok_init(&pretok, kernels, (struct btk_bytes){text, length});
    size_t count = 0, given;
    while ((given = btk_pretok_bert_next(&pretok, pieces + count, capacity)) != 0) {
        cr_assert(given <= capacity);
        count += given;
    }
    cr_assert_eq(count, expected_count, "%zu bytes, room for %zu", length, capacity);
    for (size_t i = 0; i < count; i++)
        cr_assert(pieces[i].begin == expected[i].begin && pieces[i].end == expected[i].end,
                  "%zu bytes, room for %zu: piece %zu is %u to %u, expected %u to %u", length,
                  capacity, i, pieces[i].begin, pieces[i].end, expected[i].begin, expected[i].end);
}

Test(pretok, bert_gives_the_pieces_of_a_walk_wherever_blocks_end)
{
    const struct btk_kernels *kernels = NULL;
    struct btk_error error = {0};
    cr_assert_eq(btk_kernels_select(NULL, &kernels, &error), 0, "%s", error.message);
    static const size_t capacities[] = {1, 2, 64, 65, 100, 256};
    uint32_t random = 7;
    for (unsigned round = 0; round < 6000; round++) {
        random = random * 1664525u + 1013904223u;
        const size_t length = fill_bert_text(&random, round % 4 * 80 + 8);
        check_bert(kernels, length, capacities[round % 6]);
    }
}

Test(pretok, bert_gives_the_pieces_of_a_walk_for_every_code_point_wherever_windows_end)
{
    const struct btk_kernels *kernels = NULL;
    struct btk_error error = {0};
    cr_assert_eq(btk_kernels_select(NULL, &kernels, &error), 0, "%s", error.message);
    size_t length = 0;
    for (uint32_t code_point = 0; code_point < 0x110000; code_point++) {
        if (code_point >= 0xd800 && code_point < 0xe000) continue;
        length += btk_utf8_encode(code_point, text + length);
        if (code_point % 3) text[length++] = 'a';
        if (length < TEXT_BYTES - 8) continue;
        check_bert(kernels, length, 256);
        length = 0;
    }
    check_bert(kernels, length, 256);
}
