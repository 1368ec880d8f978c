// SPDX-License-Identifier: Apache-2.0
// What a pre-tokenizer proves of x|y. Of each step three things:
//
//     ends      a piece ends there, whatever stands around it
//     passes    none ends there, whatever stands around it
//     bears     one may, but nothing else on either side depends on the other
//
// So a list of steps cuts where one step ends a piece and those before it bear that: those behind it see
// both sides apart. And a piece goes on where all steps pass.
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "kernels/pretok/walk.h"
#include "tokenizer/code_map.h"
#include "tokenizer/compile/cut_relation.h"
#include "tokenizer/pretokenizer/step_kind.h"
#include "tokenizer/space_mark.h"

struct step_cuts {
    const struct btk_step *step;
    struct btk_bytes data;
    struct btk_cut_relation ends, passes, bears;
    struct btk_cut_images images;
};

// --- Steps that split at single characters

enum membership { IS_NOT_IN, IS_IN, MAY_BE_IN };

static enum membership membership_of(const struct step_cuts *cuts, uint32_t class)
{
    const struct btk_step *const step = cuts->step;
    const bool is_ascii = btk_cut_class_is_ascii(class);
    const uint16_t classes = is_ascii ? btk_unicode_classes(class) : 0;
    switch (step->kind) {
    case BTK_STEP_SPLIT_WHITESPACE:
        if (is_ascii) return classes & BTK_CLASS_WHITESPACE ? IS_IN : IS_NOT_IN;
        return btk_cut_class_level(class) < BTK_TEXT_CUT_CHANGES ? IS_NOT_IN : MAY_BE_IN;
    case BTK_STEP_SPLIT_PUNCTUATION:
        if (is_ascii) return classes & BTK_CLASS_BERT_PUNCTUATION ? IS_IN : IS_NOT_IN;
        return MAY_BE_IN;
    case BTK_STEP_SPLIT_NUMERIC:
        return set_has(SET_N | SET(NEW_NUMBER), btk_cut_class_kind(class)) ? IS_IN : IS_NOT_IN;
    case BTK_STEP_SPLIT_LITERAL:
        if (is_ascii) return class == cuts->data.data[0] ? IS_IN : IS_NOT_IN;
        return IS_NOT_IN; // the literal is of ASCII
    default: break;
    }
    const struct btk_code_map set = btk_code_map_of(cuts->data, step->numbers[1]);
    if (is_ascii) return btk_code_map_has(&set, class) ? IS_IN : IS_NOT_IN;
    return MAY_BE_IN;
}

static bool is_end_of_chars(const void *context, uint32_t left, uint32_t right)
{
    const struct step_cuts *const cuts = context;
    const enum membership x = membership_of(cuts, left), y = membership_of(cuts, right);
    switch (cuts->step->numbers[0]) {
    case BTK_SPLIT_CONTIGUOUS:
        return (x == IS_IN && y == IS_NOT_IN) || (x == IS_NOT_IN && y == IS_IN);
    case BTK_SPLIT_MERGED_WITH_PREVIOUS: return x == IS_IN;
    case BTK_SPLIT_MERGED_WITH_NEXT: return y == IS_IN;
    default: return x == IS_IN || y == IS_IN;
    }
}

static bool is_between_no_chars(const void *context, uint32_t left, uint32_t right)
{
    return membership_of(context, left) == IS_NOT_IN && membership_of(context, right) == IS_NOT_IN;
}

static bool may_invert(const struct btk_step *step)
{
    return !step->flags || step->numbers[0] == BTK_SPLIT_REMOVED
           || step->numbers[0] == BTK_SPLIT_ISOLATED;
}

// Is what is no match taken away? Then no piece goes on there.
static bool removes_gaps(const struct btk_step *step)
{
    return step->flags && step->numbers[0] == BTK_SPLIT_REMOVED;
}

static void prove_chars(struct step_cuts *cuts)
{
    if (!may_invert(cuts->step)) return;
    btk_cut_relation_fill(&cuts->ends, true);
    btk_cut_relation_restrict(&cuts->ends, is_end_of_chars, cuts);
    btk_cut_relation_fill(&cuts->passes, !removes_gaps(cuts->step));
    btk_cut_relation_restrict(&cuts->passes, is_between_no_chars, cuts);
    btk_cut_relation_fill(&cuts->bears, true);
}

