// SPDX-License-Identifier: Apache-2.0
#include "bench/text_source.h"

#include <string.h>

#include "common/utf8.h"

void btk_text_source_init(struct btk_text_source *source, struct btk_bytes text)
{
    *source = (struct btk_text_source){.text = text};
}

static size_t character_boundary(struct btk_bytes text, size_t at)
{
    while (at < text.length && at > 0 && (text.data[at] & 0xc0) == 0x80) at--;
    return at;
}

struct btk_bytes btk_text_source_next(struct btk_text_source *source, size_t bytes)
{
    const struct btk_bytes text = source->text;
    bytes = btk_min_size(bytes, text.length);
    if (text.length - source->position < bytes) source->position = 0;
    const size_t begin = source->position;
    size_t end = character_boundary(text, begin + bytes);
    if (end <= begin) end = btk_min_size(begin + btk_utf8_length(text.data[begin]), text.length);
    source->position = end < text.length ? end : 0;
    return (struct btk_bytes){text.data + begin, end - begin};
}

struct btk_bytes btk_text_source_next_line(struct btk_text_source *source)
{
    const struct btk_bytes text = source->text;
    for (unsigned rounds = 0; rounds < 2;) {
        const size_t begin = source->position;
        const uint8_t *const newline = memchr(text.data + begin, '\n', text.length - begin);
        size_t end = newline ? (size_t)(newline - text.data) : text.length;
        const size_t next = end + (newline != NULL);
        source->position = next < text.length ? next : 0;
        if (newline && end > begin && text.data[end - 1] == '\r') end--;
        if (end > begin) return (struct btk_bytes){text.data + begin, end - begin};
        rounds += source->position == 0;
    }
    return text;
}
