// SPDX-License-Identifier: Apache-2.0
// DeepSeek Coder's sequence (pattern_sources.h): each newline is cut out, then letters with one white
// space before them, then punctuation with one, then what is of certain ranges, then each number.
//
// A piece therefore ends where the group of characters changes or a range begins or ends, and each
// is known from the character and the next one: no Split looks farther.
#include "kernels/pretok/walk.h"

enum {
    NUMBER = SET_N | SET(NEW_NUMBER), // as the pre-tokenizer Digits has it
    SPACES = SET_SPACE & ~(uint32_t)SET(NEWLINE),
    REST = SET_ALL & ~(SET_L | SET_P | NUMBER | SET_SPACE),
};

struct character {
    enum btk_unicode_kind kind;
    bool is_in_range;
    size_t length; // 0: the text has ended
};

// U+0800 to U+4E00 and U+4E00 to U+9FA5 are two ranges in the source; the third is Hangul.
static inline struct character character_at(const struct btk_pretok *pretok, size_t position)
{
    if (position >= pretok->length) return (struct character){0};
    size_t length;
    const uint32_t code = btk_utf8_decode(pretok->text + position, &length);
    const bool is_in_range =
        (code >= 0x800 && code <= 0x9fa5) || (code >= 0xac00 && code <= 0xd7ff);
    return (struct character){btk_unicode_kind(code), is_in_range, length};
}

// The end of the run of the set that is in the ranges, or out of them, as its first character is.
static inline size_t run_end(struct btk_pretok *pretok, size_t position, uint32_t set)
{
    const struct character first = character_at(pretok, position);
    for (position += first.length;;) {
        if (set == SET_L && !first.is_in_range) position = walk_ascii_end(pretok, position, SET_L);
        const struct character next = character_at(pretok, position);
        if (!next.length || next.is_in_range != first.is_in_range || !set_has(set, next.kind))
            return position;
        position += next.length;
    }
}

// The end of what is neither a letter nor punctuation: before the white space that goes with these.
static inline size_t rest_end(struct btk_pretok *pretok, size_t position, bool is_in_range)
{
    for (;;) {
        const struct character here = character_at(pretok, position);
        if (!here.length || here.is_in_range != is_in_range || !set_has(SPACES | REST, here.kind))
            return position;
        if (set_has(SPACES, here.kind)) {
            const struct character next = character_at(pretok, position + here.length);
            if (next.length && set_has(SET_L | SET_P, next.kind)) return position;
        }
        position += here.length;
    }
}

static inline size_t piece_end(struct btk_pretok *pretok, size_t position)
{
    const struct character first = character_at(pretok, position);
    const size_t behind = position + first.length;
    if (first.kind == BTK_KIND_NEWLINE || set_has(NUMBER, first.kind)) return behind;
    if (set_has(SET_L, first.kind)) return run_end(pretok, position, SET_L);
    if (set_has(SET_P, first.kind)) return run_end(pretok, position, SET_P);
    const struct character next = character_at(pretok, behind);
    if (set_has(SPACES, first.kind) && next.length && set_has(SET_L | SET_P, next.kind)) {
        if (next.is_in_range != first.is_in_range) return behind;
        return set_has(SET_L, next.kind) ? run_end(pretok, behind, SET_L)
                                         : run_end(pretok, behind, SET_P);
    }
    return rest_end(pretok, behind, first.is_in_range);
}

size_t btk_pretok_deepseek_coder_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
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
