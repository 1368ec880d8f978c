// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/model/wordpiece.h"

#include <errno.h>

#include "common/utf8.h"
#include "tokenizer/model/trie.h"

// The longest token from the beginning of `text`; 0: none.
static size_t longest_token(const struct btk_image *image, uint32_t root, struct btk_bytes text,
                            uint32_t *out_id)
{
    size_t longest = 0;
    uint32_t node = root;
    for (size_t i = 0; i < text.length; i++) {
        node = btk_trie_follow(image, node, text.data[i]);
        if (node == BTK_NO_NODE) break;
        const uint32_t id = image->trie[node].token;
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

int btk_wordpiece_encode(const struct btk_image *image, struct btk_bytes word, uint32_t *out_ids,
                         uint32_t *out_places, size_t *out_count)
{
    size_t count = 0;
    size_t at = is_too_long(image, word) ? SIZE_MAX : 0;
    uint32_t root = 0;
    while (at < word.length) {
        const size_t length = longest_token(
            image, root, (struct btk_bytes){word.data + at, word.length - at}, &out_ids[count]);
        if (!length) break;
        out_places[2 * count] = (uint32_t)at;
        out_places[2 * count++ + 1] = (uint32_t)(at += length);
        root = image->config->continuation_root;
    }
    *out_count = count;
    if (at == word.length) return 0;
    if (image->config->unknown_id == BTK_NO_TOKEN) return -ENODATA;
    out_ids[0] = image->config->unknown_id;
    out_places[0] = 0;
    out_places[1] = (uint32_t)word.length;
    *out_count = 1;
    return 0;
}
