// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/wordpiece.h"

#include "common/utf8.h"
#include "tokenizer/lookup_hash.h"

#define NO_NODE UINT32_MAX

static uint32_t follow(const struct btk_image *image, uint32_t node, uint8_t byte)
{
    const uint32_t key = node << 8 | byte;
    for (uint64_t at = btk_edge_hash(key);; at++) {
        const struct btk_edge_slot slot = image->trie_edges[at & image->trie_edge_mask];
        if (slot.key == key) return slot.child;
        if (slot.key == UINT32_MAX) return NO_NODE;
    }
}

// The longest token from the beginning of `text`; 0: none.
static size_t longest_token(const struct btk_image *image, uint32_t root, struct btk_bytes text,
                            uint32_t *out_id)
{
    size_t longest = 0;
    uint32_t node = root;
    for (size_t i = 0; i < text.length; i++) {
        node = follow(image, node, text.data[i]);
        if (node == NO_NODE) break;
        const uint32_t id = image->trie_tokens[node];
        if (id != BTK_NO_TOKEN) {
            *out_id = id;
            longest = i + 1;
        }
    }
    return longest;
}

static bool is_too_long(const struct btk_image *image, struct btk_bytes word)
{
    const uint32_t chars_max = image->config->word_chars_max;
    return word.length > chars_max && btk_utf8_count(word.data, word.length) > chars_max;
}

size_t btk_wordpiece_encode(const struct btk_image *image, struct btk_bytes word, uint32_t *out_ids,
                            uint32_t *out_lengths)
{
    size_t count = 0;
    size_t at = is_too_long(image, word) ? SIZE_MAX : 0;
    uint32_t root = 0;
    while (at < word.length) {
        const size_t length = longest_token(
            image, root, (struct btk_bytes){word.data + at, word.length - at}, &out_ids[count]);
        if (!length) break;
        out_lengths[count++] = (uint32_t)length;
        at += length;
        root = image->config->continuation_root;
    }
    if (at == word.length) return count;
    out_ids[0] = image->config->unknown_id;
    out_lengths[0] = (uint32_t)word.length;
    return 1;
}
