// SPDX-License-Identifier: Apache-2.0
// What a normalizer leaves of x|y: where the two parts, normalized apart, are the whole, and what x and y
// become there.
#include <string.h>

#include "common/unicode.h"
#include "common/utf8.h"
#include "kernels/pretok/walk.h"
#include "tokenizer/code_map.h"
#include "tokenizer/compile/cut_relation.h"
#include "tokenizer/image_format.h"
#include "tokenizer/normalizer/charsmap.h"
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/space_mark.h"

struct step_cuts {
    const struct btk_step *step;
    struct btk_bytes data;
    struct btk_cut_relation joins; // N(ab) is N(a) N(b)
    struct btk_cut_images images;
};

static bool is_changing(uint32_t class)
{
    return !btk_cut_class_is_ascii(class) && btk_cut_class_level(class) == BTK_TEXT_CUT_CHANGES;
}

static void change_all(struct step_cuts *cuts)
{
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++)
        btk_cut_images_any(&cuts->images, class);
}

// --- Steps that look at each character alone: all places join

// A character of a set is removed, or becomes a text. All of the sets beyond ASCII are of the changing level.
static void change_set(struct step_cuts *cuts, struct btk_bytes text)
{
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++) {
        const bool is_in = btk_cut_class_is_ascii(class)
                               ? btk_normalizer_set_has(cuts->step->numbers[0], class)
                               : is_changing(class);
        if (!is_in) continue;
        if (text.length && btk_cut_class_is_ascii(class))
            btk_cut_images_text(&cuts->images, class, text, true);
        else
            btk_cut_images_any(&cuts->images, class);
    }
}

static void set_apart(struct step_cuts *cuts)
{
    const struct btk_bytes space = {(const uint8_t *)" ", 1};
    for (uint32_t class = BTK_TEXT_CUT_ASCII; class < BTK_TEXT_CUT_CLASSES; class ++)
        btk_cut_images_text(&cuts->images, class, space,
                            btk_cut_class_kind(class) == BTK_KIND_HAN_COMMON);
}

static void lower(struct step_cuts *cuts)
{
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++) {
        const uint8_t text[1] = {(uint8_t)(class + 'a' - 'A')};
        if (class >= 'A' && class <= 'Z')
            btk_cut_images_text(&cuts->images, class, (struct btk_bytes){text, 1}, true);
        else if (!btk_cut_class_is_plain(class))
            btk_cut_images_any(&cuts->images, class);
    }
}

static void spell_bytes(struct step_cuts *cuts)
{
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++)
        if (class <= ' ' || class >= 0x7f) btk_cut_images_any(&cuts->images, class);
}

// --- Normal forms: a character that stays, and that nothing joins to what is before it, begins anew

static bool begins_anew(const void *context, uint32_t left, uint32_t right)
{
    const struct btk_step *const step = context;
    (void)left;
    return btk_cut_class_is_plain(right)
           || (step->flags == BTK_NORMALIZER_COMPOSES
               && btk_cut_class_level(right) == BTK_TEXT_CUT_FOLDS);
}

// Kinds beyond ASCII of which no character is composed with one behind it.
enum {
    COMPOSES_NEVER = SET(HAN_LETTER) | SET(HAN_COMMON) | SET(HAN_NUMBER) | SET(NUMBER)
                     | SET(PUNCTUATION) | SET(OTHER),
};

// Marks behind y may be composed with it: a letter then becomes another one of its case, that is composed. (x
// has y behind it, which is not.)
static void compose(struct step_cuts *cuts)
{
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++) {
        const enum btk_unicode_kind kind = btk_cut_class_kind(class);
        struct btk_cut_set *const first = &cuts->images.first[class];
        if (btk_cut_class_is_ascii(class) && set_has(SET_CASED | SET(SYMBOL), kind))
            btk_cut_set_add(first, btk_text_cut_class_of(BTK_TEXT_CUT_FOLDS, kind));
        else if (btk_cut_class_is_ascii(class) || set_has(COMPOSES_NEVER, kind))
            continue;
        else
            memset(first, 0xff, sizeof *first);
        cuts->images.changes[class] = true;
    }
}

