// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/bpe_cut.h"

#include "common/utf8.h"
#include "tokenizer/lookup_hash.h"

static bool is_joined(const struct btk_image *image, uint32_t left, uint32_t right)
{
    const uint64_t key = (uint64_t)left << 32 | right;
    for (uint64_t at = btk_merge_hash(key);; at++) {
        const uint64_t slot = image->cut_pairs[at & image->cut_mask];
        if (slot == key) return true;
        if (slot == UINT64_MAX) return false;
    }
}

static bool is_known(const struct btk_image *image, uint32_t code_point)
{
    const uint32_t id =
        code_point < 0x80 ? image->byte_ids[code_point] : btk_bpe_find_char(image, code_point, 0);
    return id != BTK_NO_TOKEN;
}

// Beyond the classes.
static bool is_rare_cut(const struct btk_image *image, uint32_t left, uint32_t right)
{
    return !is_joined(image, left, right) && is_known(image, left) && is_known(image, right);
}

static inline bool has_bit(const uint64_t *bits, uint32_t left, uint32_t right)
{
    return bits[left * BTK_CUT_ROW_WORDS + right / 64] >> right % 64 & 1;
}

bool btk_bpe_is_cut(const struct btk_image *image, uint32_t left, uint32_t right)
{
    const uint32_t row = btk_cut_class(left), column = btk_cut_class(right);
    return row != BTK_CUT_NO_CLASS && column != BTK_CUT_NO_CLASS
               ? has_bit(image->cut_bits, row, column)
               : is_rare_cut(image, left, right);
}

// The class of the character at `text`; BTK_CUT_NO_CLASS.
static inline uint32_t class_at(const uint8_t *text, size_t left, size_t *out_length)
{
    *out_length = 1;
    if (text[0] < 0x80) return text[0];
    *out_length = BTK_SPACE_MARK_BYTES;
    return btk_begins_with_space_mark(text, left) ? 0x80 : BTK_CUT_NO_CLASS;
}

// Goes on from a character of a class, past all that have one and are no cuts. Returns where it stands:
// before a cut, before a character without a class, or at the end.
static inline size_t skip_classes(const uint64_t *bits, struct btk_bytes piece, size_t at,
                                  uint32_t left, bool *out_is_cut)
{
    size_t length;
    *out_is_cut = false;
    for (; at < piece.length; at += length) {
        const uint32_t right = class_at(piece.data + at, piece.length - at, &length);
        if (right == BTK_CUT_NO_CLASS) break;
        *out_is_cut = has_bit(bits, left, right);
        if (*out_is_cut) break;
        left = right;
    }
    return at;
}

// Where the character before `at` begins.
static size_t back(struct btk_bytes piece, size_t at)
{
    at--;
    while (at > 0 && (piece.data[at] & 0xc0) == 0x80) at--;
    return at;
}

size_t btk_bpe_next_cut(const struct btk_image *image, struct btk_bytes piece, size_t begin)
{
    size_t length;
    bool is_found = false;
    const uint32_t first = class_at(piece.data + begin, piece.length - begin, &length);
    size_t at = begin;
    if (first != BTK_CUT_NO_CLASS)
        at = skip_classes(image->cut_bits, piece, begin + length, first, &is_found);
    else
        at += btk_utf8_length(piece.data[at]);
    while (!is_found && at < piece.length) {
        const uint32_t left = btk_utf8_decode(piece.data + back(piece, at), &length);
        const uint32_t right = btk_utf8_decode(piece.data + at, &length);
        if (btk_bpe_is_cut(image, left, right)) return at;
        at += length;
        const uint32_t class = btk_cut_class(right);
        if (class != BTK_CUT_NO_CLASS)
            at = skip_classes(image->cut_bits, piece, at, class, &is_found);
    }
    return btk_min_size(at, piece.length);
}
