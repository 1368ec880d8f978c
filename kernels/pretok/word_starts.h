// SPDX-License-Identifier: Apache-2.0
// The family of words.h as bit algebra: the characters with which pieces begin, for 64 bytes at a
// time, as one mask. words.h says what the pieces are; here it is said where they begin.
//
// Bit i is the i-th character of a block, whatever bytes it takes. What stands before a character is
// its mask shifted by one, with the last bit of the block before (struct btk_words_carry); what
// stands behind it comes from the masks of the next block. A run is followed with an addition, whose
// carry runs through it. What needs more than one character behind it is rare, and is looked at by
// itself: letters of contractions, white space between newlines, letters with and without case side
// by side.
//
// For patterns in which every character is part of a word, a number, white space or `other`.
#pragma once

#include "kernels/pretok/words.h"

// The masks of struct btk_char_masks, one bit each in a table of words_classes.
enum words_class {
    CLASS_WORD,
    CLASS_NUMBER,
    CLASS_SPACE,
    CLASS_BLANK_OR_SLASH, // the first is white space; in place of the second, what is alone
    CLASS_LINE_OR_QUOTE,  // so is the first
    CLASS_UPPER,
    CLASS_LOWER,
    CLASS_MARK, // and other Han that is neither letter nor number
};

// One line of a table: the classes of a kind.
#define WORDS_CLASSES_OF(kind, more, words, numbers, alone)                                        \
    [BTK_KIND_##kind] = (uint8_t)(((SET(kind) & (words)) != 0) << CLASS_WORD                       \
                                  | ((SET(kind) & (numbers)) != 0) << CLASS_NUMBER                 \
                                  | ((SET(kind) & SET_SPACE) != 0) << CLASS_SPACE                  \
                                  | ((SET(kind) & (alone)) != 0) << CLASS_BLANK_OR_SLASH | (more))

// The classes of each kind, for the sets of words, of numbers and of what is alone.
#define WORDS_CLASSES(words, numbers, alone)                                                       \
    {                                                                                              \
        WORDS_CLASSES_OF(OTHER, 0, words, numbers, alone),                                         \
            WORDS_CLASSES_OF(UPPER, 1 << CLASS_UPPER, words, numbers, alone),                      \
            WORDS_CLASSES_OF(LOWER, 1 << CLASS_LOWER, words, numbers, alone),                      \
            WORDS_CLASSES_OF(LETTER, 0, words, numbers, alone),                                    \
            WORDS_CLASSES_OF(MARK, 1 << CLASS_MARK, words, numbers, alone),                        \
            WORDS_CLASSES_OF(NUMBER, 0, words, numbers, alone),                                    \
            WORDS_CLASSES_OF(PUNCTUATION, 0, words, numbers, alone),                               \
            WORDS_CLASSES_OF(SYMBOL, 0, words, numbers, alone),                                    \
            WORDS_CLASSES_OF(SPACE, 0, words, numbers, alone),                                     \
            WORDS_CLASSES_OF(NEWLINE, 1 << CLASS_LINE_OR_QUOTE, words, numbers, alone),            \
            WORDS_CLASSES_OF(BLANK, 1 << CLASS_BLANK_OR_SLASH, words, numbers, alone),             \
            WORDS_CLASSES_OF(HAN_LETTER, 0, words, numbers, alone),                                \
            WORDS_CLASSES_OF(HAN_MARK, 1 << CLASS_MARK, words, numbers, alone),                    \
            WORDS_CLASSES_OF(HAN_NUMBER, 0, words, numbers, alone),                                \
            WORDS_CLASSES_OF(HAN_PUNCTUATION, 1 << CLASS_MARK, words, numbers, alone),             \
            WORDS_CLASSES_OF(HAN_SYMBOL, 1 << CLASS_MARK, words, numbers, alone),                  \
            WORDS_CLASSES_OF(HAN_COMMON, 0, words, numbers, alone),                                \
            WORDS_CLASSES_OF(KANA_LETTER, 0, words, numbers, alone),                               \
            WORDS_CLASSES_OF(KANA_MARK, 1 << CLASS_MARK, words, numbers, alone),                   \
            WORDS_CLASSES_OF(KANA_PUNCTUATION, 0, words, numbers, alone),                          \
            WORDS_CLASSES_OF(KANA_SYMBOL, 0, words, numbers, alone),                               \
            WORDS_CLASSES_OF(KANA_OTHER, 0, words, numbers, alone),                                \
            WORDS_CLASSES_OF(NEW_NUMBER, 0, words, numbers, alone),                                \
            [BTK_CHAR_QUOTE] = 1 << CLASS_LINE_OR_QUOTE,                                           \
            [BTK_CHAR_SLASH] = ((alone) == 0) << CLASS_BLANK_OR_SLASH,                             \
            [BTK_CHAR_UPPER] = 1 << CLASS_WORD | 1 << CLASS_UPPER,                                 \
            [BTK_CHAR_LOWER] = 1 << CLASS_WORD | 1 << CLASS_LOWER,                                 \
    }

