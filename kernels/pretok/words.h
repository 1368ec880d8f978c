// SPDX-License-Identifier: Apache-2.0
// The family of patterns that came from GPT-2's: a contraction; a word with one character before it;
// digits; punctuation with a blank before it and newlines behind it; white space. Members differ in
// the sets, and in which of these they have: struct words_rules.
//
// Where two alternatives begin with the same character, the next one decides; so nothing is walked
// over twice but white space, and letters in a pattern with cases, and these twice at most.
#pragma once

#include "kernels/pretok/walk.h"

enum words_contraction {
    CONTRACTION_NONE,
    CONTRACTION_EXACT,        // 's 't 're 've 'm 'll 'd, before all else
    CONTRACTION_ANY_CASE,     // the same with (?i:...), which takes U+017F for an s
    CONTRACTION_OF_WORD_ONLY, // (?i:...)? behind a word
};

struct words_rules {
    enum words_contraction contraction;
    uint32_t alone;  // a run of these comes before all else: [\p{Han}]+
    uint32_t before; // what may stand before a word
    bool blank_before_number;
    uint32_t word;
    uint32_t number;
    uint32_t other;      // punctuation and all that is like it
    uint32_t barrier;    // an earlier Split has cut before these: the text ends there
    unsigned digits;     // of a number, at most; 0: any
    bool is_cased;       // a word is upper* lower+, or upper+ lower*
    bool other_newline;  // [\r\n]* follows `other`
    bool other_slash;    // [\r\n/]* does
    bool newlines;       // \s*[\r\n]+ is a piece
    bool all_at_the_end; // but not \s+ before the end: \s++$ comes before it
};

// What a word may be made of where cases count: both sets have what has no case.
enum { SET_NO_CASE = SET(LETTER) | SET(HAN_LETTER) | SET(HAN_COMMON) | SET(KANA_LETTER) | SET_M };

// The length of the contraction that begins with the "'" at `position`; 0: none.
BTK_WALK_INLINE size_t words_contraction_length(const struct btk_pretok *pretok, size_t position,
                                                bool any_case)
{
    const uint8_t *const text = pretok->text + position;
    const size_t left = pretok->length - position;
    const uint8_t fold = any_case ? 0x20 : 0;
    if (left < 2) return 0;
    const uint8_t first = text[1] | fold;
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if (left < 3) return 0;
    if (any_case && text[1] == 0xc5 && text[2] == 0xbf) return 3;
    const uint8_t second = text[2] | fold;
    return ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l') ? 3
                                                                                                : 0;
}

// The end of a word with cases, from its first letter on. Upper letters and lower ones behind them,
// at least one of these: letters without case are both, so where no lower one follows the run of
// upper ones, the word ends behind the last without case. All upper: the second alternative.
BTK_WALK_INLINE size_t words_cased_end(struct btk_pretok *pretok, size_t position, uint32_t word)
{
    if ((uint8_t)(pretok->text[position] - 'a') < 26)
        return walk_run_end(pretok, position, word & ~(uint32_t)SET(UPPER));
    const size_t end = walk_run_end(pretok, position, word & ~(uint32_t)SET(LOWER));
    size_t length;
    if (end < pretok->length && set_has(SET(LOWER), walk_kind_at(pretok, end, &length)))
        return walk_run_end(pretok, end, word & ~(uint32_t)SET(UPPER));
    for (size_t at = end; at > position;) {
        const size_t last = walk_back(pretok, at);
        if (pretok->text[last] >= 0x80
            && set_has(SET_NO_CASE & word, walk_kind_at(pretok, last, &length)))
            return at;
        at = last;
    }
    return end;
}

// `position` is inside of the word; its letters are not yet walked over.
BTK_WALK_INLINE size_t words_word_end(struct btk_pretok *pretok, size_t position,
                                      const struct words_rules *rules)
{
    if (!rules->is_cased) return walk_run_end(pretok, position, rules->word);
    const size_t end = words_cased_end(pretok, position, rules->word);
    if (rules->contraction == CONTRACTION_OF_WORD_ONLY && end < pretok->length
        && pretok->text[end] == '\'')
        return end + words_contraction_length(pretok, end, true);
    return end;
}

BTK_WALK_INLINE size_t words_number_end(struct btk_pretok *pretok, size_t position,
                                        const struct words_rules *rules)
{
    if (rules->digits == 0) return walk_run_end(pretok, position, rules->number);
    for (unsigned count = 1; count < rules->digits && position < pretok->length; count++) {
        size_t length;
        if (!set_has(rules->number, walk_kind_at(pretok, position, &length))) break;
        position += length;
    }
    return position;
}