// --- Words: \w+|[^\w\s]+

enum word_part { WORD_SPACE, WORD_LETTER, WORD_OTHER, WORD_NO_SPACE, WORD_UNKNOWN };

static enum word_part word_part_of(uint32_t class)
{
    if (!btk_cut_class_is_ascii(class))
        return btk_cut_class_level(class) < BTK_TEXT_CUT_CHANGES ? WORD_NO_SPACE : WORD_UNKNOWN;
    const uint16_t classes = btk_unicode_classes(class);
    if (classes & BTK_CLASS_REGEX_SPACE) return WORD_SPACE;
    return classes & BTK_CLASS_REGEX_WORD ? WORD_LETTER : WORD_OTHER;
}

static bool is_end_of_words(const void *context, uint32_t left, uint32_t right)
{
    const struct step_cuts *const cuts = context;
    const enum word_part x = word_part_of(left), y = word_part_of(right);
    // What is removed is no piece, so it may be cut as well.
    if (cuts->step->numbers[0] == BTK_SPLIT_REMOVED && (x == WORD_SPACE || y == WORD_SPACE))
        return true;
    if (x == WORD_UNKNOWN || y == WORD_UNKNOWN) return false;
    if (x == WORD_NO_SPACE || y == WORD_NO_SPACE) return x == WORD_SPACE || y == WORD_SPACE;
    return x != y;
}

static bool is_inside_of_words(const void *context, uint32_t left, uint32_t right)
{
    (void)context;
    const enum word_part x = word_part_of(left), y = word_part_of(right);
    return x == y && (x == WORD_LETTER || x == WORD_OTHER);
}

static void prove_words(struct step_cuts *cuts)
{
    const struct btk_step *const step = cuts->step;
    // Words are the matches: they are what stays.
    if (step->numbers[0] != BTK_SPLIT_ISOLATED
        && !(step->numbers[0] == BTK_SPLIT_REMOVED && step->flags))
        return;
    btk_cut_relation_fill(&cuts->ends, true);
    btk_cut_relation_restrict(&cuts->ends, is_end_of_words, cuts);
    btk_cut_relation_fill(&cuts->passes, true);
    btk_cut_relation_restrict(&cuts->passes, is_inside_of_words, cuts);
    btk_cut_relation_fill(&cuts->bears, true);
}

// --- Texts

// Characters that a text has beside each other, by their classes. No match lies across others.
static void remove_pairs(struct btk_cut_relation *relation, struct btk_bytes text)
{
    size_t length;
    uint32_t left = BTK_TEXT_CUT_CLASSES;
    for (size_t at = 0; at < text.length; at += length) {
        const uint32_t right = btk_text_cut_class(btk_utf8_decode(text.data + at, &length));
        if (left != BTK_TEXT_CUT_CLASSES) btk_cut_set_remove(&relation->rows[left], right);
        left = right;
    }
}

static void prove_literal(struct step_cuts *cuts)
{
    const struct btk_bytes text = cuts->data;
    size_t length;
    if (!text.length || !may_invert(cuts->step)) return;
    if (text.length == 1) {
        prove_chars(cuts);
        return;
    }
    btk_cut_relation_fill(&cuts->bears, true);
    remove_pairs(&cuts->bears, text);
    if (!removes_gaps(cuts->step)) cuts->passes = cuts->bears;
    size_t last = text.length - 1;
    while (last > 0 && (text.data[last] & 0xc0) == 0x80) last--;
    btk_cut_relation_remove_row(&cuts->passes,
                                btk_text_cut_class(btk_utf8_decode(text.data + last, &length)));
    btk_cut_relation_remove_column(&cuts->passes,
                                   btk_text_cut_class(btk_utf8_decode(text.data, &length)));
}

// --- Patterns

static bool is_end_of_pattern(const void *context, uint32_t left, uint32_t right)
{
    return btk_cut_of_pattern(*(const uint32_t *)context, left, right);
}

