// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/text_cut.h"

#include "common/unicode.h"
#include "common/unicode_normal.h"
#include "common/utf8.h"
#include "tokenizer/model/bpe_cut.h"
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/space_mark.h"

static bool is_of_a_set(uint32_t code_point)
{
    for (unsigned set = 0; set < BTK_NORMALIZER_SET_COUNT; set++)
        if (btk_normalizer_set_has(set, code_point)) return true;
    return false;
}

static enum btk_text_cut_level level_of(uint32_t code_point)
{
    const uint16_t classes = btk_unicode_classes(code_point);
    const uint16_t bits = btk_unicode_normal_bits(code_point);
    const unsigned cluster = (bits & BTK_NORMAL_CLUSTER) >> BTK_NORMAL_CLUSTER_SHIFT;
    if ((classes & (BTK_CLASS_COMBINES | BTK_CLASS_REGEX_SPACE)) || (bits & BTK_NORMAL_NFC_CHECK)
        || cluster == BTK_GRAPHEME_PREPEND || is_of_a_set(code_point))
        return BTK_TEXT_CUT_CHANGES;
    if ((classes & (BTK_CLASS_DECOMPOSES | BTK_CLASS_HAS_LOWERCASE))
        || (bits & (BTK_NORMAL_NFKC_CHECK | BTK_NORMAL_COMPATIBLE)))
        return BTK_TEXT_CUT_FOLDS;
    return BTK_TEXT_CUT_PLAIN;
}

uint32_t btk_text_cut_class(uint32_t code_point)
{
    if (code_point < BTK_TEXT_CUT_ASCII) return code_point;
    if (code_point == BTK_SPACE_MARK_CODE_POINT) return BTK_TEXT_CUT_MARK;
    return btk_text_cut_class_of(level_of(code_point), btk_unicode_kind(code_point));
}

// The character before `at`; false: there is none that is valid.
static bool try_before(struct btk_bytes text, size_t at, uint32_t *out_code_point)
{
    size_t begin = at - 1, length, skip;
    while (begin > 0 && at - begin < 4 && (text.data[begin] & 0xc0) == 0x80) begin--;
    length = btk_utf8_check(text.data + begin, at - begin, &skip);
    if (length != at - begin) return false;
    *out_code_point = btk_utf8_decode(text.data + begin, &length);
    return true;
}

static bool try_behind(struct btk_bytes text, size_t at, uint32_t *out_code_point)
{
    size_t length, skip;
    if (!btk_utf8_check(text.data + at, text.length - at, &skip)) return false;
    *out_code_point = btk_utf8_decode(text.data + at, &length);
    return true;
}

// What the model reads for a character of a class that is proved inside of words.
static uint32_t read_as(const struct btk_image *image, uint32_t code_point)
{
    const bool is_marked = image->config->text_cuts == BTK_TEXT_CUTS_INSIDE_MARKED_WORDS;
    return is_marked && code_point == ' ' ? BTK_SPACE_MARK_CODE_POINT : code_point;
}

bool btk_text_is_cut(const struct btk_image *image, struct btk_bytes text, size_t at)
{
    uint32_t left, right;
    if (image->config->text_cuts == BTK_TEXT_CUTS_NONE || at == 0 || at >= text.length
        || (text.data[at] & 0xc0) == 0x80 || !try_before(text, at, &left)
        || !try_behind(text, at, &right))
        return false;
    const uint32_t row = btk_text_cut_class(left), column = btk_text_cut_class(right);
    const uint64_t word = image->text_cuts[row * BTK_TEXT_CUT_ROW_WORDS + column / 64];
    if (!(word >> column % 64 & 1)) return false;
    return image->config->text_cuts == BTK_TEXT_CUTS_BETWEEN_WORDS
           || btk_bpe_is_cut(image, read_as(image, left), read_as(image, right));
}

size_t btk_text_next_cut(const struct btk_image *image, struct btk_bytes text, size_t at)
{
    if (at == 0) return 0;
    if (image->config->text_cuts == BTK_TEXT_CUTS_NONE) return text.length;
    while (at < text.length && !btk_text_is_cut(image, text, at)) at++;
    return btk_min_size(at, text.length);
}

bool btk_text_cuts_move_offsets(const struct btk_image *image)
{
    return image->config->flags & BTK_PIPELINE_CUTS_MOVE_OFFSETS;
}

const char *btk_text_cut_reason(const struct btk_image *image)
{
    static const char *const reasons[BTK_NO_TEXT_CUTS_COUNT] = {
        [BTK_NO_TEXT_CUTS_DROPOUT] = "the model draws what it leaves out",
        [BTK_NO_TEXT_CUTS_ENDS] = "the normalizer looks at the ends of a text",
        [BTK_NO_TEXT_CUTS_NORMALIZER] = "no place is known where the normalizer joins nothing",
        [BTK_NO_TEXT_CUTS_PATTERN] = "no place is known where the pre-tokenizer always cuts",
        [BTK_NO_TEXT_CUTS_WHOLE] = "the model reads a text as one piece",
        [BTK_NO_TEXT_CUTS_PREFIX] = "the pre-tokenizer puts a character before a text",
        [BTK_NO_TEXT_CUTS_TEMPLATE] = "the post-processor does not show the text once",
        [BTK_NO_TEXT_CUTS_ADDED] = "an added token may lie across any place",
    };
    return image->config->text_cuts == BTK_TEXT_CUTS_NONE ? reasons[image->config->no_text_cuts]
                                                          : NULL;
}
