// SPDX-License-Identifier: Apache-2.0
// BertPreTokenizer (pattern_list.h): white space separates, punctuation stands alone.
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

// Control characters are rare, and \v and \f among them are white space: the table knows.
static uint16_t classes_at(const struct btk_pretok *pretok, size_t position, size_t *out_length)
{
    return btk_unicode_classes(btk_utf8_decode(pretok->text + position, out_length))
           & (BTK_CLASS_WHITESPACE | BTK_CLASS_BERT_PUNCTUATION);
}

// The next byte at or after `position` that is not surely inside of a word; *out_is_unsure: whether
// it has to be looked up.
static inline size_t word_stop(struct btk_pretok *pretok, size_t position, bool *out_is_unsure)
{
    while (position < pretok->length) {
        if (position >= pretok->window_end) fill_window(pretok, position);
        const size_t inside = position - pretok->window_begin;
        const struct btk_bert_masks *const masks = &pretok->masks.bert[inside / 64];
        const uint64_t unsure = (masks->high | masks->control) >> (inside % 64);
        const uint64_t stop = unsure | (masks->space | masks->punctuation) >> (inside % 64);
        if (stop) {
            const int at = __builtin_ctzll(stop);
            *out_is_unsure = unsure >> at & 1;
            return position + (size_t)at;
        }
        position += 64 - inside % 64;
    }
    *out_is_unsure = false;
    return pretok->length;
}

// The end of the word at `position`, which may be empty; *out_length and *out_classes are of the
// character there, 0 at the end of the text.
static size_t word_end(struct btk_pretok *pretok, size_t position, size_t *out_length,
                       uint16_t *out_classes)
{
    for (;;) {
        bool is_unsure;
        position = word_stop(pretok, position, &is_unsure);
        *out_classes = 0;
        *out_length = 0;
        if (position >= pretok->length) return pretok->length;
        if (!is_unsure) {
            const uint8_t byte = pretok->text[position];
            *out_length = 1;
            *out_classes = byte == ' ' || (byte >= '\t' && byte <= '\r')
                               ? BTK_CLASS_WHITESPACE
                               : BTK_CLASS_BERT_PUNCTUATION;
            return position;
        }
        *out_classes = classes_at(pretok, position, out_length);
        if (*out_classes) return position;
        position += *out_length;
    }
}

size_t btk_pretok_bert_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                            size_t capacity)
{
    size_t count = 0;
    while (count + 2 <= capacity && pretok->position < pretok->length) {
        const size_t begin = pretok->position;
        size_t length;
        uint16_t classes;
        const size_t end = word_end(pretok, begin, &length, &classes);
        if (end > begin) out_pieces[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)end};
        if (classes & BTK_CLASS_BERT_PUNCTUATION)
            out_pieces[count++] = (struct btk_piece){(uint32_t)end, (uint32_t)(end + length)};
        pretok->position = end + length;
    }
    return count;
}