static void prove_pattern(struct step_cuts *cuts)
{
    if (cuts->step->numbers[0] != BTK_SPLIT_ISOLATED || cuts->step->flags) return;
    btk_cut_relation_fill(&cuts->ends, true);
    btk_cut_relation_restrict(&cuts->ends, is_end_of_pattern, &cuts->step->numbers[1]);
    cuts->bears = cuts->ends;
}

// --- Spaces that become marks

static bool is_space_or_mark(const struct btk_step *step, uint32_t class)
{
    return class == ' '
           || (class == BTK_TEXT_CUT_MARK && step->numbers[0] == BTK_SPACE_MARK_CODE_POINT);
}

// A mark is put before a piece, unless it begins with one.
static bool is_not_prefixed(const void *context, uint32_t left, uint32_t right)
{
    const struct btk_step *const step = context;
    (void)left;
    return step->numbers[1] == BTK_PREPEND_NEVER || is_space_or_mark(step, right);
}

static bool is_before_mark(const void *context, uint32_t left, uint32_t right)
{
    (void)left;
    return is_space_or_mark(context, right);
}

// May a character of the class be the mark?
static bool is_before_no_mark(const void *context, uint32_t left, uint32_t right)
{
    const struct btk_step *const step = context;
    (void)left;
    return right != ' ' && right != btk_text_cut_class(step->numbers[0]);
}

static void prove_spaces(struct step_cuts *cuts)
{
    const struct btk_step *const step = cuts->step;
    const bool splits = step->flags & BTK_SPACES_SPLIT;
    uint8_t mark[4];
    btk_cut_relation_fill(&cuts->bears, true);
    btk_cut_relation_restrict(&cuts->bears, is_not_prefixed, step);
    cuts->passes = cuts->bears;
    if (splits) {
        btk_cut_relation_restrict(&cuts->passes, is_before_no_mark, step);
        cuts->ends = cuts->bears;
        btk_cut_relation_restrict(&cuts->ends, is_before_mark, step);
    }
    const struct btk_bytes text = {mark, btk_utf8_encode(step->numbers[0], mark)};
    if (step->numbers[0] != ' ') btk_cut_images_text(&cuts->images, ' ', text, true);
}

static void prove_bytes(struct step_cuts *cuts)
{
    btk_cut_relation_fill(&cuts->passes, true);
    btk_cut_relation_fill(&cuts->bears, true);
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++)
        btk_cut_images_any(&cuts->images, class);
}

// Of any other step nothing is known: scripts and lengths depend on what is far away, regular
// expressions on anything.
static void prove_step(struct step_cuts *cuts)
{
    btk_cut_relation_fill(&cuts->ends, false);
    btk_cut_relation_fill(&cuts->passes, false);
    btk_cut_relation_fill(&cuts->bears, false);
    btk_cut_images_init(&cuts->images);
    switch (cuts->step->kind) {
    case BTK_STEP_SPLIT_WHITESPACE:
    case BTK_STEP_SPLIT_PUNCTUATION:
    case BTK_STEP_SPLIT_NUMERIC:
    case BTK_STEP_SPLIT_SET: prove_chars(cuts); break;
    case BTK_STEP_SPLIT_LITERAL: prove_literal(cuts); break;
    case BTK_STEP_SPLIT_WORDS: prove_words(cuts); break;
    case BTK_STEP_SPLIT_PATTERN: prove_pattern(cuts); break;
    case BTK_STEP_SPACES: prove_spaces(cuts); break;
    case BTK_STEP_ALPHABET:
    case BTK_STEP_BYTES: prove_bytes(cuts); break;
    default: break;
    }
}

// --- The list

// A mark that is put before what begins where the text begins: the right part has to begin with ' ', which
// stays the beginning of its first piece.
static bool is_before_blank(const void *context, uint32_t left, uint32_t right)
{
    (void)context;
    (void)left;
    return right == ' ';
}

static bool writes(const struct btk_step *step)
{
    return step->kind == BTK_STEP_SPACES || step->kind == BTK_STEP_ALPHABET
           || step->kind == BTK_STEP_BYTES;
}

