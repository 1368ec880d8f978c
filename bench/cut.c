// SPDX-License-Identifier: Apache-2.0
#include "bench/cut.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

static bool is_inside_character(struct btk_bytes text, size_t at)
{
    return at < text.length && (text.data[at] & 0xc0) == 0x80;
}

void btk_cut_split(struct btk_bytes text, size_t limit_bytes, struct btk_bytes *out_body,
                   struct btk_bytes *out_warm_up)
{
    size_t warm_up = text.length;
    if (text.length > BTK_CUT_WARM_UP_BYTES) {
        warm_up = text.length - BTK_CUT_WARM_UP_BYTES;
        while (is_inside_character(text, warm_up)) warm_up++;
    }
    size_t end = btk_min_size(warm_up, limit_bytes);
    while (end && is_inside_character(text, end)) end--;
    *out_body = (struct btk_bytes){text.data, end};
    *out_warm_up = (struct btk_bytes){text.data + warm_up, text.length - warm_up};
}

// The last `byte` in [begin, end), or `end`.
static size_t find_last(struct btk_bytes text, uint8_t byte, size_t begin, size_t end)
{
    const uint8_t *const found = memrchr(text.data + begin, byte, end - begin);
    return found ? (size_t)(found - text.data) : end;
}

static size_t piece_end(struct btk_bytes text, size_t begin, size_t piece_bytes)
{
    if (text.length - begin <= piece_bytes) return text.length;
    size_t end = begin + piece_bytes;
    const size_t half = begin + piece_bytes / 2;
    const size_t newline = find_last(text, '\n', half, end);
    if (newline < end) return newline + 1;
    const size_t space = find_last(text, ' ', half, end);
    if (space < end) return space;
    while (is_inside_character(text, end)) end--;
    return end;
}

// Nothing but ASCII white space, as Python's bytes.strip() has it.
static bool is_blank(struct btk_bytes piece)
{
    for (size_t i = 0; i < piece.length; i++)
        if (piece.data[i] != ' ' && (piece.data[i] < '\t' || piece.data[i] > '\r')) return false;
    return true;
}

// Pieces by their hash: slots hold an index into the list and 1, or 0 for none.
struct piece_set {
    uint32_t *slots;
    size_t mask;
};

static bool try_add(const struct piece_set *set, struct btk_cut_list *list, struct btk_bytes piece)
{
    size_t at = btk_hash_xxh3(piece.data, piece.length, 0) & set->mask;
    for (; set->slots[at]; at = (at + 1) & set->mask) {
        const struct btk_bytes other = list->pieces[set->slots[at] - 1];
        if (other.length == piece.length && memcmp(other.data, piece.data, piece.length) == 0)
            return false;
    }
    list->pieces[list->count++] = piece;
    list->bytes += piece.length;
    set->slots[at] = (uint32_t)list->count;
    return true;
}

int btk_cut_pieces(struct btk_bytes text, size_t piece_bytes, struct btk_cut_list *out_list)
{
    // No piece but the last is shorter than half of piece_bytes; of tiny ones, than a byte.
    const size_t bound = text.length / (piece_bytes < 8 ? 1 : piece_bytes / 2) + 1;
    struct piece_set set = {.mask = 1};
    while (set.mask < 2 * bound) set.mask *= 2;
    set.slots = calloc(set.mask, sizeof *set.slots);
    set.mask--;
    struct btk_cut_list list = {.pieces = malloc(bound * sizeof *list.pieces)};
    if (!set.slots || !list.pieces) {
        free(set.slots);
        free(list.pieces);
        return -ENOMEM;
    }
    for (size_t begin = 0; begin < text.length;) {
        const size_t end = piece_end(text, begin, piece_bytes);
        const struct btk_bytes piece = {text.data + begin, end - begin};
        if (!is_blank(piece)) (void)try_add(&set, &list, piece);
        begin = end;
    }
    free(set.slots);
    *out_list = list;
    return 0;
}

int btk_cut_lines(struct btk_bytes text, struct btk_cut_list *out_list)
{
    size_t bound = 1;
    for (size_t i = 0; i < text.length; i++) bound += text.data[i] == '\n';
    struct btk_cut_list list = {.pieces = malloc(bound * sizeof *list.pieces)};
    if (!list.pieces) return -ENOMEM;
    for (size_t begin = 0; begin < text.length;) {
        const uint8_t *const newline = memchr(text.data + begin, '\n', text.length - begin);
        const size_t end = newline ? (size_t)(newline - text.data) : text.length;
        const bool has_return = newline && end > begin && text.data[end - 1] == '\r';
        const struct btk_bytes line = {text.data + begin, end - begin - has_return};
        list.pieces[list.count++] = line;
        list.bytes += line.length;
        begin = end + 1;
    }
    *out_list = list;
    return 0;
}

int btk_cut_whole(struct btk_bytes text, struct btk_cut_list *out_list)
{
    struct btk_bytes *const piece = malloc(sizeof *piece);
    if (!piece) return -ENOMEM;
    *piece = text;
    *out_list = (struct btk_cut_list){.pieces = piece, .count = 1, .bytes = text.length};
    return 0;
}

void btk_cut_clear(struct btk_cut_list *list)
{
    free(list->pieces);
    *list = (struct btk_cut_list){0};
}