// A block of which the starts are looked for.
struct words_block {
    const struct btk_char_masks *masks; // the next block follows, empty at the end of the text
    size_t begin;                       // the byte
    size_t last;                        // character
    uint64_t word;
    uint64_t number;
    uint64_t space;
    uint64_t newline;
    uint64_t blank;
    uint64_t slash;
    uint64_t alone; // a run of these comes before all else
    uint64_t quote;
    uint64_t other;
    uint64_t upper;
    uint64_t lower;
    uint64_t tail; // newlines, and slashes among them, that belong to what stands before
};

BTK_WALK_INLINE uint64_t words_behind(uint64_t mask, uint64_t carry)
{
    return mask << 1 | carry;
}

// The runs of `run` from each of `seeds` on, which lie in it.
BTK_WALK_INLINE uint64_t words_flood(uint64_t seeds, uint64_t run)
{
    return (((seeds + run) ^ run) | seeds) & run;
}

BTK_WALK_INLINE uint64_t words_all_of(const struct btk_char_masks *masks)
{
    return masks->count ? UINT64_MAX >> (64 - masks->count) : 0;
}

BTK_WALK_INLINE struct words_block words_block_of(const struct btk_char_masks *masks, size_t begin)
{
    const uint64_t *const classes = masks->classes;
    const uint64_t space = classes[CLASS_SPACE];
    return (struct words_block){
        .masks = masks,
        .begin = begin,
        .last = masks->count - 1,
        .word = classes[CLASS_WORD],
        .number = classes[CLASS_NUMBER],
        .space = space,
        .newline = classes[CLASS_LINE_OR_QUOTE] & space,
        .blank = classes[CLASS_BLANK_OR_SLASH] & space,
        .slash = classes[CLASS_BLANK_OR_SLASH] & ~space,
        .quote = classes[CLASS_LINE_OR_QUOTE] & ~space,
        .other = words_all_of(masks) & ~(classes[CLASS_WORD] | classes[CLASS_NUMBER] | space),
        .upper = classes[CLASS_UPPER],
        .lower = classes[CLASS_LOWER],
    };
}

// The characters of the class that begins with the next block included: what follows each.
BTK_WALK_INLINE uint64_t words_next_of(const struct words_block *block, uint64_t mask,
                                       uint64_t first_of_next)
{
    return mask >> 1 | (first_of_next & 1) << block->last;
}

// Where the character of the block begins.
static inline size_t words_offset_of(const struct words_block *block, unsigned character)
{
    uint64_t leads = block->masks->leads;
    if (leads == UINT64_MAX) return block->begin + character;
    while (character--) leads &= leads - 1;
    return block->begin + (size_t)__builtin_ctzll(leads);
}