static void form(struct step_cuts *cuts)
{
    const bool keeps_folding = cuts->step->flags == BTK_NORMALIZER_COMPOSES;
    btk_cut_relation_restrict(&cuts->joins, begins_anew, cuts->step);
    if (cuts->step->flags & BTK_NORMALIZER_COMPOSES) compose(cuts);
    for (uint32_t class = BTK_TEXT_CUT_ASCII; class < BTK_TEXT_CUT_CLASSES; class ++)
        if (is_changing(class) || (!keeps_folding && !btk_cut_class_is_plain(class)))
            btk_cut_images_any(&cuts->images, class);
}

// --- Replace

static void change_to(struct step_cuts *cuts, uint32_t class, struct btk_bytes content, bool always)
{
    if (content.length)
        btk_cut_images_text(&cuts->images, class, content, always);
    else
        btk_cut_images_any(&cuts->images, class);
}

// No match lies across a pair that the text does not have.
static void replace_text(struct step_cuts *cuts)
{
    const struct btk_bytes text = {cuts->data.data, cuts->step->numbers[0]};
    const struct btk_bytes content = {text.data + text.length, cuts->data.length - text.length};
    uint32_t left = BTK_TEXT_CUT_CLASSES;
    size_t length;
    for (size_t at = 0; at < text.length; at += length) {
        const uint32_t class = btk_text_cut_class(btk_utf8_decode(text.data + at, &length));
        if (left != BTK_TEXT_CUT_CLASSES) btk_cut_set_remove(&cuts->joins.rows[left], class);
        change_to(cuts, class, content, text.length == 1);
        left = class;
    }
}

static bool is_in_run(const struct btk_step *step, uint32_t class)
{
    return btk_cut_class_is_ascii(class) ? btk_normalizer_set_has(step->numbers[1], class)
                                         : is_changing(class);
}

static bool is_beside_run(const void *context, uint32_t left, uint32_t right)
{
    return !is_in_run(context, left) || !is_in_run(context, right);
}

static void replace_run(struct step_cuts *cuts)
{
    btk_cut_relation_restrict(&cuts->joins, is_beside_run, cuts->step);
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++)
        if (is_in_run(cuts->step, class))
            change_to(cuts, class, cuts->data,
                      btk_cut_class_is_ascii(class) && cuts->step->numbers[2] <= 1);
}

static void replace_set(struct step_cuts *cuts)
{
    const size_t set_bytes = cuts->step->numbers[0];
    const struct btk_code_map set =
        btk_code_map_of((struct btk_bytes){cuts->data.data, set_bytes}, cuts->step->numbers[2]);
    const struct btk_bytes content = {cuts->data.data + set_bytes, cuts->data.length - set_bytes};
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++) {
        const bool is_ascii = btk_cut_class_is_ascii(class);
        if (!is_ascii || btk_code_map_has(&set, class)) change_to(cuts, class, content, is_ascii);
    }
}

// --- Precompiled: grapheme clusters one by one

// Before ASCII one ends, but within CR LF, and behind what is put before others (of the changing level).
static bool ends_cluster(const void *context, uint32_t left, uint32_t right)
{
    (void)context;
    return btk_cut_class_is_ascii(right) && !is_changing(left) && !(left == '\r' && right == '\n');
}

// What begins with the byte: a key, longer ones; `units` are sound.
struct key_begin {
    bool is_known;
    bool is_longer;
    bool is_damaged;
    struct btk_bytes text;
};

