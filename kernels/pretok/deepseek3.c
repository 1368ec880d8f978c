// SPDX-License-Identifier: Apache-2.0
// DeepSeek V3's sequence of three Splits (pattern_sources.h): numbers are cut out, then runs of common
// Han letters and kana, then the third pattern cuts each piece as if it were a text of its own. So
// white space ends before a number or such a run as it does at the end of the text.
//
// Every relation between two neighbours therefore holds only where both are in such a run or both are
// not; where one ends, a piece begins.
#include "kernels/pretok/word_starts.h"

enum {
    EAST = SET(HAN_COMMON) | SET_KANA,
    WORD = SET_L | SET_M,
    OTHER = SET_P | SET_S,
    GAP = SET_ALL & ~(WORD | SET_N | OTHER | SET_SPACE), // no alternative takes it by itself
};

// In place of those for cases, marks and slashes.
enum {
    CLASS_ASCII = CLASS_UPPER, // letters, punctuation and symbols of it
    CLASS_EAST = CLASS_LOWER,
    CLASS_GAP = CLASS_MARK,
};

#define CLASSES_OF(kind)                                                                           \
    WORDS_CLASSES_OF(                                                                              \
        kind, ((SET(kind) & EAST) != 0) << CLASS_EAST | ((SET(kind) & GAP) != 0) << CLASS_GAP,     \
        WORD, SET_N, 0)

static const uint8_t classes[BTK_CHAR_KIND_ROOM] = {
    CLASSES_OF(OTHER),
    CLASSES_OF(UPPER),
    CLASSES_OF(LOWER),
    CLASSES_OF(LETTER),
    CLASSES_OF(MARK),
    CLASSES_OF(NUMBER),
    CLASSES_OF(PUNCTUATION),
    CLASSES_OF(SYMBOL),
    CLASSES_OF(SPACE),
    WORDS_CLASSES_OF(NEWLINE, 1 << CLASS_LINE_OR_QUOTE, WORD, SET_N, 0),
    WORDS_CLASSES_OF(BLANK, 1 << CLASS_BLANK_OR_SLASH, WORD, SET_N, 0),
    CLASSES_OF(HAN_LETTER),
    CLASSES_OF(HAN_MARK),
    CLASSES_OF(HAN_NUMBER),
    CLASSES_OF(HAN_PUNCTUATION),
    CLASSES_OF(HAN_SYMBOL),
    CLASSES_OF(HAN_COMMON),
    CLASSES_OF(KANA_LETTER),
    CLASSES_OF(KANA_MARK),
    CLASSES_OF(KANA_PUNCTUATION),
    CLASSES_OF(KANA_SYMBOL),
    CLASSES_OF(KANA_OTHER),
    CLASSES_OF(NEW_NUMBER),
    [BTK_CHAR_QUOTE] = 1 << CLASS_ASCII,
    [BTK_CHAR_SLASH] = 1 << CLASS_ASCII,
    [BTK_CHAR_MARK] = 1 << CLASS_ASCII,
    [BTK_CHAR_UPPER] = 1 << CLASS_WORD | 1 << CLASS_ASCII,
    [BTK_CHAR_LOWER] = 1 << CLASS_WORD | 1 << CLASS_ASCII,
};

static const struct words_rules rules = {.digits = 3, .other_newline = true, .newlines = true};

// Where words begin: not behind one character that may stand before them, nor in ASCII letters behind
// ASCII punctuation that begins a piece; but behind these, when other letters follow.
BTK_WALK_INLINE uint64_t word_starts(struct btk_words_carry *carry, const struct words_block *block,
                                     uint64_t other_starts, uint64_t before, uint64_t same)
{
    const uint64_t ascii = block->masks->classes[CLASS_ASCII];
    const uint64_t letters = block->word & ascii;
    const uint64_t punctuation = other_starts & ascii;
    const uint64_t first = letters & words_behind(punctuation, carry->punctuation);
    const uint64_t taken = words_flood(first | (letters & carry->letters), letters);
    const uint64_t starts = block->word & ~(words_behind(block->word, carry->word) & same)
                            & ~(words_behind(before, carry->before) & same) & ~first;
    const uint64_t rest = block->word & ~letters & words_behind(taken, carry->letters);
    carry->punctuation = punctuation >> block->last;
    carry->letters = taken >> block->last;
    return starts | rest;
}

// What no alternative takes: a piece, but the last of it may stand before a word.
BTK_WALK_INLINE uint64_t gap_starts(struct btk_words_carry *carry, const struct words_block *block,
                                    uint64_t gap, uint64_t before_east, uint64_t same)
{
    const uint64_t east = block->masks->classes[CLASS_EAST];
    const uint64_t before_word =
        words_next_of(block, block->word, block->masks[1].classes[CLASS_WORD])
        & ~(east ^ before_east);
    const uint64_t starts = gap & (~(words_behind(gap, carry->gap) & same) | before_word);
    carry->gap = gap >> block->last;
    return starts;
}

BTK_WALK_INLINE uint64_t block_starts(struct btk_pretok *pretok, const struct btk_char_masks *masks,
                                      size_t begin, const struct words_rules *rules_of_words)
{
    struct btk_words_carry *const carry = &pretok->carry;
    if (!masks->count) return 0;
    struct words_block block = words_block_of(masks, begin);
    const uint64_t east = masks->classes[CLASS_EAST], gap = masks->classes[CLASS_GAP];
    const uint64_t same = ~(east ^ words_behind(east, carry->alone));
    const uint64_t before_east = words_next_of(&block, east, masks[1].classes[CLASS_EAST]);
    block.other &= ~gap;
    const uint64_t behind_other = words_behind(block.other, carry->other) & same;
    block.tail = words_flood(block.newline & (behind_other | carry->tail), block.newline);
    const uint64_t blanks = words_behind(block.blank, carry->blank) & same;
    const uint64_t other_starts = block.other & ~behind_other & ~blanks;
    const uint64_t before = gap | (block.space & ~block.newline);
    const uint64_t before_barrier =
        before_east | words_next_of(&block, block.number, masks[1].classes[CLASS_NUMBER]);
    const uint64_t starts = other_starts | word_starts(carry, &block, other_starts, before, same)
                            | gap_starts(carry, &block, gap, before_east, same)
                            | words_space_starts(pretok, &block, before_barrier, rules_of_words)
                            | words_number_starts(carry, &block, 0, rules_of_words);
    carry->word = block.word >> block.last;
    carry->space = block.space >> block.last;
    carry->blank = block.blank >> block.last;
    carry->other = block.other >> block.last;
    carry->tail = block.tail >> block.last;
    carry->before = before >> block.last;
    carry->alone = east >> block.last;
    return starts;
}

size_t btk_pretok_deepseek3_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                                 size_t capacity)
{
    return words_next(pretok, out_pieces, capacity, &rules, classes, block_starts);
}
