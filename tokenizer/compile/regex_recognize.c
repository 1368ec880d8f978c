// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_recognize.h"

#include <string.h>

#include "kernels/pretok/pattern_sources.h"
#include "tokenizer/compile/regex_canonical.h"
#include "tokenizer/compile/regex_parse.h"

// Longer ones are like none that is known, and are not looked at.
enum { KNOWN_BYTES_MAX = 4096 };

// The list of sources has small names.
enum {
#define PATTERN(name, NAME, source) pattern_##name = BTK_PATTERN_##NAME,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
};

static const struct source {
    enum btk_pattern pattern;
    enum btk_regex_dialect dialect;
    const char *text;
} sources[] = {
#define SOURCE(name, dialect, text) {(enum btk_pattern)pattern_##name, BTK_REGEX_##dialect, text},
    BTK_SOURCE_LIST(SOURCE)
#undef SOURCE
};

// False: it is no pattern, or there is no memory.
static bool append_form(struct btk_bytes pattern, enum btk_regex_dialect dialect,
                        struct btk_buffer *out)
{
    struct btk_arena arena;
    struct btk_regex_node *tree;
    btk_arena_init(&arena);
    const bool is_made = btk_regex_parse(pattern, dialect, &arena, &tree, NULL) == 0
                         && btk_regex_canonical(&arena, &tree, out) == 0;
    btk_arena_clear(&arena);
    return is_made;
}

static struct btk_bytes source_text(const struct source *source)
{
    return (struct btk_bytes){(const uint8_t *)source->text, strlen(source->text)};
}

static bool means(const struct source *source, const struct btk_buffer *form)
{
    struct btk_buffer own;
    btk_buffer_init(&own);
    const bool is_same = append_form(source_text(source), source->dialect, &own)
                         && own.length == form->length
                         && memcmp(own.data, form->data, own.length) == 0;
    btk_buffer_clear(&own);
    return is_same;
}

static bool is_spelt(const struct source *source, struct btk_bytes pattern,
                     enum btk_regex_dialect dialect)
{
    const struct btk_bytes text = source_text(source);
    return source->dialect == dialect && text.length == pattern.length
           && memcmp(text.data, pattern.data, text.length) == 0;
}

enum btk_pattern btk_regex_recognize(struct btk_bytes pattern, enum btk_regex_dialect dialect)
{
    struct btk_buffer form;
    enum btk_pattern found = BTK_PATTERN_COUNT;
    if (pattern.length > KNOWN_BYTES_MAX) return BTK_PATTERN_COUNT;
    for (size_t i = 0; i < BTK_ARRAY_COUNT(sources); i++)
        if (is_spelt(&sources[i], pattern, dialect)) return sources[i].pattern;
    btk_buffer_init(&form);
    if (append_form(pattern, dialect, &form))
        for (size_t i = 0; i < BTK_ARRAY_COUNT(sources) && found == BTK_PATTERN_COUNT; i++)
            if (means(&sources[i], &form)) found = sources[i].pattern;
    btk_buffer_clear(&form);
    return found;
}