static struct key_begin find_key(const uint32_t *units, uint32_t unit_count, struct btk_bytes texts,
                                 uint32_t byte)
{
    struct key_begin begin = {.is_damaged = true};
    uint32_t node = btk_charsmap_offset(units[0]) ^ byte;
    if (node >= unit_count) return begin;
    if (!btk_charsmap_is_of(units[node], byte)) return (struct key_begin){0};
    const bool has_value = btk_charsmap_has_value(units[node]);
    node ^= btk_charsmap_offset(units[node]);
    if (has_value) {
        if (node >= unit_count || btk_charsmap_value(units[node]) > texts.length) return begin;
        begin.text = btk_charsmap_text(texts, btk_charsmap_value(units[node]));
    }
    begin.is_damaged = false;
    begin.is_known = has_value;
    for (uint32_t next = 1; next < 256; next++)
        begin.is_longer |=
            (node ^ next) < unit_count && btk_charsmap_is_of(units[node ^ next], next);
    return begin;
}

// What becomes of x its cluster says, which may have begun before it.
static void precompiled(struct step_cuts *cuts)
{
    const uint32_t unit_count = cuts->step->numbers[0];
    const size_t unit_bytes = unit_count * sizeof(uint32_t);
    const struct btk_bytes texts = {cuts->data.data + unit_bytes, cuts->data.length - unit_bytes};
    struct btk_cut_images of_first;
    btk_cut_relation_restrict(&cuts->joins, ends_cluster, NULL);
    btk_cut_images_init(&of_first);
    change_all(cuts);
    for (uint32_t class = 1; class < BTK_TEXT_CUT_ASCII; class ++) {
        const struct key_begin key =
            find_key((const void *)cuts->data.data, unit_count, texts, class);
        if (key.is_damaged) btk_cut_relation_remove_column(&cuts->joins, class);
        if (key.is_damaged || (key.is_known && !key.text.length) || key.is_longer) continue;
        if (key.is_known) btk_cut_images_text(&of_first, class, key.text, true);
        cuts->images.first[class] = of_first.first[class];
    }
}

// --- SentencePiece: without a charsmap only spaces change

static bool sentencepiece(struct step_cuts *cuts)
{
    const uint32_t flags = cuts->step->flags;
    if (flags & (BTK_NORMALIZER_ADDS_SPACE | BTK_NORMALIZER_REMOVES_SPACES)) return false;
    if (cuts->step->numbers[0]) {
        btk_cut_relation_fill(&cuts->joins, false);
        return true;
    }
    if (flags & BTK_NORMALIZER_ESCAPES_SPACES)
        btk_cut_images_text(&cuts->images, ' ', btk_space_mark, true);
    return true;
}

// --- The steps

// False: it looks at the ends of the text.
static bool prove_step(struct step_cuts *cuts)
{
    const struct btk_bytes space = {(const uint8_t *)" ", 1};
    btk_cut_relation_fill(&cuts->joins, true);
    btk_cut_images_init(&cuts->images);
    switch (cuts->step->kind) {
    case BTK_NORMALIZER_STEP_FILTER: change_set(cuts, (struct btk_bytes){0}); return true;
    case BTK_NORMALIZER_STEP_MAP: change_set(cuts, space); return true;
    case BTK_NORMALIZER_STEP_CHINESE: set_apart(cuts); return true;
    case BTK_NORMALIZER_STEP_LOWERCASE: lower(cuts); return true;
    case BTK_NORMALIZER_STEP_FORM: form(cuts); return true;
    case BTK_NORMALIZER_STEP_REPLACE: replace_text(cuts); return cuts->step->numbers[0] != 0;
    case BTK_NORMALIZER_STEP_REPLACE_RUN: replace_run(cuts); return true;
    case BTK_NORMALIZER_STEP_REPLACE_SET: replace_set(cuts); return true;
    case BTK_NORMALIZER_STEP_BYTE_LEVEL: spell_bytes(cuts); return true;
    case BTK_NORMALIZER_STEP_PRECOMPILED: precompiled(cuts); return true;
    case BTK_NORMALIZER_STEP_SENTENCEPIECE: return sentencepiece(cuts);
    case BTK_NORMALIZER_STEP_REPLACE_ALL: btk_cut_relation_fill(&cuts->joins, false); return true;
    default: return false;
    }
}

enum { BERT_STEPS = 6 };

