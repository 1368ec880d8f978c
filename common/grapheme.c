// SPDX-License-Identifier: Apache-2.0
// Extended grapheme clusters: UAX 29 (Unicode 17), rules GB3 to GB999, from left to right.
#include "common/unicode_normal.h"
#include "common/utf8.h"

// What stands before a place, as far as a rule asks. A cluster is looked at from its beginning: all
// that the rules look back at is inside of it.
struct context {
    enum btk_grapheme_class before;
    bool is_pictograph;   // GB11: a pictograph and extenders,
    bool is_joined;       //       and then a joiner
    bool is_conjunct;     // GB9c: a consonant, linkers and extenders,
    bool has_linker;      //       at least one linker
    bool is_odd_regional; // GB12, GB13
};

static void advance(struct context *context, uint16_t bits)
{
    const enum btk_grapheme_class class = (bits & BTK_NORMAL_CLUSTER) >> BTK_NORMAL_CLUSTER_SHIFT;
    context->is_joined = context->is_pictograph && class == BTK_GRAPHEME_ZWJ;
    context->is_pictograph = class == BTK_GRAPHEME_PICTOGRAPH
                             || (context->is_pictograph && class == BTK_GRAPHEME_EXTEND);
    const bool is_between = bits & (BTK_NORMAL_LINKER | BTK_NORMAL_EXTENDER);
    context->is_conjunct = class == BTK_GRAPHEME_CONSONANT || (context->is_conjunct && is_between);
    context->has_linker = is_between && (context->has_linker || (bits & BTK_NORMAL_LINKER));
    context->is_odd_regional = class == BTK_GRAPHEME_REGIONAL && !context->is_odd_regional;
    context->before = class;
}

static bool is_control(enum btk_grapheme_class class)
{
    return class == BTK_GRAPHEME_CONTROL || class == BTK_GRAPHEME_CR || class == BTK_GRAPHEME_LF;
}

// GB6, GB7, GB8
static bool joins_hangul(enum btk_grapheme_class before, enum btk_grapheme_class after)
{
    switch (before) {
    case BTK_GRAPHEME_L:
        return after == BTK_GRAPHEME_L || after == BTK_GRAPHEME_V || after == BTK_GRAPHEME_LV
               || after == BTK_GRAPHEME_LVT;
    case BTK_GRAPHEME_LV:
    case BTK_GRAPHEME_V: return after == BTK_GRAPHEME_V || after == BTK_GRAPHEME_T;
    case BTK_GRAPHEME_LVT:
    case BTK_GRAPHEME_T: return after == BTK_GRAPHEME_T;
    default: return false;
    }
}

static bool joins(const struct context *context, uint16_t bits)
{
    const enum btk_grapheme_class before = context->before;
    const enum btk_grapheme_class after = (bits & BTK_NORMAL_CLUSTER) >> BTK_NORMAL_CLUSTER_SHIFT;
    if (before == BTK_GRAPHEME_CR && after == BTK_GRAPHEME_LF) return true;
    if (is_control(before) || is_control(after)) return false;
    if (joins_hangul(before, after)) return true;
    if (after == BTK_GRAPHEME_EXTEND || after == BTK_GRAPHEME_ZWJ || after == BTK_GRAPHEME_SPACING
        || before == BTK_GRAPHEME_PREPEND)
        return true;
    if (after == BTK_GRAPHEME_CONSONANT) return context->is_conjunct && context->has_linker;
    if (after == BTK_GRAPHEME_PICTOGRAPH) return context->is_joined;
    return after == BTK_GRAPHEME_REGIONAL && context->is_odd_regional;
}

size_t btk_grapheme_end(const uint8_t *text, size_t length, size_t begin)
{
    struct context context = {.before = BTK_GRAPHEME_OTHER};
    size_t at = begin, bytes;
    advance(&context, btk_unicode_normal_bits(btk_utf8_decode(text + at, &bytes)));
    for (at += bytes; at < length; at += bytes) {
        if (text[at] >= 0x20 && text[at] < 0x7f && context.before != BTK_GRAPHEME_PREPEND) break;
        const uint16_t bits = btk_unicode_normal_bits(btk_utf8_decode(text + at, &bytes));
        if (!joins(&context, bits)) break;
        advance(&context, bits);
    }
    return at;
}