BTK_WALK_INLINE size_t words_other_end(struct btk_pretok *pretok, size_t position,
                                       const struct words_rules *rules)
{
    position = walk_run_end(pretok, position, rules->other);
    if (!rules->other_newline && !rules->other_slash) return position;
    while (position < pretok->length) {
        const uint8_t byte = pretok->text[position];
        if (byte != '\n' && byte != '\r' && !(rules->other_slash && byte == '/')) break;
        position++;
    }
    return position;
}

// The end of the last newline in white space, or its begin.
BTK_WALK_INLINE size_t words_last_newline(const struct btk_pretok *pretok, size_t begin, size_t end)
{
    while (end > begin && pretok->text[end - 1] != '\n' && pretok->text[end - 1] != '\r') end--;
    return end;
}

// White space: to its last newline; else all of it at the end of the text, else all but its last
// character. What follows a blank was looked at before.
BTK_WALK_INLINE size_t words_space_end(struct btk_pretok *pretok, size_t position,
                                       const struct words_rules *rules)
{
    const size_t end = walk_run_end(pretok, position, SET_SPACE);
    size_t length;
    const bool is_last =
        end == pretok->length
        || (rules->barrier && set_has(rules->barrier, walk_kind_at(pretok, end, &length)));
    if (rules->newlines && !(rules->all_at_the_end && is_last)) {
        const size_t newline = words_last_newline(pretok, position, end);
        if (newline > position) return newline;
    }
    if (is_last) return end;
    const size_t last = walk_back(pretok, end);
    return last > position ? last : end;
}

// What no alternative takes: up to where one does, which is before the last character when that may
// stand before a word.
BTK_WALK_INLINE size_t words_gap_end(struct btk_pretok *pretok, size_t position, uint32_t gap,
                                     const struct words_rules *rules)
{
    const size_t end = walk_run_end(pretok, position, gap);
    size_t length;
    if (end < pretok->length && set_has(rules->word, walk_kind_at(pretok, end, &length))
        && set_has(rules->before, walk_kind_at(pretok, walk_back(pretok, end), &length)))
        return walk_back(pretok, end);
    return end;
}

// The end of the piece that begins at `position`.
BTK_WALK_INLINE size_t words_piece_end(struct btk_pretok *pretok, size_t position,
                                       const struct words_rules *rules)
{
    size_t length;
    const enum btk_unicode_kind kind = walk_kind_at(pretok, position, &length);
    const uint8_t byte = pretok->text[position];
    const size_t next = position + length;
    if (rules->alone && set_has(rules->alone, kind))
        return walk_run_end(pretok, next, rules->alone);
    if (byte == '\''
        && (rules->contraction == CONTRACTION_EXACT || rules->contraction == CONTRACTION_ANY_CASE))
    {
        const bool any_case = rules->contraction == CONTRACTION_ANY_CASE;
        const size_t contraction = words_contraction_length(pretok, position, any_case);
        if (contraction) return position + contraction;
    }
    if (set_has(rules->word, kind)) return words_word_end(pretok, position, rules);
    if (set_has(rules->number, kind)) return words_number_end(pretok, next, rules);
    if (next < pretok->length) {
        size_t next_length;
        const enum btk_unicode_kind next_kind = walk_kind_at(pretok, next, &next_length);
        if (set_has(rules->before, kind) && set_has(rules->word, next_kind))
            return words_word_end(pretok, next, rules);
        if (kind == BTK_KIND_BLANK && rules->blank_before_number
            && set_has(rules->number, next_kind))
            return words_number_end(pretok, next + next_length, rules);
        if (kind == BTK_KIND_BLANK && set_has(rules->other, next_kind))
            return words_other_end(pretok, next + next_length, rules);
    }
    if (set_has(rules->other, kind)) return words_other_end(pretok, next, rules);
    if (set_has(SET_SPACE, kind)) return words_space_end(pretok, position, rules);
    const uint32_t taken =
        rules->alone | rules->word | rules->number | rules->other | rules->barrier | SET_SPACE;
    return words_gap_end(pretok, next, SET_ALL & ~taken, rules);
}

// A pattern that walks from piece to piece: its name, then its rules.
#define WORDS_WALK(name, ...)                                                                      \
    size_t name(struct btk_pretok *pretok, struct btk_piece *out_pieces, size_t capacity)          \
    {                                                                                              \
        static const struct words_rules rules = {__VA_ARGS__};                                     \
        size_t count = 0;                                                                          \
        while (count < capacity && pretok->position < pretok->length) {                            \
            const size_t begin = pretok->position;                                                 \
            pretok->position = words_piece_end(pretok, begin, &rules);                             \
            out_pieces[count++] = (struct btk_piece){(uint32_t)begin, (uint32_t)pretok->position}; \
        }                                                                                          \
        return count;                                                                              \
    }
