// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/added_tokens.h"

#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"

static void set_pair(struct btk_added_filter *filter, uint32_t first, uint32_t second)
{
    const uint32_t bit = first << 8 | second;
    filter->pairs[bit / 8] |= (uint8_t)(1u << bit % 8);
}

void btk_added_filter_init(struct btk_added_filter *filter, const struct btk_added_trie *trie)
{
    memset(filter, 0, sizeof *filter);
    filter->is_empty = trie->node_count < 2;
    filter->only_first = -1;
    if (filter->is_empty) return;
    const struct btk_added_node root = trie->nodes[0];
    for (uint32_t i = 0; i < root.edge_count; i++) {
        const struct btk_added_edge edge = trie->edges[root.first_edge + i];
        const struct btk_added_node node = trie->nodes[edge.node];
        filter->first[edge.byte & 0xff] = 1;
        for (uint32_t byte = 0; node.token != BTK_NO_TOKEN && byte < 256; byte++)
            set_pair(filter, edge.byte & 0xff, byte);
        for (uint32_t j = 0; j < node.edge_count; j++)
            set_pair(filter, edge.byte & 0xff, trie->edges[node.first_edge + j].byte & 0xff);
    }
    if (root.edge_count == 1) filter->only_first = (int)trie->edges[root.first_edge].byte;
}

void btk_added_finder_init(struct btk_added_finder *finder, const struct btk_added_trie *trie,
                           const struct btk_added_filter *filter, struct btk_bytes text)
{
    *finder = (struct btk_added_finder){.trie = trie, .filter = filter, .text = text};
}

static const struct btk_added_node *follow(const struct btk_added_trie *trie,
                                           const struct btk_added_node *node, uint8_t byte)
{
    uint32_t begin = node->first_edge, end = begin + node->edge_count;
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        if (trie->edges[middle].byte == byte) return &trie->nodes[trie->edges[middle].node];
        if (trie->edges[middle].byte < byte)
            begin = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

// The longest token at `position`; NULL: none.
static const struct btk_added_node *match_at(const struct btk_added_finder *finder, size_t position,
                                             size_t *out_end)
{
    const struct btk_added_node *found = NULL;
    const struct btk_added_node *node = &finder->trie->nodes[0];
    for (size_t at = position; at < finder->text.length; at++) {
        node = follow(finder->trie, node, finder->text.data[at]);
        if (!node) break;
        if (node->token == BTK_NO_TOKEN) continue;
        found = node;
        *out_end = at + 1;
    }
    return found;
}

static size_t next_first(const struct btk_added_finder *finder, size_t position)
{
    const struct btk_bytes text = finder->text;
    if (finder->filter->only_first >= 0) {
        const uint8_t *const at =
            memchr(text.data + position, finder->filter->only_first, text.length - position);
        return at ? (size_t)(at - text.data) : text.length;
    }
    while (position < text.length && !finder->filter->first[text.data[position]]) position++;
    return position;
}

// Only a token of one byte can stand at the last byte, and then all pairs of it are set.
static bool may_begin(const struct btk_added_finder *finder, size_t position)
{
    const uint32_t second =
        position + 1 < finder->text.length ? finder->text.data[position + 1] : 0;
    const uint32_t bit = (uint32_t)finder->text.data[position] << 8 | second;
    return finder->filter->pairs[bit / 8] >> bit % 8 & 1;
}

static bool is_class_before(struct btk_bytes text, size_t position, uint16_t class,
                            size_t *out_begin)
{
    if (position == 0) return false;
    size_t begin = position - 1;
    while (begin > 0 && (text.data[begin] & 0xc0) == 0x80) begin--;
    size_t length;
    *out_begin = begin;
    return btk_unicode_classes(btk_utf8_decode(text.data + begin, &length)) & class;
}

static bool is_class_after(struct btk_bytes text, size_t position, uint16_t class,
                           size_t *out_length)
{
    return position < text.length
           && (btk_unicode_classes(btk_utf8_decode(text.data + position, out_length)) & class);
}

static bool is_inside_word(struct btk_bytes text, size_t begin, size_t end)
{
    size_t unused;
    return is_class_before(text, begin, BTK_CLASS_REGEX_WORD, &unused)
           || is_class_after(text, end, BTK_CLASS_REGEX_WORD, &unused);
}

// The end of the spaces at `position`. A run that many matches begin in is walked once.
static size_t spaces_end(struct btk_added_finder *finder, size_t position)
{
    if (position >= finder->spaces_begin && position < finder->spaces_end)
        return finder->spaces_end;
    size_t end = position, length;
    while (is_class_after(finder->text, end, BTK_CLASS_REGEX_SPACE, &length)) end += length;
    finder->spaces_begin = position;
    finder->spaces_end = end;
    return end;
}

// The beginning of the spaces before `position` that no match has taken yet.
static size_t spaces_begin(const struct btk_added_finder *finder, size_t position)
{
    size_t begin = position, previous;
    while (begin > finder->taken
           && is_class_before(finder->text, begin, BTK_CLASS_REGEX_SPACE, &previous))
        begin = previous;
    return btk_max_size(begin, finder->taken);
}

static void take_spaces(struct btk_added_finder *finder, uint32_t flags,
                        struct btk_added_match *match)
{
    const size_t bare_begin = match->begin, bare_end = match->end;
    if (flags & BTK_ADDED_LSTRIP)
        match->begin =
            finder->taken < bare_begin ? spaces_begin(finder, bare_begin) : finder->taken;
    if (flags & BTK_ADDED_RSTRIP) match->end = spaces_end(finder, bare_end);
    // Spaces alone, all taken by the match before: nothing is left (there the reference panics, or
    // drops what is empty).
    match->end = btk_max_size(match->begin, match->end);
    match->has_spaces = match->begin != bare_begin || match->end != bare_end;
}

static bool is_refused(const struct btk_added_finder *finder, uint32_t flags, size_t begin,
                       size_t end)
{
    return (finder->skips_special && (flags & BTK_ADDED_SPECIAL))
           || ((flags & BTK_ADDED_SINGLE_WORD) && is_inside_word(finder->text, begin, end));
}

bool btk_added_finder_next(struct btk_added_finder *finder, struct btk_added_match *out_match)
{
    if (finder->filter->is_empty) return false;
    size_t position = finder->position;
    while ((position = next_first(finder, position)) < finder->text.length) {
        size_t end = 0;
        const struct btk_added_node *const node =
            may_begin(finder, position) ? match_at(finder, position, &end) : NULL;
        if (!node) {
            position++;
            continue;
        }
        finder->position = end;
        if (!is_refused(finder, node->flags, position, end)) {
            struct btk_added_match match = {.begin = position,
                                            .end = end,
                                            .id = node->token,
                                            .is_special = node->flags & BTK_ADDED_SPECIAL};
            take_spaces(finder, node->flags, &match);
            finder->taken = match.end;
            *out_match = match;
            return true;
        }
        position = end;
    }
    finder->position = finder->text.length;
    return false;
}