// Takes what belongs to a contraction out of the block; returns the ones that begin a piece. Those
// that follow a word are part of it, and one cannot follow the other.
static inline uint64_t words_take_contractions(struct btk_pretok *pretok, struct words_block *block,
                                               uint64_t candidates, const struct words_rules *rules)
{
    struct btk_words_carry *const carry = &pretok->carry;
    uint64_t taken_starts = 0;
    for (; candidates; candidates &= candidates - 1) {
        const unsigned at = (unsigned)__builtin_ctzll(candidates);
        if (rules->contraction == CONTRACTION_OF_WORD_ONLY
            && !(words_behind(block->word, carry->word) >> at & 1))
            continue;
        const size_t offset = words_offset_of(block, at);
        const size_t bytes =
            words_contraction_length(pretok, offset, rules->contraction != CONTRACTION_EXACT);
        if (!bytes) continue;
        const unsigned count = pretok->text[offset + 1] == 0xc5 ? 2 : (unsigned)bytes;
        const uint64_t taken = (((uint64_t)1 << count) - 1) << at;
        const size_t inside = block->last + 1 - at;
        if (count > inside) carry->contraction = ((uint64_t)1 << (count - inside)) - 1;
        block->word &= ~taken;
        block->other &= ~taken;
        block->upper &= ~taken;
        block->lower &= ~taken;
        taken_starts |= (uint64_t)1 << at;
    }
    return rules->contraction == CONTRACTION_OF_WORD_ONLY ? 0 : taken_starts;
}

// Each third of a run of numbers.
BTK_WALK_INLINE uint64_t words_thirds(const struct btk_words_carry *carry, uint64_t number)
{
    const uint64_t behind = words_behind(number, carry->numbers >> 2);
    const uint64_t later =
        number & behind & (number << 2 | carry->numbers >> 1) & (number << 3 | carry->numbers);
    uint64_t starts = number & ~behind;
    starts |= (starts << 3 | carry->number_starts) & later;
    for (uint64_t more; (more = (starts << 3) & later & ~starts) != 0;) starts |= more;
    return starts;
}

// Of what is both alone and a number: behind one or two numbers of a piece it is a number.
static inline void words_settle_numbers(const struct btk_words_carry *carry,
                                        struct words_block *block)
{
    uint64_t both = block->number & block->alone;
    block->number &= ~both;
    for (uint64_t left; (left = both & words_behind(block->number, carry->numbers >> 2)) != 0;) {
        const uint64_t first = left & -left;
        const uint64_t starts = words_thirds(carry, block->number);
        const uint64_t has_room = words_behind(starts, carry->number_starts >> 2) | starts << 2
                                  | carry->number_starts >> 1;
        if (first & has_room) block->number |= first;
        both &= ~first;
    }
    block->alone &= ~block->number;
}

BTK_WALK_INLINE uint64_t words_number_starts(struct btk_words_carry *carry,
                                             const struct words_block *block, uint64_t blanks,
                                             const struct words_rules *rules)
{
    const uint64_t number = block->number;
    if (rules->digits == 1) return number;
    uint64_t starts = rules->digits ? words_thirds(carry, number)
                                    : number & ~words_behind(number, carry->numbers >> 2);
    if (rules->blank_before_number) starts &= ~blanks;
    const bool has_three = block->last >= 2;
    carry->numbers = has_three ? number >> (block->last - 2) : 0;
    carry->number_starts = has_three ? starts >> (block->last - 2) : 0;
    return starts;
}

// What ends a run that reaches the end of its block.
static enum btk_unicode_kind words_kind_behind(const struct btk_pretok *pretok, size_t position,
                                               uint32_t run)
{
    while (position < pretok->length && (pretok->text[position] & 0xc0) == 0x80) position++;
    while (position < pretok->length) {
        size_t length;
        const enum btk_unicode_kind kind = walk_kind_at(pretok, position, &length);
        if (!set_has(run, kind)) return kind;
        position += length;
    }
    return BTK_KIND_COUNT;
}

