// SPDX-License-Identifier: Apache-2.0
// What the steps need to be true, and how much they let a text grow. No part of the engine: whoever
// checks images links this.
#include "tokenizer/code_map.h"
#include "tokenizer/image_check.h"
#include "tokenizer/normalizer/steps.h"

static bool is_sound_replace(const struct btk_step *step, struct btk_bytes data)
{
    const size_t pattern_bytes = step->numbers[0];
    return pattern_bytes <= data.length
           && btk_image_is_utf8((struct btk_bytes){data.data, pattern_bytes})
           && btk_image_is_utf8(
               (struct btk_bytes){data.data + pattern_bytes, data.length - pattern_bytes});
}

static bool is_sound_set(const struct btk_step *step, struct btk_bytes data)
{
    const size_t set_bytes = step->numbers[0];
    return set_bytes <= data.length
           && btk_code_map_is_sound((struct btk_bytes){data.data, set_bytes}, step->numbers[2])
           && btk_image_is_utf8((struct btk_bytes){data.data + set_bytes, data.length - set_bytes});
}

// Where the double array leads out of itself is found when it is followed.
static bool is_sound_charsmap(const struct btk_step *step, struct btk_bytes data)
{
    const uint64_t unit_bytes = (uint64_t)step->numbers[0] * sizeof(uint32_t);
    return step->numbers[0] && unit_bytes <= data.length
           && btk_image_is_utf8(
               (struct btk_bytes){data.data + unit_bytes, data.length - unit_bytes});
}

// Symbols are not empty, sorted, and inside.
static bool is_sound_sentencepiece(const struct btk_step *step, struct btk_bytes data)
{
    const uint64_t head = ((uint64_t)step->numbers[0] + step->numbers[2]) * sizeof(uint32_t);
    if (head > data.length) return false;
    const uint32_t *const ends = (const uint32_t *)(const void *)data.data + step->numbers[0];
    const uint8_t *const texts = data.data + head;
    uint32_t begin = 0;
    for (uint32_t i = 0; i < step->numbers[2]; i++) {
        if (ends[i] <= begin || ends[i] > data.length - head
            || !btk_image_is_utf8((struct btk_bytes){texts + begin, ends[i] - begin}))
            return false;
        begin = ends[i];
    }
    return btk_image_is_utf8((struct btk_bytes){texts + begin, data.length - head - begin});
}

// A regular expression is compiled, and so checked, where it is used; its bytes are any.
static bool is_sound(const struct btk_step *step, struct btk_bytes data)
{
    switch (step->kind) {
    case BTK_NORMALIZER_STEP_FILTER:
    case BTK_NORMALIZER_STEP_MAP: return step->numbers[0] < BTK_NORMALIZER_SET_COUNT;
    case BTK_NORMALIZER_STEP_PREPEND:
    case BTK_NORMALIZER_STEP_REPLACE_BEGIN: return btk_image_is_utf8(data);
    case BTK_NORMALIZER_STEP_REPLACE_RUN:
        return step->numbers[1] < BTK_NORMALIZER_SET_COUNT && step->numbers[2]
               && btk_image_is_utf8(data);
    case BTK_NORMALIZER_STEP_REPLACE:
    // Whether matches are as long as it says is seen when there is one.
    case BTK_NORMALIZER_STEP_REPLACE_ALL: return is_sound_replace(step, data);
    case BTK_NORMALIZER_STEP_REPLACE_SET: return is_sound_set(step, data);
    case BTK_NORMALIZER_STEP_PRECOMPILED: return is_sound_charsmap(step, data);
    case BTK_NORMALIZER_STEP_SENTENCEPIECE: return is_sound_sentencepiece(step, data);
    default: return step->kind < BTK_NORMALIZER_STEP_COUNT;
    }
}

