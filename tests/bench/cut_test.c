// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cut.h"

static struct btk_bytes bytes_of(const char *text)
{
    return (struct btk_bytes){(const uint8_t *)text, strlen(text)};
}

static void expect_piece(const struct btk_cut_list *list, size_t index, const char *expected)
{
    cr_assert_lt(index, list->count);
    const struct btk_bytes piece = list->pieces[index];
    cr_assert(piece.length == strlen(expected) && memcmp(piece.data, expected, piece.length) == 0,
              "piece %zu is \"%.*s\"", index, (int)piece.length, (const char *)piece.data);
}

static struct btk_cut_list cut(const char *text, size_t piece_bytes)
{
    struct btk_cut_list list;
    cr_assert_eq(btk_cut_pieces(bytes_of(text), piece_bytes, &list), 0);
    return list;
}

Test(cut, a_piece_ends_behind_the_last_newline_of_its_second_half)
{
    struct btk_cut_list list = cut("abc\ne g\nij lmn", 10);
    cr_assert_eq(list.count, 2);
    expect_piece(&list, 0, "abc\ne g\n");
    expect_piece(&list, 1, "ij lmn");
    btk_cut_clear(&list);
}

Test(cut, a_newline_in_the_first_half_does_not_count)
{
    struct btk_cut_list list = cut("ab\nd fghi klmn", 10);
    expect_piece(&list, 0, "ab\nd fghi");
    expect_piece(&list, 1, " klmn");
    btk_cut_clear(&list);
}

Test(cut, without_newline_and_space_a_piece_ends_between_characters)
{
    struct btk_cut_list list = cut("aäöüßéè", 8);
    expect_piece(&list, 0, "aäöü");
    expect_piece(&list, 1, "ßéè");
    cr_assert_eq(list.bytes, 13);
    btk_cut_clear(&list);
}

Test(cut, the_longest_characters_fit_the_smallest_pieces)
{
    struct btk_cut_list list = cut("😀😁a😂", 4);
    cr_assert_eq(list.count, 4);
    expect_piece(&list, 2, "a");
    expect_piece(&list, 3, "😂");
    btk_cut_clear(&list);
}

Test(cut, blank_pieces_and_repeated_ones_are_left_out)
{
    struct btk_cut_list list = cut("abcdefg\n\t\v\f\r   \nabcdefg\nabcdefh\n", 8);
    cr_assert_eq(list.count, 2);
    expect_piece(&list, 0, "abcdefg\n");
    expect_piece(&list, 1, "abcdefh\n");
    cr_assert_eq(list.bytes, 16);
    btk_cut_clear(&list);
}

Test(cut, an_empty_text_has_no_pieces_and_no_lines)
{
    struct btk_cut_list list = cut("", 4096);
    cr_assert_eq(list.count, 0);
    btk_cut_clear(&list);
    cr_assert_eq(btk_cut_lines(bytes_of(""), &list), 0);
    cr_assert_eq(list.count, 0);
    btk_cut_clear(&list);
}

Test(cut, lines_lose_their_ends_and_empty_ones_stay)
{
    struct btk_cut_list list;
    cr_assert_eq(btk_cut_lines(bytes_of("a\r\n\nb\rc\n\r\nlast\r"), &list), 0);
    cr_assert_eq(list.count, 5);
    expect_piece(&list, 0, "a");
    expect_piece(&list, 1, "");
    expect_piece(&list, 2, "b\rc");
    expect_piece(&list, 3, "");
    expect_piece(&list, 4, "last\r");
    btk_cut_clear(&list);
}

Test(cut, the_warm_up_is_the_end_of_the_file_and_begins_at_a_character)
{
    const size_t length = 3 * 40000;
    char *const text = malloc(length);
    for (size_t i = 0; i < length; i += 3) memcpy(text + i, "中", 3);
    struct btk_bytes body;
    struct btk_bytes warm_up;
    btk_cut_split((struct btk_bytes){(uint8_t *)text, length}, BTK_CUT_BODY_BYTES, &body, &warm_up);
    cr_assert_eq(warm_up.length % 3, 0);
    cr_assert_leq(warm_up.length, BTK_CUT_WARM_UP_BYTES);
    cr_assert_gt(warm_up.length, BTK_CUT_WARM_UP_BYTES - 3);
    cr_assert_eq(body.length + warm_up.length, length);
    free(text);
}

Test(cut, the_limit_of_the_body_never_divides_a_character)
{
    const size_t length = 3 * 40000;
    char *const text = malloc(length);
    for (size_t i = 0; i < length; i += 3) memcpy(text + i, "中", 3);
    struct btk_bytes body;
    struct btk_bytes warm_up;
    btk_cut_split((struct btk_bytes){(uint8_t *)text, length}, 1001, &body, &warm_up);
    cr_assert_eq(body.length, 999);
    free(text);
}

Test(cut, a_text_no_longer_than_the_warm_up_is_all_body)
{
    struct btk_bytes body;
    struct btk_bytes warm_up;
    btk_cut_split(bytes_of("short"), BTK_CUT_BODY_BYTES, &body, &warm_up);
    cr_assert_eq(body.length, 5);
    cr_assert_eq(warm_up.length, 0);
}
