// SPDX-License-Identifier: Apache-2.0
#include "bench/text_cut.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"

static bool is_inside(struct btk_bytes text, size_t at)
{
    return at < text.length && (text.data[at] & 0xc0) == 0x80;
}

struct btk_text_parts btk_text_split(struct btk_bytes text)
{
    struct btk_text_parts parts = {{NULL, 0}, text};
    if (text.length <= BTK_CUT_WARM_UP_BYTES) return parts;
    size_t begin = text.length - BTK_CUT_WARM_UP_BYTES;
    while (is_inside(text, begin)) begin++;
    size_t end = btk_min_size(begin, BTK_CUT_BODY_BYTES);
    while (end && is_inside(text, end)) end--;
    parts.body = (struct btk_bytes){text.data, end};
    parts.warm_up = (struct btk_bytes){text.data + begin, text.length - begin};
    return parts;
}

// The last `byte` in [begin, end), or SIZE_MAX.
static size_t find_last(struct btk_bytes text, uint8_t byte, size_t begin, size_t end)
{
    if (begin >= end) return SIZE_MAX;
    const uint8_t *const found = memrchr(text.data + begin, byte, end - begin);
    return found ? (size_t)(found - text.data) : SIZE_MAX;
}

static size_t piece_end(struct btk_bytes body, size_t begin, size_t chunk_bytes)
{
    size_t end = btk_min_size(begin + chunk_bytes, body.length);
    if (end == body.length) return end;
    const size_t newline = find_last(body, '\n', begin + chunk_bytes / 2, end);
    if (newline != SIZE_MAX) return newline + 1;
    const size_t space = find_last(body, ' ', begin + chunk_bytes / 2, end);
    if (space != SIZE_MAX && space > begin) return space;
    while (end > begin && is_inside(body, end)) end--;
    return end;
}

static bool is_blank(struct btk_bytes piece)
{
    for (size_t i = 0; i < piece.length; i++)
        if (piece.data[i] != ' ' && (piece.data[i] < '\t' || piece.data[i] > '\r')) return false;
    return true;
}

// Pieces by their hash, to find those that were there before.
struct seen {
    uint32_t *slots; // index + 1
    size_t mask;
};

static bool try_note(struct seen *seen, const struct btk_pieces *pieces, struct btk_bytes piece)
{
    uint64_t at = btk_hash_xxh3(piece.data, piece.length, 0);
    for (; seen->slots[at & seen->mask]; at++) {
        const struct btk_bytes other = pieces->pieces[seen->slots[at & seen->mask] - 1];
        if (other.length == piece.length && memcmp(other.data, piece.data, piece.length) == 0)
            return false;
    }
    seen->slots[at & seen->mask] = (uint32_t)pieces->count + 1;
    return true;
}

static void add(struct btk_pieces *pieces, struct btk_bytes piece)
{
    pieces->pieces[pieces->count++] = piece;
    pieces->bytes += piece.length;
}

static int allocate(struct btk_pieces *pieces, size_t count_max)
{
    *pieces = (struct btk_pieces){.pieces = malloc((count_max + 1) * sizeof *pieces->pieces)};
    return pieces->pieces ? 0 : -ENOMEM;
}

int btk_pieces_cut(struct btk_bytes body, size_t chunk_bytes, struct btk_pieces *out_pieces)
{
    // A piece ends in the second half of its chunk, or a few bytes before its end.
    const size_t count_max = body.length / (chunk_bytes / 2 ? chunk_bytes / 2 : 1) + 1;
    size_t slot_count = 16;
    while (slot_count < 2 * count_max) slot_count *= 2;
    struct seen seen = {calloc(slot_count, sizeof(uint32_t)), slot_count - 1};
    if (!seen.slots || allocate(out_pieces, count_max) < 0) {
        free(seen.slots);
        return -ENOMEM;
    }
    for (size_t begin = 0; begin < body.length && out_pieces->count < count_max;) {
        const size_t end = piece_end(body, begin, chunk_bytes);
        const struct btk_bytes piece = {body.data + begin, end - begin};
        if (!is_blank(piece) && try_note(&seen, out_pieces, piece)) add(out_pieces, piece);
        begin = end > begin ? end : begin + 1;
    }
    free(seen.slots);
    return 0;
}

int btk_pieces_lines(struct btk_bytes body, struct btk_pieces *out_pieces)
{
    size_t count = 1;
    for (size_t i = 0; i < body.length; i++) count += body.data[i] == '\n';
    if (allocate(out_pieces, count) < 0) return -ENOMEM;
    for (size_t begin = 0; begin < body.length;) {
        const uint8_t *const newline = memchr(body.data + begin, '\n', body.length - begin);
        const size_t end = newline ? (size_t)(newline - body.data) : body.length;
        add(out_pieces, (struct btk_bytes){body.data + begin, end - begin});
        begin = end + 1;
    }
    return 0;
}

int btk_pieces_whole(struct btk_bytes body, struct btk_pieces *out_pieces)
{
    if (allocate(out_pieces, 1) < 0) return -ENOMEM;
    add(out_pieces, body);
    return 0;
}

void btk_pieces_clear(struct btk_pieces *pieces)
{
    free(pieces->pieces);
    *pieces = (struct btk_pieces){0};
}