// Of `starts`, each the first of a run, those whose run is not followed by newlines: white space
// before a newline is one piece with it. Also the end of the text, where nothing else counts.
static inline uint64_t words_not_before_newline(const struct btk_pretok *pretok,
                                                const struct words_block *block, uint64_t starts,
                                                uint64_t run, const struct words_rules *rules)
{
    const bool is_open = run >> block->last & 1;
    const uint64_t ends = (starts + run) & ~run;
    if (!(ends & block->newline) && !is_open) return starts;
    uint64_t kept = starts;
    for (uint64_t left = starts; left; left &= left - 1) {
        const unsigned begin = (unsigned)__builtin_ctzll(left);
        const unsigned end = begin + (unsigned)__builtin_ctzll(~(run >> begin));
        bool is_newline = block->newline >> (end & 63) & 1;
        if (end > block->last) {
            const enum btk_unicode_kind kind =
                words_kind_behind(pretok, block->begin + 64, SET_SPACE & ~(uint32_t)SET(NEWLINE));
            is_newline =
                kind == BTK_KIND_NEWLINE || (rules->all_at_the_end && kind == BTK_KIND_COUNT);
        }
        if (is_newline) kept &= ~((uint64_t)1 << begin);
    }
    return kept;
}

// `before_barrier`: where the next character counts for the end of the text.
BTK_WALK_INLINE uint64_t words_space_starts(struct btk_pretok *pretok,
                                            const struct words_block *block,
                                            uint64_t before_barrier,
                                            const struct words_rules *rules)
{
    struct btk_words_carry *const carry = &pretok->carry;
    const uint64_t tail = block->tail;
    const struct btk_char_masks *const next = block->masks + 1;
    const uint64_t space = block->space;
    const uint64_t next_ends = words_next_of(block, words_all_of(block->masks) & ~space,
                                             next->count != 0 && !(next->classes[CLASS_SPACE] & 1))
                               & ~before_barrier;
    uint64_t starts = space & ~tail & ~words_behind(space, carry->space);
    if (!rules->newlines) return starts | (space & next_ends);
    const uint64_t rest = space & ~block->newline;
    const uint64_t newline = block->newline & ~tail;
    const uint64_t after_newline = rest & words_behind(newline, carry->newline);
    starts |= rest & (next_ends | words_behind(tail, carry->tail));
    carry->newline = newline >> block->last;
    if (!after_newline) return starts;
    return starts | words_not_before_newline(pretok, block, after_newline, rest, rules);
}

// Of `starts`, upper letters behind ones without case, those after which only upper letters follow in
// their word.
static inline uint64_t words_last_uppers(const struct btk_pretok *pretok,
                                         const struct words_block *block, uint64_t starts,
                                         const struct words_rules *rules)
{
    uint64_t kept = starts;
    for (uint64_t left = starts; left; left &= left - 1) {
        const unsigned begin = (unsigned)__builtin_ctzll(left);
        const unsigned end = begin + (unsigned)__builtin_ctzll(~(block->upper >> begin));
        bool is_word = block->word >> (end & 63) & 1;
        if (end > block->last) {
            const enum btk_unicode_kind kind =
                words_kind_behind(pretok, block->begin + 64, SET(UPPER));
            is_word = kind != BTK_KIND_COUNT && set_has(rules->word, kind);
        }
        if (is_word) kept &= ~((uint64_t)1 << begin);
    }
    return kept;
}

// Where the case goes up within a word.
BTK_WALK_INLINE uint64_t words_case_starts(struct btk_pretok *pretok,
                                           const struct words_block *block,
                                           const struct words_rules *rules)
{
    struct btk_words_carry *const carry = &pretok->carry;
    const uint64_t no_case = block->word & ~(block->upper | block->lower);
    const uint64_t low = block->word & ~block->upper;
    const uint64_t after_lower = words_flood(block->lower | (low & carry->after_lower), low);
    const uint64_t neutral = no_case & ~after_lower;
    const uint64_t unsure = block->upper & words_behind(neutral, carry->no_case);
    uint64_t starts = block->upper & words_behind(after_lower, carry->after_lower);
    if (unsure) starts |= words_last_uppers(pretok, block, unsure, rules);
    carry->after_lower = after_lower >> block->last;
    carry->no_case = neutral >> block->last;
    return starts;
}

