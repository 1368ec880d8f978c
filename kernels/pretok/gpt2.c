// SPDX-License-Identifier: Apache-2.0
// The GPT-2 pattern (pattern_list.h). At every position exactly one of four things stands: a
// letter, a number, white space, or something else; so the alternatives need no backtracking.
#include <stdbool.h>
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"

enum kind { KIND_LETTER, KIND_NUMBER, KIND_SPACE, KIND_OTHER };

static void fill_window(struct btk_pretok *pretok, size_t position)
{
    const size_t bytes = btk_min_size(pretok->length - position, BTK_PRETOK_WINDOW_BYTES);
    pretok->kernels->class_masks(pretok->text + position, bytes, pretok->masks.classes);
    pretok->window_begin = position;
    pretok->window_end = position + bytes;
}

static inline uint64_t mask_of(const struct btk_class_masks *masks, enum kind kind)
{
    switch (kind) {
    case KIND_LETTER: return masks->letter;
    case KIND_NUMBER: return masks->digit;
    case KIND_SPACE: return masks->space;
    default: return ~(masks->letter | masks->digit | masks->space | masks->high);
    }
}

static enum kind kind_of(uint32_t code_point)
{
    const uint16_t classes = btk_unicode_classes(code_point);
    if (classes & BTK_CLASS_LETTER) return KIND_LETTER;
    if (classes & BTK_CLASS_NUMBER) return KIND_NUMBER;
    return classes & BTK_CLASS_SPACE ? KIND_SPACE : KIND_OTHER;
}

static inline enum kind kind_of_ascii(uint8_t byte)
{
    const uint8_t lower = byte | 0x20;
    if (lower >= 'a' && lower <= 'z') return KIND_LETTER;
    if (byte >= '0' && byte <= '9') return KIND_NUMBER;
    return byte == ' ' || (byte >= '\t' && byte <= '\r') ? KIND_SPACE : KIND_OTHER;
}

static inline enum kind kind_at(const struct btk_pretok *pretok, size_t position,
                                size_t *out_length)
{
    const uint8_t byte = pretok->text[position];
    if (byte < 0x80) {
        *out_length = 1;
        return kind_of_ascii(byte);
    }
    return kind_of(btk_utf8_decode(pretok->text + position, out_length));
}

// The end of the run of bytes below 0x80 that are of the kind.
static inline size_t ascii_run_end(struct btk_pretok *pretok, size_t position, enum kind kind)
{
    while (position < pretok->length) {
        if (position >= pretok->window_end) fill_window(pretok, position);
        const size_t inside = position - pretok->window_begin;
        const uint64_t mask = mask_of(&pretok->masks.classes[inside / 64], kind) >> (inside % 64);
        const size_t left = 64 - inside % 64;
        const size_t ones = ~mask ? (size_t)__builtin_ctzll(~mask) : 64;
        if (ones < left) return btk_min_size(position + ones, pretok->length);
        position += left;
    }
    return pretok->length;
}

// The end of the run of characters of the kind, from `position` on.
static inline size_t run_end(struct btk_pretok *pretok, size_t position, enum kind kind)
{
    for (;;) {
        if (position < pretok->length && pretok->text[position] < 0x80)
            position = ascii_run_end(pretok, position, kind);
        size_t length;
        if (position >= pretok->length || pretok->text[position] < 0x80
            || kind_at(pretok, position, &length) != kind)
            return position;
        position += length;
    }
}

// 's 't 're 've 'm 'll 'd; 0: none of them.
static size_t contraction_length(const struct btk_pretok *pretok, size_t position)
{
    const uint8_t *const text = pretok->text + position;
    const size_t left = pretok->length - position;
    if (left < 2) return 0;
    if (text[1] == 's' || text[1] == 't' || text[1] == 'm' || text[1] == 'd') return 2;
    if (left < 3) return 0;
    return memcmp(text + 1, "re", 2) == 0 || memcmp(text + 1, "ve", 2) == 0
                   || memcmp(text + 1, "ll", 2) == 0
               ? 3
               : 0;
}

// White space: all of it at the end of the text; else all but its last character, which goes with
// what follows when it is ' ', and is a piece when it is not.
static size_t space_end(struct btk_pretok *pretok, size_t position)
{
    const size_t end = run_end(pretok, position, KIND_SPACE);
    if (end == pretok->length) return end;
    size_t last = end - 1;
    while (last > position && (pretok->text[last] & 0xc0) == 0x80) last--;
    if (last > position) return last;
    if (pretok->text[position] != ' ') return end;
    size_t length;
    return run_end(pretok, end, kind_at(pretok, end, &length));
}

static inline size_t piece_end(struct btk_pretok *pretok, size_t position)
{
    const uint8_t byte = pretok->text[position];
    // The commonest piece by far: a space and letters.
    if (byte == ' ' && position + 1 < pretok->length
        && kind_of_ascii(pretok->text[position + 1]) == KIND_LETTER)
        return run_end(pretok, position + 1, KIND_LETTER);
    if (byte == '\'') {
        const size_t length = contraction_length(pretok, position);
        if (length) return position + length;
    }
    size_t length;
    const enum kind kind = kind_at(pretok, position, &length);
    return kind == KIND_SPACE ? space_end(pretok, position)
                              : run_end(pretok, position + length, kind);
}

size_t btk_pretok_gpt2_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
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

bool btk_pretok_gpt2_first_after_space(struct btk_pretok *pretok, struct btk_piece *out_piece)
{
    size_t length;
    const enum kind kind = kind_at(pretok, 0, &length);
    size_t end = run_end(pretok, length, kind);
    if (kind == KIND_SPACE && end < pretok->length) {
        end--;
        while (end > 0 && (pretok->text[end] & 0xc0) == 0x80) end--;
    }
    *out_piece = (struct btk_piece){0, (uint32_t)end};
    return end > 0;
}
