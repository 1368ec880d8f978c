// SPDX-License-Identifier: Apache-2.0
// BertPreTokenizer (pattern_list.h): white space separates, punctuation stands alone.
//
// 64 bytes at a time. The kernel has classed the ASCII ones; what it is not sure of is looked up and
// its bits are set in the same masks. Then where pieces begin and where they end is algebra, and the
// n-th beginning belongs to the n-th end: pieces do not overlap.
//
//     text          h i ,   y o u ! !
//     word          1 1 0 0 1 1 1 0 0
//     punctuation   0 0 1 0 0 0 0 1 1
//     begins        1 0 1 0 1 0 0 1 1
//     ends behind   0 1 1 0 0 0 1 1 1
#include <stdbool.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"

static void fill_window(struct btk_pretok *pretok, size_t position)
{
    const size_t bytes = btk_min_size(pretok->length - position, BTK_PRETOK_WINDOW_BYTES);
    pretok->kernels->bert_masks(pretok->text + position, bytes, pretok->masks.bert);
    pretok->window_begin = position;
    pretok->window_end = position + bytes;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

// Lead bytes whose characters are all parts of words: Latin, Greek without U+0370-U+03bf, Cyrillic up
// to U+047f, and the ideographs U+4000-U+9fff. A test holds this against the classes.
static inline bool is_word_lead(uint8_t lead)
{
    return (lead >= 0xc3 && lead <= 0xcc) || (lead >= 0xcf && lead <= 0xd1)
           || (lead >= 0xe4 && lead <= 0xe9);
}

// Control characters are rare, and \v and \f among them are white space: the table knows.
static uint16_t classes_at(const struct btk_pretok *pretok, size_t position, size_t *out_length)
{
    *out_length = btk_utf8_length(pretok->text[position]);
    if (is_word_lead(pretok->text[position])) return 0;
    return btk_unicode_classes(btk_utf8_decode(pretok->text + position, out_length))
           & (BTK_CLASS_WHITESPACE | BTK_CLASS_BERT_PUNCTUATION);
}

// A block as the algebra wants it.
struct block {
    uint64_t apart; // bytes of white space and of punctuation, and what is behind the end
    uint64_t first; // the first byte of each punctuation
    uint64_t last;  // the last one, when it is in this block
};

// Looks up what the kernel is not sure of in the block at `base`. A character that began in the block
// before is looked up again.
static void look_up(const struct btk_pretok *pretok, size_t base, uint64_t unsure,
                    struct block *block)
{
    while (unsure) {
        const int at = __builtin_ctzll(unsure);
        size_t position = base + (size_t)at;
        while (is_continuation(pretok->text[position])) position--;
        size_t length;
        const uint16_t classes = classes_at(pretok, position, &length);
        const size_t end = position + length - base; // behind it, and above 0
        const uint64_t bytes = (end < 64 ? (1ull << end) - 1 : ~0ull) & (~0ull << at);
        unsure &= ~bytes;
        if (!classes) continue;
        block->apart |= bytes;
        if (!(classes & BTK_CLASS_BERT_PUNCTUATION)) continue;
        if (position >= base) block->first |= 1ull << at;
        if (end <= 64) block->last |= 1ull << (end - 1);
    }
}

static struct block block_at(struct btk_pretok *pretok, size_t base)
{
    if (base >= pretok->length) return (struct block){~0ull, 0, 0};
    if (base >= pretok->window_end) fill_window(pretok, base);
    const struct btk_bert_masks *const masks =
        &pretok->masks.bert[(base - pretok->window_begin) / 64];
    struct block block = {masks->space | masks->punctuation, masks->punctuation,
                          masks->punctuation};
    const uint64_t unsure = masks->high | masks->control;
    if (unsure) look_up(pretok, base, unsure, &block);
    const size_t bytes = pretok->length - base;
    if (bytes < 64) block.apart |= ~0ull << bytes;
    return block;
}

// Where pieces begin in the next block, and behind which byte they end. The end of the text is a block
// of its own when it is where one begins.
static inline void take_block(struct btk_pretok *pretok)
{
    struct btk_pretok_bert *const bert = &pretok->bert;
    const struct block block = block_at(pretok, pretok->position);
    const uint64_t word = ~block.apart;
    const uint64_t shifted = word << 1 | bert->was_word;
    bert->begins = (word & ~shifted) | block.first;
    bert->ends = (shifted & ~word) | block.last << 1 | bert->was_last;
    bert->was_word = word >> 63;
    bert->was_last = block.last >> 63;
    bert->base = pretok->position;
    pretok->position = btk_min_size(pretok->position + 64, pretok->length);
}

static inline bool has_block(const struct btk_pretok *pretok)
{
    return pretok->position < pretok->length || pretok->bert.was_word || pretok->bert.was_last;
}

// All pieces of the block; what has begun and does not end in it stands behind them.
static inline size_t put_block(struct btk_pretok_bert *bert, struct btk_piece *out)
{
    const uint32_t base = (uint32_t)bert->base;
    size_t begun = bert->is_open, ended = 0;
    for (uint64_t bits = bert->begins; bits; bits &= bits - 1)
        out[begun++].begin = base + (uint32_t)__builtin_ctzll(bits);
    for (uint64_t bits = bert->ends; bits; bits &= bits - 1)
        out[ended++].end = base + (uint32_t)__builtin_ctzll(bits);
    bert->begins = bert->ends = 0;
    bert->is_open = begun > ended;
    return ended;
}

// One piece of the block. false: there is no more that ends in it.
static bool try_put_one(struct btk_pretok_bert *bert, struct btk_piece *out)
{
    if (!bert->is_open && bert->begins) {
        bert->open_begin = (uint32_t)bert->base + (uint32_t)__builtin_ctzll(bert->begins);
        bert->begins &= bert->begins - 1;
        bert->is_open = true;
    }
    if (!bert->ends) return false;
    *out = (struct btk_piece){bert->open_begin,
                              (uint32_t)bert->base + (uint32_t)__builtin_ctzll(bert->ends)};
    bert->ends &= bert->ends - 1;
    bert->is_open = false;
    return true;
}

// Where there is no room for all of a block.
static size_t put_singly(struct btk_pretok *pretok, struct btk_piece *out_pieces, size_t capacity)
{
    size_t count = 0;
    while (count < capacity) {
        if (try_put_one(&pretok->bert, &out_pieces[count])) {
            count++;
        } else {
            if (!has_block(pretok)) break;
            take_block(pretok);
        }
    }
    return count;
}

enum { BLOCK_PIECES = 65 }; // one that is open, and one that begins at every byte

size_t btk_pretok_bert_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                            size_t capacity)
{
    struct btk_pretok_bert *const bert = &pretok->bert;
    if (capacity < BLOCK_PIECES || bert->begins || bert->ends)
        return put_singly(pretok, out_pieces, capacity);
    size_t count = 0;
    out_pieces[0].begin = bert->open_begin;
    while (capacity - count >= BLOCK_PIECES && has_block(pretok)) {
        take_block(pretok);
        count += put_block(bert, out_pieces + count);
    }
    if (bert->is_open) bert->open_begin = out_pieces[count].begin;
    return count;
}
