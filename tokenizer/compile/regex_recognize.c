// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/regex_recognize.h"

#include <string.h>

#include "kernels/pretok/pattern_sources.h"

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

enum btk_pattern btk_regex_recognize(struct btk_bytes pattern, enum btk_regex_dialect dialect)
{
    for (size_t i = 0; i < BTK_ARRAY_COUNT(sources); i++)
        if (sources[i].dialect == dialect && strlen(sources[i].text) == pattern.length
            && memcmp(sources[i].text, pattern.data, pattern.length) == 0)
            return sources[i].pattern;
    return BTK_PATTERN_COUNT;
}
