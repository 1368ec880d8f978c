// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

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
