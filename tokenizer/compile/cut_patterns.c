// SPDX-License-Identifier: Apache-2.0
// Where the patterns of kernels/pretok always end a piece.
//
// A pattern walks from left to right and looks back at nothing. So if each piece that begins before
// x|y ends there at the latest and is the same when the text ends there, the next one begins at y, as it
// does when the text begins there. The proofs, for members of the family of words.h (w: letters of its words, n: numbers, o: P
// and S, which are in `other` and nowhere else):
//
//   w | not w      The piece that x is in is a word, which ends before what is no letter, or at the end of
//                  the text; it is in one by itself or behind one character, before which nothing
//                  depends on what comes behind the letter. If words have contractions, y is no "'". (What x is of a
//                  contraction is complete, or it is none: the next letter would have to be y.)
//   n | not n      Numbers end there, and groups of digits are counted from their beginning.
//   o | blank      Punctuation ends there. o | newline is one where [\r\n]* does not follow `other`.
//   o | n          Punctuation ends there, too, and goes before no number.
//   o | w          Only where it may not stand before a word, and is no "'".
//   newline | not space   Where \s*[\r\n]+ is a piece, and y is no "/" of [\r\n/]*: white space that ends in a
//                  newline ends there in all alternatives, and nothing else takes newlines but behind `other`.
//
// Never between two spaces, or behind one: what is before the last one of a run depends on what follows.
// Marks (M) are not looked at. Letters, numbers and others of Han and kana are apart in some of the patterns: only those
// that are not, or all of whose runs are pieces of their own, are looked at.
#include "common/unicode.h"
#include "kernels/pretok/walk.h"
#include "tokenizer/compile/cut_relation.h"

struct family {
    uint32_t word;    // what a word is made of: y is none of these
    uint32_t letters; // those of them that x may be
    uint32_t alone;   // runs of these are pieces; x may be a letter of these
    bool has_contractions_behind;
    bool has_newlines;
    bool takes_newlines; // `other` takes those behind it
    bool takes_slashes;  // and '/' among these
    bool stands_before;  // P and S may stand before a word
};

// Han and kana beyond what "common" is: also letters.
enum { EAST = SET(HAN_COMMON) | SET_KANA };

#define CL100K_FAMILY                                                                              \
    {                                                                                              \
        .word = SET_L, .letters = SET_L, .has_newlines = true, .takes_newlines = true,             \
        .stands_before = true                                                                      \
    }

static const struct family families[BTK_PATTERN_COUNT] = {
    [BTK_PATTERN_GPT2] = {.word = SET_L, .letters = SET_L},
    [BTK_PATTERN_STARCODER] = {.word = SET_L, .letters = SET_L},
    [BTK_PATTERN_CL100K] = CL100K_FAMILY,
    [BTK_PATTERN_CL100K_BASE] = CL100K_FAMILY,
    [BTK_PATTERN_CL100K_LONG_NUMBERS] = CL100K_FAMILY,
    [BTK_PATTERN_CL100K_BASE_LONG_NUMBERS] = CL100K_FAMILY,
    [BTK_PATTERN_MINICPM5] = CL100K_FAMILY,
    [BTK_PATTERN_QWEN2] = CL100K_FAMILY,
    [BTK_PATTERN_QWEN2_WITHOUT_CONTRACTIONS] = CL100K_FAMILY,
    [BTK_PATTERN_SEED_CODER] = {.word = SET_L,
                                .letters = SET_L,
                                .has_newlines = true,
                                .stands_before = true},
    [BTK_PATTERN_QWEN35] = {.word = SET_L | SET_M,
                            .letters = SET_L,
                            .has_newlines = true,
                            .takes_newlines = true,
                            .stands_before = true},
    [BTK_PATTERN_O200K] = {.word = SET_L | SET_M,
                           .letters = SET_L,
                           .has_contractions_behind = true,
                           .has_newlines = true,
                           .takes_newlines = true,
                           .takes_slashes = true,
                           .stands_before = true},
    [BTK_PATTERN_TEKKEN] = {.word = SET_L | SET_M,
                            .letters = SET_L,
                            .has_newlines = true,
                            .takes_newlines = true,
                            .takes_slashes = true,
                            .stands_before = true},
    [BTK_PATTERN_KIMI] = {.word = (SET_L | SET_M) & ~(uint32_t)SET_HAN,
                          .letters = SET_L & ~(uint32_t)SET_HAN,
                          .alone = SET_HAN,
                          .has_contractions_behind = true,
                          .has_newlines = true,
                          .takes_newlines = true,
                          .stands_before = true},
    [BTK_PATTERN_DEEPSEEK3] = {.word = SET_L | SET_M | EAST,
                               .letters = SET_L & ~(uint32_t)EAST,
                               .alone = EAST,
                               .has_newlines = true,
                               .takes_newlines = true,
                               .stands_before = true},
};

static bool has_number(enum btk_unicode_kind kind)
{
    return set_has(SET_N | SET(NEW_NUMBER), kind);
}

static bool is_cut_behind_other(const struct family *family, uint32_t left, uint32_t right)
{
    const enum btk_unicode_kind kind = btk_cut_class_kind(right);
    if (set_has(SET(BLANK) | SET(SPACE), kind) || kind == BTK_KIND_NUMBER) return true;
    if (kind == BTK_KIND_NEWLINE) return !family->takes_newlines;
    return set_has(family->letters, kind) && !family->stands_before && left != '\'';
}