BTK_WALK_INLINE uint64_t words_tail(const struct btk_words_carry *carry,
                                    const struct words_block *block,
                                    const struct words_rules *rules)
{
    const uint64_t run = rules->other_slash ? block->newline | block->slash : block->newline;
    const uint64_t begins = block->newline & words_behind(block->other, carry->other);
    return words_flood(begins | (run & carry->tail), run);
}

// Marks that are both word and `other`: behind one that is not the first of its piece, they belong to
// that piece, and so does all that is `other` behind them. What is both alone and `other` does so
// behind the first of a piece, too. A slash of a tail takes no marks, which
// may be what makes it one: so again, until nothing changes; right is at least all to the left of
// where it did.
static inline void words_absorb_marks(const struct btk_words_carry *carry,
                                      struct words_block *block, uint64_t marks, uint64_t blanks,
                                      const struct words_rules *rules)
{
    const uint64_t strict = block->other;
    uint64_t absorbed = 0, before;
    do {
        before = absorbed;
        const uint64_t other = strict & ~block->tail;
        const uint64_t run = other | marks;
        const uint64_t second = (other | (marks & block->alone))
                                & (words_behind(other, carry->other & ~carry->tail) | blanks);
        absorbed = words_flood(second | (run & carry->absorbs), run);
        block->other = strict | (absorbed & marks);
        block->tail = words_tail(carry, block, rules);
    } while (absorbed != before);
    block->word &= ~absorbed;
    block->alone &= ~absorbed;
}

// The characters of the block with which pieces begin.
BTK_WALK_INLINE uint64_t words_block_starts(struct btk_pretok *pretok,
                                            const struct btk_char_masks *masks, size_t begin,
                                            const struct words_rules *rules)
{
    struct btk_words_carry *const carry = &pretok->carry;
    if (!masks->count) return 0;
    struct words_block block = words_block_of(masks, begin);
    block.word &= ~carry->contraction;
    block.upper &= ~carry->contraction;
    block.lower &= ~carry->contraction;
    carry->contraction = 0;

    if (rules->alone) {
        block.alone = block.slash;
        block.other &= ~block.alone;
    }
    if (rules->other_newline || rules->other_slash) block.tail = words_tail(carry, &block, rules);
    const uint64_t blanks = rules->before ? words_behind(block.blank, carry->blank) : 0;
    const uint64_t marks = masks->classes[CLASS_MARK];
    if ((rules->other & rules->word) && marks)
        words_absorb_marks(carry, &block, marks & (block.word | block.alone), blanks, rules);
    const uint64_t other = block.other & ~block.tail;
    uint64_t other_starts = other & ~words_behind(other, carry->other & ~carry->tail) & ~blanks;
    uint64_t starts = 0;
    if (rules->contraction != CONTRACTION_NONE && block.quote) {
        const uint64_t next_word = words_next_of(&block, block.word, masks[1].classes[CLASS_WORD]);
        const bool is_of_word = rules->contraction == CONTRACTION_OF_WORD_ONLY;
        const uint64_t candidates =
            block.quote & next_word
            & (is_of_word ? words_behind(block.word, carry->word) : other_starts);
        if (candidates) starts = words_take_contractions(pretok, &block, candidates, rules);
        other_starts &= block.other;
    }
    const uint64_t before_barrier =
        rules->barrier ? words_next_of(&block, block.number, masks[1].classes[CLASS_NUMBER]) : 0;
    starts |= words_space_starts(pretok, &block, before_barrier, rules);
    const bool is_blank_before = (rules->before & ~(uint32_t)SET(BLANK)) == 0;
    const uint64_t rest = block.space & ~block.newline;
    const uint64_t before =
        is_blank_before ? blanks : words_behind(other_starts | rest, carry->before);
    starts |= other_starts | (block.word & ~words_behind(block.word, carry->word) & ~before);
    if (rules->alone) {
        if (block.alone & block.number) words_settle_numbers(carry, &block);
        starts |= block.alone & ~words_behind(block.alone, carry->alone);
        carry->alone = block.alone >> block.last;
    }
    starts |= words_number_starts(carry, &block, blanks, rules);
    if (rules->is_cased) starts |= words_case_starts(pretok, &block, rules);

    carry->word = block.word >> block.last;
    carry->space = block.space >> block.last;
    carry->blank = block.blank >> block.last;
    carry->other = block.other >> block.last;
    carry->tail = block.tail >> block.last;
    carry->absorbs = (block.other & ~block.tail & ~other_starts) >> block.last;
    carry->before = (other_starts | rest) >> block.last;
    return starts;
}

