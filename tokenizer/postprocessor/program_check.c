// SPDX-License-Identifier: Apache-2.0
// Are the post-processor's programs of an image sound? Part of the library that a coordinator links,
// without the engine.
#include "common/utf8.h"
#include "tokenizer/image.h"
#include "tokenizer/image_check.h"
#include "tokenizer/postprocessor/program.h"

static bool is_inside(uint32_t first, uint64_t count, uint32_t total)
{
    return first <= total && count <= total - first;
}

// At every length of the sequence the range begins before it ends, and ends inside of the part.
static const char *fault_of_range(const struct btk_post_part *part,
                                  const struct btk_post_range *range)
{
    if (range->sequence_id >= BTK_POST_SEQUENCE_LIMIT) return "has too many sequences";
    if (range->end_grows > 1 || range->begin > range->end
        || range->end > part->before_count + part->after_count)
        return "has a range outside of its part";
    return NULL;
}

static const char *fault_of_part(const struct btk_step *step, const struct btk_post_part *part,
                                 const struct btk_post_range *ranges)
{
    const uint32_t sequence_max = step->flags & BTK_POST_IS_PAIR ? 1 : 0;
    if (part->sequence != BTK_POST_NO_SEQUENCE && part->sequence > sequence_max)
        return "has no such sequence";
    if (!is_inside(part->first_token, (uint64_t)part->before_count + part->after_count,
                   step->numbers[1]))
        return "has no such special token";
    if (!is_inside(part->first_trim, part->trim_count, step->numbers[2])) return "has no such trim";
    for (unsigned kind = 0; kind < 2; kind++) {
        if (!is_inside(part->first_range[kind], part->range_count[kind], step->numbers[3]))
            return "has no such range";
        for (uint32_t i = 0; i < part->range_count[kind]; i++) {
            const char *const fault = fault_of_range(part, &ranges[part->first_range[kind] + i]);
            if (fault) return fault;
        }
    }
    return NULL;
}

static const char *fault_of_token(const struct btk_image *view, const struct btk_post_token *token,
                                  uint32_t text_count)
{
    if (token->is_special > 1 || token->text > text_count) return "has no such text";
    if (!token->text && token->id >= view->config->token_count) return "has no such id";
    return NULL;
}

static const char *fault_of_program(const struct btk_image *view, unsigned mode,
                                    uint32_t text_count)
{
    const struct btk_step *const step = &view->postprocessor.steps[mode];
    const uint32_t *const counts = step->numbers;
    if (step->kind != BTK_POST_PROGRAM || step->flags != mode) return "has no program for a mode";
    if (counts[0] > BTK_POST_PART_LIMIT || counts[1] > BTK_POST_TOKEN_LIMIT
        || counts[2] > BTK_POST_TOKEN_LIMIT || counts[3] > BTK_POST_TOKEN_LIMIT)
        return "is too long";
    const size_t bytes = sizeof(struct btk_post_head) + counts[0] * sizeof(struct btk_post_part)
                         + counts[1] * sizeof(struct btk_post_token)
                         + counts[2] * sizeof(struct btk_post_trim)
                         + counts[3] * sizeof(struct btk_post_range);
    if (step->data_bytes != bytes) return "has a program of the wrong length";
    const struct btk_post_program program = btk_post_program_get(view, mode);
    const char *fault = NULL;
    for (uint32_t i = 0; !fault && i < counts[0]; i++)
        fault = fault_of_part(step, &program.parts[i], program.ranges);
    for (uint32_t i = 0; !fault && i < counts[1]; i++)
        fault = fault_of_token(view, &program.tokens[i], text_count);
    return fault;
}

static const char *fault_of_texts(const struct btk_image *view, const struct btk_step *step)
{
    const uint32_t count = step->numbers[0];
    if (step->kind != BTK_POST_TEXTS || count > BTK_POST_TOKEN_LIMIT
        || step->data_bytes < count * sizeof(uint32_t))
        return "has no texts";
    const uint32_t *const ends = (const void *)btk_image_step_data(view, step).data;
    const uint8_t *const text = (const uint8_t *)(ends + count);
    const size_t text_bytes = step->data_bytes - count * sizeof *ends;
    uint32_t begin = 0;
    for (uint32_t i = 0; i < count; begin = ends[i++]) {
        if (ends[i] < begin || ends[i] > text_bytes) return "has a text outside of its data";
        if (btk_utf8_valid_prefix(text + begin, ends[i] - begin) != ends[i] - begin)
            return "is not UTF-8";
    }
    return NULL;
}

static const char *fault_of_option(const struct btk_image *view, const struct btk_step *step)
{
    const struct btk_bytes data = btk_image_step_data(view, step);
    if (step->kind == BTK_POST_TRUNCATION) {
        const struct btk_post_truncation *const truncation = (const void *)data.data;
        if (data.length != sizeof *truncation) return "has a truncation of the wrong length";
        return truncation->strategy > 2 || truncation->direction > 1 ? "has no such truncation"
                                                                     : NULL;
    }
    const struct btk_post_padding *const padding = (const void *)data.data;
    if (step->kind != BTK_POST_PADDING) return "has no such step";
    if (data.length < sizeof *padding || data.length > sizeof *padding + BTK_POST_TEXT_BYTES_LIMIT)
        return "has a padding of the wrong length";
    const size_t bytes = data.length - sizeof *padding;
    if (btk_utf8_valid_prefix(data.data + sizeof *padding, bytes) != bytes) return "is not UTF-8";
    return padding->direction > 1 || padding->has_length > 1 ? "has no such padding" : NULL;
}

static const char *fault_of_all(const struct btk_image *view)
{
    const struct btk_step_list list = view->postprocessor;
    if (!list.count) return NULL;
    if (list.count <= BTK_POST_MODE_COUNT) return "has too few steps";
    const struct btk_step *const texts = &list.steps[BTK_POST_MODE_COUNT];
    const char *fault = fault_of_texts(view, texts);
    for (unsigned mode = 0; !fault && mode < BTK_POST_MODE_COUNT; mode++)
        fault = fault_of_program(view, mode, texts->numbers[0]);
    uint32_t kind = BTK_POST_TEXTS;
    for (uint32_t i = BTK_POST_MODE_COUNT + 1; !fault && i < list.count; i++) {
        if (list.steps[i].kind <= kind) return "has its steps in another order";
        kind = list.steps[i].kind;
        fault = fault_of_option(view, &list.steps[i]);
    }
    return fault;
}

int btk_postprocessor_check(const struct btk_image *view, struct btk_error *error)
{
    const char *const fault = fault_of_all(view);
    return fault ? btk_image_refuse_section(error, BTK_SECTION_POSTPROCESSOR_STEPS, fault) : 0;
}
