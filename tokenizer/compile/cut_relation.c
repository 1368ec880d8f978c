// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/compile/cut_relation.h"

#include <string.h>

#include "common/utf8.h"
#include "tokenizer/space_mark.h"

enum btk_text_cut_level btk_cut_class_level(uint32_t class)
{
    if (class == BTK_TEXT_CUT_MARK) return BTK_TEXT_CUT_CHANGES;
    return (class - BTK_TEXT_CUT_ASCII) / BTK_KIND_COUNT;
}

enum btk_unicode_kind btk_cut_class_kind(uint32_t class)
{
    if (btk_cut_class_is_ascii(class)) return btk_unicode_kind(class);
    if (class == BTK_TEXT_CUT_MARK) return btk_unicode_kind(BTK_SPACE_MARK_CODE_POINT);
    return (class - BTK_TEXT_CUT_ASCII) % BTK_KIND_COUNT;
}

bool btk_cut_class_is_plain(uint32_t class)
{
    return btk_cut_class_is_ascii(class) || btk_cut_class_level(class) == BTK_TEXT_CUT_PLAIN;
}

void btk_cut_relation_fill(struct btk_cut_relation *relation, bool holds)
{
    memset(relation, 0, sizeof *relation);
    for (uint32_t left = 0; holds && left < BTK_TEXT_CUT_CLASSES; left++)
        for (uint32_t right = 0; right < BTK_TEXT_CUT_CLASSES; right++)
            btk_cut_set_add(&relation->rows[left], right);
}

bool btk_cut_relation_is_empty(const struct btk_cut_relation *relation)
{
    uint64_t found = 0;
    for (uint32_t left = 0; left < BTK_TEXT_CUT_CLASSES; left++)
        for (uint32_t i = 0; i < BTK_TEXT_CUT_ROW_WORDS; i++)
            found |= relation->rows[left].words[i];
    return !found;
}

static void set_and(struct btk_cut_set *set, const struct btk_cut_set *other)
{
    for (uint32_t i = 0; i < BTK_TEXT_CUT_ROW_WORDS; i++) set->words[i] &= other->words[i];
}

void btk_cut_relation_and(struct btk_cut_relation *relation, const struct btk_cut_relation *other)
{
    for (uint32_t left = 0; left < BTK_TEXT_CUT_CLASSES; left++)
        set_and(&relation->rows[left], &other->rows[left]);
}

void btk_cut_relation_or(struct btk_cut_relation *relation, const struct btk_cut_relation *other)
{
    for (uint32_t left = 0; left < BTK_TEXT_CUT_CLASSES; left++)
        for (uint32_t i = 0; i < BTK_TEXT_CUT_ROW_WORDS; i++)
            relation->rows[left].words[i] |= other->rows[left].words[i];
}

void btk_cut_relation_remove_row(struct btk_cut_relation *relation, uint32_t class)
{
    relation->rows[class] = (struct btk_cut_set){0};
}

void btk_cut_relation_remove_column(struct btk_cut_relation *relation, uint32_t class)
{
    for (uint32_t left = 0; left < BTK_TEXT_CUT_CLASSES; left++)
        btk_cut_set_remove(&relation->rows[left], class);
}

void btk_cut_relation_restrict(struct btk_cut_relation *relation, btk_cut_predicate *holds,
                               const void *context)
{
    for (uint32_t left = 0; left < BTK_TEXT_CUT_CLASSES; left++)
        for (uint32_t right = 0; right < BTK_TEXT_CUT_CLASSES; right++)
            if (btk_cut_set_has(&relation->rows[left], right) && !holds(context, left, right))
                btk_cut_set_remove(&relation->rows[left], right);
}

void btk_cut_images_init(struct btk_cut_images *images)
{
    memset(images, 0, sizeof *images);
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++) {
        btk_cut_set_add(&images->last[class], class);
        btk_cut_set_add(&images->first[class], class);
    }
}

void btk_cut_images_any(struct btk_cut_images *images, uint32_t class)
{
    images->changes[class] = true;
    memset(&images->last[class], 0xff, sizeof images->last[class]);
    memset(&images->first[class], 0xff, sizeof images->first[class]);
}

static uint32_t last_class(struct btk_bytes text)
{
    size_t at = text.length - 1, length;
    while (at > 0 && (text.data[at] & 0xc0) == 0x80) at--;
    return btk_text_cut_class(btk_utf8_decode(text.data + at, &length));
}

void btk_cut_images_text(struct btk_cut_images *images, uint32_t class, struct btk_bytes text,
                         bool always)
{
    size_t length;
    if (btk_cut_class_is_ascii(class) && text.length == 1 && text.data[0] == class) return;
    images->changes[class] = true;
    if (always) images->last[class] = images->first[class] = (struct btk_cut_set){0};
    btk_cut_set_add(&images->last[class], last_class(text));
    btk_cut_set_add(&images->first[class], btk_text_cut_class(btk_utf8_decode(text.data, &length)));
}

static bool is_within(const struct btk_cut_set *inner, const struct btk_cut_set *outer)
{
    uint64_t outside = 0;
    for (uint32_t i = 0; i < BTK_TEXT_CUT_ROW_WORDS; i++)
        outside |= inner->words[i] & ~outer->words[i];
    return !outside;
}

// What may stand behind all that x may become. Bits beyond the last class are no classes.
static struct btk_cut_set behind_all(const struct btk_cut_relation *relation,
                                     const struct btk_cut_set *lasts)
{
    struct btk_cut_set set;
    memset(&set, 0xff, sizeof set);
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++)
        if (btk_cut_set_has(lasts, class)) set_and(&set, &relation->rows[class]);
    for (uint32_t class = BTK_TEXT_CUT_CLASSES; class < 64 * BTK_TEXT_CUT_ROW_WORDS; class ++)
        btk_cut_set_add(&set, class);
    return set;
}

void btk_cut_pull_back(struct btk_cut_relation *relation, const struct btk_cut_images *images)
{
    const struct btk_cut_relation behind = *relation;
    for (uint32_t left = 0; left < BTK_TEXT_CUT_CLASSES; left++) {
        const struct btk_cut_set firsts = behind_all(&behind, &images->last[left]);
        relation->rows[left] = (struct btk_cut_set){0};
        for (uint32_t right = 0; right < BTK_TEXT_CUT_CLASSES; right++)
            if (is_within(&images->first[right], &firsts))
                btk_cut_set_add(&relation->rows[left], right);
    }
}

static bool is_mark_alone(const struct btk_cut_set *set)
{
    struct btk_cut_set mark = {0};
    btk_cut_set_add(&mark, BTK_TEXT_CUT_MARK);
    return memcmp(set, &mark, sizeof mark) == 0;
}

void btk_cut_reading_pull_back(struct btk_cut_reading *reading, const struct btk_cut_images *images)
{
    const bool is_marked = images->changes[' '] && is_mark_alone(&images->last[' '])
                           && is_mark_alone(&images->first[' '])
                           && reading->of[BTK_TEXT_CUT_MARK] == BTK_CUT_READS_ITSELF;
    for (uint32_t class = 0; class < BTK_TEXT_CUT_CLASSES; class ++)
        if (images->changes[class]) reading->of[class] = BTK_CUT_READS_OTHERS;
    if (is_marked) reading->of[' '] = BTK_CUT_READS_MARK;
}
