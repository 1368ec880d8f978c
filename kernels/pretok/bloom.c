// SPDX-License-Identifier: Apache-2.0
// BLOOM's pattern (pattern_sources.h): all but white space and a few characters, with a blank before
// it. What is between two matches is one piece.
#include "kernels/pretok/walk.h"

static bool is_separator(const struct btk_pretok *pretok, size_t position, size_t *out_length)
{
    const uint32_t code = btk_utf8_decode(pretok->text + position, out_length);
    switch (code) {
    case '(':
    case ')':
    case '|':
    case '.':
    case ',':
    case '!':
    case '?':
    case 0x2026: // …
    case 0x3002: // 。
    case 0xff0c: // ，
    case 0x3001: // 、
    case 0x0964: // ।
    case 0x06d4: // ۔
    case 0x060c: // ،
        return true;
    default: return set_has(SET_SPACE, btk_unicode_kind(code));
    }
}

static inline size_t word_end(struct btk_pretok *pretok, size_t position)
{
    for (;;) {
        position = walk_ascii_end(pretok, position, SET_L | SET_N);
        size_t length;
        if (position >= pretok->length || is_separator(pretok, position, &length)) return position;
        position += length;
    }
}

static inline size_t piece_end(struct btk_pretok *pretok, size_t position)
{
    size_t end = position, length;
    while (end < pretok->length && is_separator(pretok, end, &length)) end += length;
    if (end == pretok->length) return end;
    const size_t blank = end > position && pretok->text[end - 1] == ' ' ? end - 1 : end;
    return blank > position ? blank : word_end(pretok, end);
}

size_t btk_pretok_bloom_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                             size_t capacity)
{
    size_t count = 0;
    while (count < capacity && pretok->position < pretok->length) {
        const size_t begin = pretok->position;
        pretok->position = piece_end(pretok, begin);
        out_pieces[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)pretok->position};
    }
    return count;
}