static void demand_blanks(struct btk_cut_pieces *out)
{
    out->reason = BTK_NO_TEXT_CUTS_PREFIX;
    out->demands_blank = true;
    btk_cut_relation_restrict(&out->between, is_before_blank, NULL);
    btk_cut_relation_restrict(&out->inside, is_before_blank, NULL);
}

static void remove_all(struct btk_cut_pieces *out, enum btk_no_text_cuts reason)
{
    out->reason = reason;
    btk_cut_relation_fill(&out->between, false);
    btk_cut_relation_fill(&out->inside, false);
}

static void demand_no_prefix(const struct btk_step_list *list, struct btk_cut_pieces *out)
{
    bool has_written = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct btk_step *const step = &list->steps[i];
        const bool prepends =
            step->kind == BTK_STEP_SPACES && step->numbers[1] == BTK_PREPEND_FIRST;
        if (prepends && has_written) remove_all(out, BTK_NO_TEXT_CUTS_PREFIX);
        if (prepends && !btk_cut_relation_is_empty(&out->between)) demand_blanks(out);
        if (prepends && !btk_cut_relation_is_empty(&out->inside)) demand_blanks(out);
        has_written |= writes(step);
    }
}

// From the last step to the first: `between` is where the steps so far cut, `inside` where they do not.
static void prove_list(const struct btk_image *image, struct btk_cut_pieces *out)
{
    const struct btk_step_list *const list = &image->pretokenizer;
    struct step_cuts cuts;
    for (uint32_t i = list->count; i-- > 0;) {
        cuts.step = &list->steps[i];
        cuts.data = btk_image_step_data(image, cuts.step);
        prove_step(&cuts);
        btk_cut_pull_back(&out->between, &cuts.images);
        btk_cut_pull_back(&out->inside, &cuts.images);
        btk_cut_reading_pull_back(&out->reading, &cuts.images);
        btk_cut_relation_and(&out->between, &cuts.bears);
        btk_cut_relation_or(&out->between, &cuts.ends);
        btk_cut_relation_and(&out->inside, &cuts.passes);
    }
    // What stands in a piece of the text's own, nobody cuts.
    out->reason =
        btk_cut_relation_is_empty(&out->inside) ? BTK_NO_TEXT_CUTS_PATTERN : BTK_NO_TEXT_CUTS_WHOLE;
    demand_no_prefix(list, out);
}

static bool is_end_of_bert(const void *context, uint32_t left, uint32_t right)
{
    (void)context;
    return btk_cut_of_bert(left, right);
}

// A pattern alone, behind a space that may be put before the text.
static void prove_byte_level(const struct btk_image_config *config, struct btk_cut_pieces *out)
{
    const bool splits = config->flags & BTK_PIPELINE_USE_REGEX;
    btk_cut_relation_fill(&out->between, splits);
    btk_cut_relation_fill(&out->inside, !splits);
    btk_cut_relation_restrict(&out->between, is_end_of_pattern, &config->pattern);
    out->reason = splits ? BTK_NO_TEXT_CUTS_PATTERN : BTK_NO_TEXT_CUTS_WHOLE;
    if (config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE) demand_blanks(out);
}

void btk_cut_of_pretokenizer(const struct btk_image *image, struct btk_cut_pieces *out)
{
    const struct btk_image_config *const config = image->config;
    btk_cut_relation_fill(&out->between, false);
    btk_cut_relation_fill(&out->inside, true);
    memset(&out->reading, 0, sizeof out->reading);
    out->demands_blank = false;
    out->reason = BTK_NO_TEXT_CUTS_PATTERN;
    switch (config->pretokenizer) {
    case BTK_PRETOKENIZER_BERT:
        btk_cut_relation_fill(&out->between, true);
        btk_cut_relation_restrict(&out->between, is_end_of_bert, NULL);
        btk_cut_relation_fill(&out->inside, false);
        break;
    case BTK_PRETOKENIZER_BYTE_LEVEL: prove_byte_level(config, out); break;
    default: prove_list(image, out); break;
    }
}