static bool is_cut_of_family(const struct family *family, uint32_t left, uint32_t right)
{
    const enum btk_unicode_kind before = btk_cut_class_kind(left);
    const enum btk_unicode_kind behind = btk_cut_class_kind(right);
    if (set_has(SET_M, behind)) return false;
    if (set_has(family->alone & SET_L, before)) return !set_has(family->alone, behind);
    if (set_has(family->letters, before))
        return !set_has(family->word, behind)
               && !(family->has_contractions_behind && right == '\'');
    if (before == BTK_KIND_NUMBER) return !has_number(behind);
    if (before == BTK_KIND_PUNCTUATION || before == BTK_KIND_SYMBOL)
        return is_cut_behind_other(family, left, right);
    return before == BTK_KIND_NEWLINE && family->has_newlines && !set_has(SET_SPACE, behind)
           && !(family->takes_slashes && right == '/');
}

static bool is_punctuation(uint32_t class)
{
    return btk_cut_class_is_ascii(class)
           && (btk_unicode_classes(class) & BTK_CLASS_BERT_PUNCTUATION);
}

static bool is_white_space(uint32_t class)
{
    return btk_cut_class_is_ascii(class) && (btk_unicode_classes(class) & BTK_CLASS_WHITESPACE);
}

// White space is no piece, and punctuation is one by itself.
bool btk_cut_of_bert(uint32_t left, uint32_t right)
{
    return is_white_space(left) || is_white_space(right) || is_punctuation(left)
           || is_punctuation(right);
}

// White space is no piece, and no match has any.
static bool is_cut_of_clip(uint32_t left, uint32_t right)
{
    return set_has(SET_SPACE, btk_cut_class_kind(left))
           || set_has(SET_SPACE, btk_cut_class_kind(right));
}

static bool is_letter_or_number(uint32_t class)
{
    return set_has(SET_L | SET(NUMBER), btk_cut_class_kind(class));
}

// Runs of punctuation are cut out first; then words end before white space.
static bool is_cut_of_falcon(uint32_t left, uint32_t right)
{
    if (btk_cut_class_is_ascii(left) && btk_cut_class_is_ascii(right)
        && is_punctuation(left) != is_punctuation(right))
        return true;
    return is_letter_or_number(left) && is_white_space(right);
}

enum bloom_part { BLOOM_WORD, BLOOM_BLANK, BLOOM_SEPARATOR, BLOOM_UNKNOWN };

static enum bloom_part bloom_part(uint32_t class)
{
    static const char separators[] = "()|.,!?";
    const bool is_ascii = btk_cut_class_is_ascii(class);
    if (class == ' ') return BLOOM_BLANK;
    if (set_has(SET_SPACE, btk_cut_class_kind(class))) return BLOOM_SEPARATOR;
    for (size_t i = 0; is_ascii && i + 1 < sizeof separators; i++)
        if (class == (uint8_t)separators[i]) return BLOOM_SEPARATOR;
    return is_ascii || is_letter_or_number(class) ? BLOOM_WORD : BLOOM_UNKNOWN;
}

// A word ends before a separator, and a run of these before a word, if it does not end in a blank.
static bool is_cut_of_bloom(uint32_t left, uint32_t right)
{
    const enum bloom_part before = bloom_part(left), behind = bloom_part(right);
    return (before == BLOOM_WORD && (behind == BLOOM_BLANK || behind == BLOOM_SEPARATOR))
           || (before == BLOOM_SEPARATOR && behind == BLOOM_WORD);
}

// Newlines are cut out, then runs of letters, then of punctuation, each with one space before it, then
// numbers one by one.
static bool is_cut_of_deepseek_coder(uint32_t left, uint32_t right)
{
    const enum btk_unicode_kind before = btk_cut_class_kind(left);
    const enum btk_unicode_kind behind = btk_cut_class_kind(right);
    const uint32_t usual = SET_L | SET(NUMBER) | SET_SPACE | SET(PUNCTUATION);
    if (!set_has(usual, before) || !set_has(usual, behind)) return false;
    if (before == BTK_KIND_NEWLINE || behind == BTK_KIND_NEWLINE || before == BTK_KIND_NUMBER)
        return true;
    if (set_has(SET_L, before)) return !set_has(SET_L, behind);
    return before == BTK_KIND_PUNCTUATION && behind != BTK_KIND_PUNCTUATION;
}

bool btk_cut_of_pattern(uint32_t pattern, uint32_t left, uint32_t right)
{
    switch (pattern) {
    case BTK_PATTERN_BERT: return btk_cut_of_bert(left, right);
    case BTK_PATTERN_CLIP: return is_cut_of_clip(left, right);
    case BTK_PATTERN_FALCON: return is_cut_of_falcon(left, right);
    case BTK_PATTERN_BLOOM: return is_cut_of_bloom(left, right);
    case BTK_PATTERN_DEEPSEEK_CODER: return is_cut_of_deepseek_coder(left, right);
    default: return families[pattern].word && is_cut_of_family(&families[pattern], left, right);
    }
}
