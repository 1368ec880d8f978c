// SPDX-License-Identifier: Apache-2.0
// CLIP's sequence (pattern_sources.h): the matches of its pattern, of which the GPT-2 pattern cuts the
// two that stand for special tokens into three. White space is no piece.
//
// The pieces are found as bit algebra, until one of these two is met: from there on it is a walk, as
// such a text is either short or made to be hostile.
#include <string.h>

#include "kernels/pretok/word_starts.h"

static const struct words_rules rules = {
    .contraction = CONTRACTION_EXACT,
    .word = SET_L,
    .number = SET_N,
    .digits = 1,
    .other = SET_ALL & ~(SET_L | SET_N | SET_SPACE),
};
static const uint8_t classes[BTK_CHAR_KIND_ROOM] = WORDS_CLASSES(SET_L, SET_N, 0);

// The length of "startoftext" or "endoftext" between "<|" and "|>"; 0: not there.
static size_t special_length(const struct btk_pretok *pretok, size_t position)
{
    static const char *const names[] = {"<|startoftext|>", "<|endoftext|>"};
    for (size_t i = 0; i < BTK_ARRAY_COUNT(names); i++) {
        const size_t length = strlen(names[i]);
        if (pretok->length - position >= length
            && memcmp(pretok->text + position, names[i], length) == 0)
            return length - 4;
    }
    return 0;
}

static size_t add_piece(struct btk_pretok *pretok, struct btk_piece *out_piece, size_t end)
{
    *out_piece = (struct btk_piece){(uint32_t)pretok->position, (uint32_t)end};
    pretok->position = end;
    return 1;
}

static size_t walk(struct btk_pretok *pretok, struct btk_piece *out_pieces, size_t capacity)
{
    size_t count = 0;
    while (count + 3 <= capacity) {
        pretok->position = walk_run_end(pretok, pretok->position, SET_SPACE);
        const size_t begin = pretok->position;
        if (begin == pretok->length) break;
        const size_t special = pretok->text[begin] == '<' ? special_length(pretok, begin) : 0;
        if (!special) {
            const size_t end = words_piece_end(pretok, begin, &rules);
            count += add_piece(pretok, &out_pieces[count], end);
            continue;
        }
        count += add_piece(pretok, &out_pieces[count], begin + 2);
        count += add_piece(pretok, &out_pieces[count], begin + 2 + special);
        count += add_piece(pretok, &out_pieces[count], begin + 4 + special);
    }
    return count;
}

static inline bool is_space(const struct btk_pretok *pretok, size_t position)
{
    size_t length;
    return set_has(SET_SPACE, walk_kind_at(pretok, position, &length));
}

// The walk begins where the piece does.
static size_t begin_walk(struct btk_pretok *pretok, struct btk_piece piece,
                         struct btk_piece *out_pieces, size_t capacity)
{
    pretok->is_walking = true;
    pretok->position = piece.begin;
    pretok->window_begin = 0;
    pretok->window_end = 0;
    return walk(pretok, out_pieces, capacity);
}

size_t btk_pretok_clip_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                            size_t capacity)
{
    enum { BATCH = 64 };
    if (pretok->is_walking) return walk(pretok, out_pieces, capacity);
    size_t count = 0;
    while (count < capacity) {
        struct btk_piece found[BATCH];
        const size_t found_count = words_next(pretok, found, btk_min_size(BATCH, capacity - count),
                                              &rules, classes, words_block_starts);
        if (found_count == 0) break;
        for (size_t i = 0; i < found_count; i++) {
            const size_t begin = found[i].begin;
            if (pretok->text[begin] == '<' && special_length(pretok, begin))
                return count + begin_walk(pretok, found[i], out_pieces + count, capacity - count);
            out_pieces[count] = found[i];
            count += !is_space(pretok, begin);
        }
    }
    return count;
}
