// SPDX-License-Identifier: Apache-2.0
// Are the steps of an image sound? Part of the library that a coordinator links, without the engine.
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/code_map.h"
#include "tokenizer/image.h"
#include "tokenizer/image_check.h"
#include "tokenizer/pretokenizer/step_kind.h"

static bool is_char(uint32_t code_point)
{
    return code_point < 0xd800 || (code_point >= 0xe000 && code_point < 0x110000);
}

static const char *fault_of_split(const struct btk_step *step, struct btk_bytes data)
{
    if (step->numbers[0] >= BTK_SPLIT_BEHAVIOR_COUNT) return "has no such behaviour";
    // Only a model may read what is cut within characters.
    if (step->kind == BTK_STEP_SPLIT_PATTERN
        && (step->numbers[1] >= BTK_PATTERN_COUNT || step->numbers[1] == BTK_PATTERN_FALCON))
        return "has no such pattern";
    if (step->kind == BTK_STEP_SPLIT_SET)
        return btk_code_map_is_sound(data, step->numbers[1]) ? NULL : "has a set that is none";
    // A match is never in the middle of a character.
    if (btk_utf8_valid_prefix(data.data, data.length) != data.length) return "is not UTF-8";
    return NULL;
}

// NULL: it is sound.
static const char *fault_of(const struct btk_step *step, struct btk_bytes data, bool is_last)
{
    switch (step->kind) {
    case BTK_STEP_SPLIT_WHITESPACE:
    case BTK_STEP_SPLIT_PUNCTUATION:
    case BTK_STEP_SPLIT_NUMERIC:
    case BTK_STEP_SPLIT_WORDS:
    case BTK_STEP_SPLIT_LITERAL:
    case BTK_STEP_SPLIT_PATTERN:
    case BTK_STEP_SPLIT_SET:
    case BTK_STEP_SPLIT_REGEX: return fault_of_split(step, data);
    case BTK_STEP_SCRIPTS:
    case BTK_STEP_ALPHABET: return NULL;
    case BTK_STEP_FIXED_LENGTH: return step->numbers[0] ? NULL : "has pieces of no length";
    case BTK_STEP_SPACES:
        if (!is_char(step->numbers[0])) return "has no such character";
        return step->numbers[1] < BTK_PREPEND_SCHEME_COUNT ? NULL : "has no such scheme";
    // Only a model may read what is not UTF-8.
    case BTK_STEP_BYTES: return is_last ? NULL : "goes on after its bytes";
    default: return "has no such step";
    }
}

static bool cuts_characters(const struct btk_image *view)
{
    const struct btk_step_list list = view->pretokenizer;
    return view->config->pattern == BTK_PATTERN_FALCON
           || (list.count && list.steps[list.count - 1].kind == BTK_STEP_BYTES);
}

int btk_pretokenizer_check(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_step_list list = view->pretokenizer;
    if (view->config->pretokenizer < BTK_PRETOKENIZER_BERT
        || view->config->pretokenizer > BTK_PRETOKENIZER_STEPS)
        return btk_image_refuse(error, "its pre-tokenizer is unknown");
    if (view->config->pattern >= BTK_PATTERN_COUNT)
        return btk_image_refuse(error, "its pattern is unknown");
    if (cuts_characters(view)
        && (view->config->model != BTK_MODEL_BPE
            || !(view->config->flags & BTK_PIPELINE_MODEL_READS_BYTES)))
        return btk_image_refuse(error, "its model does not read the bytes that it gets");
    for (uint32_t i = 0; i < list.count; i++) {
        const struct btk_bytes data = btk_image_step_data(view, &list.steps[i]);
        const char *const fault = fault_of(&list.steps[i], data, i + 1 == list.count);
        if (fault) return btk_image_refuse_section(error, BTK_SECTION_PRETOKENIZER_STEPS, fault);
    }
    return 0;
}
