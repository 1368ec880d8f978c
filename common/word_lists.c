// SPDX-License-Identifier: Apache-2.0
#include "common/word_lists.h"

#include <errno.h>

// Of a list without words, and of one that nobody has pointed to its words.
static const uint64_t no_words[1];

int btk_word_lists_read(struct btk_word_lists *lists, const struct btk_json *list,
                        struct btk_encode_text *out_text, const struct btk_json **out_wrong)
{
    const size_t begin = lists->bytes.length, count = btk_json_count(list);
    for (size_t i = 0; i < count; i++) {
        struct btk_bytes word;
        *out_wrong = btk_json_at(list, i);
        if (!btk_json_try_string(*out_wrong, &word)) return -EINVAL;
        if (btk_buffer_append(&lists->bytes, word.data, word.length) < 0) return -ENOMEM;
        const uint64_t end = lists->bytes.length - begin;
        if (btk_buffer_append(&lists->ends, &end, sizeof end) < 0) return -ENOMEM;
    }
    *out_text = (struct btk_encode_text){"", lists->bytes.length - begin, no_words, count};
    return 0;
}

void btk_word_lists_point(const struct btk_word_lists *lists, struct btk_word_lists_cursor *cursor,
                          struct btk_encode_text *text)
{
    if (!text->word_ends) return;
    if (text->bytes) text->data = (const char *)lists->bytes.data + cursor->byte;
    if (text->word_count)
        text->word_ends = (const uint64_t *)(const void *)lists->ends.data + cursor->word;
    cursor->byte += text->bytes;
    cursor->word += text->word_count;
}

void btk_word_lists_reset(struct btk_word_lists *lists)
{
    lists->bytes.length = 0;
    lists->ends.length = 0;
}

void btk_word_lists_clear(struct btk_word_lists *lists)
{
    btk_buffer_clear(&lists->bytes);
    btk_buffer_clear(&lists->ends);
}