// As compile_normalizer.c makes steps of a BertNormalizer.
static uint32_t bert_steps(uint32_t flags, struct btk_step steps[BERT_STEPS])
{
    static const struct {
        uint32_t flag, kind, number;
    } parts[BERT_STEPS] = {
        {BTK_BERT_CLEAN_TEXT, BTK_NORMALIZER_STEP_FILTER, BTK_NORMALIZER_BERT_CONTROL},
        {BTK_BERT_CLEAN_TEXT, BTK_NORMALIZER_STEP_MAP, BTK_NORMALIZER_WHITESPACE},
        {BTK_BERT_CHINESE, BTK_NORMALIZER_STEP_CHINESE, 0},
        {BTK_BERT_STRIP_ACCENTS, BTK_NORMALIZER_STEP_FORM, 0},
        {BTK_BERT_STRIP_ACCENTS, BTK_NORMALIZER_STEP_FILTER, BTK_NORMALIZER_BERT_MN},
        {BTK_BERT_LOWERCASE, BTK_NORMALIZER_STEP_LOWERCASE, 0},
    };
    uint32_t count = 0;
    for (unsigned i = 0; i < BERT_STEPS; i++)
        if (flags & parts[i].flag)
            steps[count++] = (struct btk_step){.kind = parts[i].kind, .numbers = {parts[i].number}};
    return count;
}

static struct btk_step_list steps_of(const struct btk_image *image,
                                     struct btk_step bert[BERT_STEPS])
{
    if (image->config->normalizer != BTK_NORMALIZER_BERT) return image->normalizer;
    return (struct btk_step_list){bert, bert_steps(image->config->bert_flags, bert)};
}

bool btk_cut_of_normalizer(const struct btk_image *image, struct btk_cut_relation *relation,
                           struct btk_cut_reading *reading, enum btk_no_text_cuts *out_reason)
{
    struct btk_step bert[BERT_STEPS];
    const struct btk_step_list list = steps_of(image, bert);
    struct step_cuts cuts;
    for (uint32_t i = list.count; i-- > 0;) {
        cuts.step = &list.steps[i];
        cuts.data = btk_image_step_data(image, cuts.step);
        *out_reason = BTK_NO_TEXT_CUTS_ENDS;
        if (!prove_step(&cuts)) return false;
        btk_cut_pull_back(relation, &cuts.images);
        btk_cut_reading_pull_back(reading, &cuts.images);
        btk_cut_relation_and(relation, &cuts.joins);
        *out_reason = BTK_NO_TEXT_CUTS_NORMALIZER;
        if (btk_cut_relation_is_empty(relation)) return false;
    }
    return true;
}

// Does a key become nothing? Units that are no letters are looked at, too: then it may be said of too many.
static bool may_remove(const struct btk_step *step, struct btk_bytes data)
{
    const uint32_t *const units = (const void *)data.data;
    const uint32_t unit_count = step->numbers[0];
    const size_t unit_bytes = unit_count * sizeof *units;
    const struct btk_bytes texts = {data.data + unit_bytes, data.length - unit_bytes};
    for (uint32_t at = 0; at < unit_count; at++) {
        const uint32_t node = at ^ btk_charsmap_offset(units[at]);
        if (!btk_charsmap_has_value(units[at]) || node >= unit_count) continue;
        const uint32_t value = btk_charsmap_value(units[node]);
        if (value <= texts.length && !btk_charsmap_text(texts, value).length) return true;
    }
    return false;
}

// Precompiled takes a character that it removes off the one before it. At the beginning of a text there is
// none, and nobody takes it: all places are those of the characters before, as in the reference.
bool btk_cut_normalizer_moves_offsets(const struct btk_image *image)
{
    for (uint32_t i = 0; i < image->normalizer.count; i++) {
        const struct btk_step *const step = &image->normalizer.steps[i];
        if (step->kind == BTK_NORMALIZER_STEP_PRECOMPILED
            && may_remove(step, btk_image_step_data(image, step)))
            return true;
    }
    return false;
}
