// SPDX-License-Identifier: Apache-2.0
// Falcon's sequence (pattern_sources.h): runs of punctuation are cut out, the GPT-2 pattern cuts what
// is left into words, numbers are cut out of these, and three ASCII digits out of those.
//
// The GPT-2 pattern comes with ByteLevel, which makes a character of each byte; so what cuts numbers
// out sees bytes, and takes those that are numbers in Latin-1 for such, wherever they stand: the
// second of U+00B2, the last of U+2032, of U+4E3C. Pieces can begin and end within a character.
//
// Punctuation is what the pre-tokenizers take for it, of Unicode 8; the pattern has Unicode 16. The
// apostrophe is punctuation, so no contraction is ever found.
#include "common/unicode.h"
#include "kernels/pretok/walk.h"

enum group { GROUP_PUNCTUATION, GROUP_LETTER, GROUP_NUMBER, GROUP_SPACE, GROUP_OTHER, GROUP_END };

static inline enum group group_at(const struct btk_pretok *pretok, size_t position,
                                  size_t *out_length)
{
    *out_length = 0;
    if (position >= pretok->length) return GROUP_END;
    const uint32_t code = btk_utf8_decode(pretok->text + position, out_length);
    const enum btk_unicode_kind kind = btk_unicode_kind(code);
    if (set_has(SET_L, kind)) return GROUP_LETTER;
    if (set_has(SET_N, kind)) return GROUP_NUMBER;
    if (set_has(SET_SPACE, kind)) return GROUP_SPACE;
    return btk_unicode_classes(code) & BTK_CLASS_BERT_PUNCTUATION ? GROUP_PUNCTUATION : GROUP_OTHER;
}

static inline size_t run_end(struct btk_pretok *pretok, size_t position, enum group group)
{
    if (group == GROUP_LETTER) return walk_run_end(pretok, position, SET_L);
    if (group == GROUP_SPACE) return walk_run_end(pretok, position, SET_SPACE);
    for (;;) {
        size_t length;
        if (group_at(pretok, position, &length) != group) return position;
        position += length;
    }
}

static size_t space_end(struct btk_pretok *pretok, size_t position)
{
    size_t length;
    const size_t end = run_end(pretok, position, GROUP_SPACE);
    const enum group group = group_at(pretok, end, &length);
    if (group == GROUP_END || group == GROUP_PUNCTUATION) return end;
    const size_t last = walk_back(pretok, end);
    if (last > position) return last;
    return pretok->text[position] == ' ' ? run_end(pretok, end, group) : end;
}

static size_t word_end(struct btk_pretok *pretok, size_t position)
{
    size_t length;
    const enum group group = group_at(pretok, position, &length);
    return group == GROUP_SPACE ? space_end(pretok, position)
                                : run_end(pretok, position + length, group);
}

static inline bool is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') < 10;
}

static inline bool is_number(uint8_t byte)
{
    static const bool numbers[256] = {
        ['0'] = true,  ['1'] = true,  ['2'] = true,  ['3'] = true,  ['4'] = true,  ['5'] = true,
        ['6'] = true,  ['7'] = true,  ['8'] = true,  ['9'] = true,  [0xb2] = true, [0xb3] = true,
        [0xb9] = true, [0xbc] = true, [0xbd] = true, [0xbe] = true,
    };
    return numbers[byte];
}

static inline bool has_three_digits(const uint8_t *text, size_t length)
{
    return length >= 3 && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[2]);
}

// The length of the next piece of a word.
static inline size_t piece_length(const uint8_t *text, size_t length)
{
    if (has_three_digits(text, length)) return 3;
    const bool number = is_number(text[0]);
    size_t end = 1;
    while (end < length && is_number(text[end]) == number
           && !(number && has_three_digits(text + end, length - end)))
        end++;
    return end;
}

size_t btk_pretok_falcon_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                              size_t capacity)
{
    size_t count = 0;
    while (count < capacity && pretok->position < pretok->length) {
        const size_t begin = pretok->position;
        if (begin >= pretok->word_end) pretok->word_end = word_end(pretok, begin);
        pretok->position += piece_length(pretok->text + begin, pretok->word_end - begin);
        out_pieces[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)pretok->position};
    }
    return count;
}