int btk_normalizer_check(const struct btk_image *image, struct btk_error *error)
{
    if (image->config->normalizer > BTK_NORMALIZER_STEPS)
        return btk_image_refuse(error, "its normalizer is unknown");
    for (uint32_t i = 0; i < image->normalizer.count; i++) {
        const struct btk_step *const step = &image->normalizer.steps[i];
        if (!is_sound(step, btk_image_step_data(image, step)))
            return btk_image_refuse_section(error, BTK_SECTION_NORMALIZER_STEPS,
                                            "has a step that is none");
    }
    return 0;
}

static size_t saturated_product(size_t a, size_t b)
{
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

static size_t saturated_sum(size_t a, size_t b)
{
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

// Compatibility: U+FDFA, three bytes, has 33 then. Canonical: a Hangul syllable has nine.
static size_t form_growth(uint32_t flags)
{
    return flags & BTK_NORMALIZER_COMPATIBLE ? 11 : 3;
}

static size_t replace_bound(const struct btk_step *step, size_t bytes)
{
    const size_t content = step->data_bytes - step->numbers[0];
    const size_t match = step->numbers[step->kind == BTK_NORMALIZER_STEP_REPLACE ? 0 : 1];
    if (!match) return saturated_sum(bytes, saturated_product(content, saturated_sum(bytes, 1)));
    if (content <= match) return bytes;
    return saturated_sum(saturated_product(content, bytes / match), bytes % match);
}

// No character that these make or leave has a compatibility decomposition, if none had one before.
static bool keeps_stable(const struct btk_step *step)
{
    return step->kind == BTK_NORMALIZER_STEP_FILTER || step->kind == BTK_NORMALIZER_STEP_MAP
           || step->kind == BTK_NORMALIZER_STEP_STRIP
           || step->kind == BTK_NORMALIZER_STEP_LOWERCASE;
}

static bool becomes_stable(const struct btk_step *step, bool is_stable)
{
    if (step->kind == BTK_NORMALIZER_STEP_FORM) return step->flags == BTK_NORMALIZER_COMPATIBLE;
    return is_stable && keeps_stable(step);
}

static size_t charsmap_growth(const struct btk_step *step, bool is_stable)
{
    return btk_max_size(step->numbers[is_stable ? 2 : 1], 1);
}

static size_t step_bound(const struct btk_step *step, bool is_stable, size_t bytes)
{
    switch (step->kind) {
    case BTK_NORMALIZER_STEP_CHINESE:
    case BTK_NORMALIZER_STEP_LOWERCASE:
    case BTK_NORMALIZER_STEP_BYTE_LEVEL: return saturated_product(bytes, 2);
    case BTK_NORMALIZER_STEP_FORM: return saturated_product(bytes, form_growth(step->flags));
    case BTK_NORMALIZER_STEP_PREPEND:
    case BTK_NORMALIZER_STEP_REPLACE_BEGIN: return saturated_sum(bytes, step->data_bytes);
    case BTK_NORMALIZER_STEP_REPLACE:
    case BTK_NORMALIZER_STEP_REPLACE_ALL:
    case BTK_NORMALIZER_STEP_REPLACE_SET: return replace_bound(step, bytes);
    case BTK_NORMALIZER_STEP_REPLACE_RUN:
        return saturated_product(bytes, btk_max_size(step->data_bytes, 1));
    case BTK_NORMALIZER_STEP_PRECOMPILED:
        return saturated_product(bytes, charsmap_growth(step, is_stable));
    // A space has three bytes then.
    case BTK_NORMALIZER_STEP_SENTENCEPIECE:
        return saturated_sum(
            3, saturated_product(3, saturated_product(bytes, btk_max_size(step->numbers[1], 1))));
    default: return bytes;
    }
}

size_t btk_normalizer_bound(const struct btk_image *image, size_t source_bytes)
{
    size_t bytes = source_bytes;
    bool is_stable = false;
    for (uint32_t i = 0; bytes && i < image->normalizer.count; i++) {
        const struct btk_step *const step = &image->normalizer.steps[i];
        bytes = step_bound(step, is_stable, bytes);
        is_stable = becomes_stable(step, is_stable);
    }
    return bytes;
}
