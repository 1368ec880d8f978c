// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/decoder/plan.h"

#include "tokenizer/decoder/step_kind.h"

bool btk_decoder_is_token_step(const struct btk_step *step)
{
    return step->kind < BTK_DECODE_CTC;
}

static bool is_kind(const struct btk_step_list *list, uint32_t at, uint32_t kind)
{
    return at < list->count && list->steps[at].kind == kind;
}

static bool looks_at_first(const struct btk_step *step)
{
    return step->kind == BTK_DECODE_SPACED || step->kind == BTK_DECODE_WORDPIECE
           || (step->kind == BTK_DECODE_METASPACE && !(step->flags & BTK_METASPACE_KEEPS_FIRST));
}

// What looks at the end of the list is only known at its end, and what may fail has no text that
// could be kept.
static bool may_be_fused(const struct btk_step *step)
{
    return btk_decoder_is_token_step(step) && step->kind != BTK_DECODE_SUFFIX
           && !(step->kind == BTK_DECODE_STRIP && step->numbers[2]);
}

static uint32_t end_of_fused(const struct btk_step_list *list, uint32_t at)
{
    while (at < list->count && may_be_fused(&list->steps[at])) at++;
    return at;
}

static bool any_looks_at_first(const struct btk_step_list *list, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++)
        if (looks_at_first(&list->steps[i])) return true;
    return false;
}

static struct btk_decoder_plan plan_sentencepiece(const struct btk_step_list *list)
{
    const uint32_t flags = list->steps[0].flags;
    return (struct btk_decoder_plan){
        .is_fused = true,
        .has_runs = true,
        .runs_are_apart = true,
        .drops_space = flags & BTK_SENTENCEPIECE_DROPS_SPACE,
        .drops_spaces = flags & BTK_SENTENCEPIECE_DROPS_SPACES,
        .tail_begin = list->count,
    };
}

struct btk_decoder_plan btk_decoder_plan(const struct btk_image *image)
{
    const struct btk_step_list *const list = &image->decoder;
    if (is_kind(list, 0, BTK_DECODE_SENTENCEPIECE)) return plan_sentencepiece(list);
    struct btk_decoder_plan plan = {0};
    uint32_t at = plan.head_end = end_of_fused(list, 0);
    plan.first_differs = any_looks_at_first(list, 0, at);
    if (is_kind(list, at, BTK_DECODE_BYTE_FALLBACK)) {
        plan.has_runs = true;
        plan.middle_begin = at + 1;
        at = plan.middle_end = end_of_fused(list, at + 1);
        // A run of bytes may be several strings, or none of its own.
        if (plan.first_differs || any_looks_at_first(list, plan.middle_begin, at)) return plan;
    }
    if (is_kind(list, at, BTK_DECODE_BYTE_LEVEL) && !plan.has_runs) {
        plan.is_lossy = true;
        at++;
    } else if (is_kind(list, at, BTK_DECODE_FUSE)) {
        at++;
    } else if (at < list->count) {
        return plan;
    }
    plan.is_fused = true;
    plan.tail_begin = at;
    plan.tail_strips =
        at + 1 == list->count && is_kind(list, at, BTK_DECODE_STRIP) && !list->steps[at].numbers[2];
    return plan;
}

// --- Bounds

static uint64_t limited(uint64_t value)
{
    return value < BTK_DECODER_UNBOUNDED ? value : BTK_DECODER_UNBOUNDED;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    return b && a > BTK_DECODER_UNBOUNDED / b ? BTK_DECODER_UNBOUNDED : limited(a * b);
}

// Each of `found` bytes, or each place between characters, becomes `put` bytes.
static uint64_t replaced(uint64_t bytes, uint64_t count, uint64_t found, uint64_t put)
{
    if (!found) return limited(bytes + times(bytes + count, put));
    return times(bytes, put > found ? (put + found - 1) / found : 1);
}

uint64_t btk_decoder_bound(const struct btk_image *image, uint32_t begin, uint32_t end,
                           uint64_t bytes, uint64_t count)
{
    for (uint32_t i = begin; i < end; i++) {
        const struct btk_step *const step = &image->decoder.steps[i];
        const uint64_t first = step->numbers[0], second = step->data_bytes - first;
        switch (step->kind) {
        case BTK_DECODE_SPACED:
        case BTK_DECODE_WORDPIECE: bytes = limited(bytes + count); break;
        case BTK_DECODE_REPLACE: bytes = replaced(bytes, count, first, second); break;
        case BTK_DECODE_REPLACE_REGEX: bytes = replaced(bytes, count, 0, second); break;
        case BTK_DECODE_SUFFIX: bytes = replaced(bytes, count, first, 1); break;
        case BTK_DECODE_CTC: bytes = replaced(bytes, count, second, 1); break;
        case BTK_DECODE_BYTE_LEVEL: bytes = times(bytes, 3); break;
        default: break;
        }
        if (step->kind == BTK_DECODE_BYTE_LEVEL || step->kind == BTK_DECODE_FUSE) count = 1;
    }
    return bytes;
}