// What finds the starts of a block: a constant in the caller, as the rules are.
typedef uint64_t words_starts_fn(struct btk_pretok *pretok, const struct btk_char_masks *masks,
                                 size_t begin, const struct words_rules *rules);

// The starts of the next window, behind the one of the open piece.
BTK_WALK_INLINE void words_fill_window(struct btk_pretok *pretok, const struct words_rules *rules,
                                       const uint8_t *classes, words_starts_fn *block_starts)
{
    struct btk_piece_starts *const window = &pretok->masks.starts;
    const size_t begin = pretok->window_end;
    const size_t left = (pretok->length - begin + 63) / 64;
    const size_t count = btk_min_size(left, BTK_PRETOK_STARTS_BLOCKS);
    const size_t known = begin > 0; // of the masks: the last ones of the window before
    const size_t unknown = count + (left > count) - known;
    if (known) window->masks[0] = window->masks[BTK_PRETOK_STARTS_BLOCKS];
    if (unknown)
        pretok->kernels->char_masks(pretok->text + begin + known * 64,
                                    pretok->length - begin - known * 64, unknown, classes,
                                    window->masks + known);
    if (left == count) window->masks[count] = (struct btk_char_masks){0};
    uint64_t starts[BTK_PRETOK_STARTS_BLOCKS];
    for (size_t i = 0; i < count; i++)
        starts[i] = block_starts(pretok, &window->masks[i], begin + i * 64, rules);
    window->offsets[0] = (uint32_t)pretok->position;
    pretok->offset_index = 0;
    pretok->offset_count =
        known
        + pretok->kernels->mark_offsets(window->masks, starts, count, (uint32_t)begin,
                                        window->offsets + known);
    pretok->window_end = btk_min_size(begin + count * 64, pretok->length);
}

BTK_WALK_INLINE size_t words_next(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                                  size_t capacity, const struct words_rules *rules,
                                  const uint8_t *classes, words_starts_fn *block_starts)
{
    size_t count = 0;
    for (;;) {
        const uint32_t *const offsets = pretok->masks.starts.offsets + pretok->offset_index;
        const size_t whole =
            pretok->offset_count ? pretok->offset_count - 1 - pretok->offset_index : 0;
        const size_t taken = btk_min_size(whole, capacity - count);
        for (size_t i = 0; i < taken; i++)
            out_pieces[count + i] = (struct btk_piece){offsets[i], offsets[i + 1]};
        count += taken;
        pretok->offset_index += taken;
        if (taken) pretok->position = offsets[taken];
        if (count == capacity || pretok->position == pretok->length) return count;
        if (pretok->window_end < pretok->length) {
            words_fill_window(pretok, rules, classes, block_starts);
            continue;
        }
        out_pieces[count++] =
            (struct btk_piece){(uint32_t)pretok->position, (uint32_t)pretok->length};
        pretok->position = pretok->length;
        return count;
    }
}
