// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/pretokenizer/pretokenizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/pretokenizer/stage.h"
#include "tokenizer/regex.h"

enum {
    FIRST_PIECES = BTK_STAGE_FIRST_TEXT_BYTES / 8,
    KEPT_PIECES = 1 << 18,
    KEPT_TEXT_BYTES = 1 << 20,
    WINDOW_BYTES = 32 * 1024,
};

struct btk_pretokenizer {
    struct btk_step_list steps;
    const struct btk_image *image;
    const struct btk_kernels *kernels;
    struct btk_regex **regexes;     // one a step, NULL for most
    struct btk_piece_list lists[2]; // one is read while the other is written
    struct btk_stage_text texts[2]; // the same
    struct btk_pretok pretok;
    struct btk_progress progress;
};

static btk_stage_fn *const stage_functions[BTK_STEP_KIND_END] = {
    [BTK_STEP_SPLIT_WHITESPACE] = btk_stage_split_class,
    [BTK_STEP_SPLIT_PUNCTUATION] = btk_stage_split_class,
    [BTK_STEP_SPLIT_NUMERIC] = btk_stage_split_class,
    [BTK_STEP_SPLIT_WORDS] = btk_stage_split_words,
    [BTK_STEP_SPLIT_LITERAL] = btk_stage_split_literal,
    [BTK_STEP_SPLIT_PATTERN] = btk_stage_split_pattern,
    [BTK_STEP_SPLIT_REGEX] = btk_stage_split_regex,
    [BTK_STEP_SCRIPTS] = btk_stage_scripts,
    [BTK_STEP_FIXED_LENGTH] = btk_stage_fixed_length,
    [BTK_STEP_SPACES] = btk_stage_spaces,
    [BTK_STEP_ALPHABET] = btk_stage_alphabet,
    [BTK_STEP_BYTES] = btk_stage_bytes,
    [BTK_STEP_SPLIT_SET] = btk_stage_split_set,
};

static bool writes(const struct btk_step *step)
{
    return step->kind == BTK_STEP_SPACES || step->kind == BTK_STEP_ALPHABET
           || step->kind == BTK_STEP_BYTES;
}

bool btk_pretokenizer_reads_places(const struct btk_image *image)
{
    for (uint32_t i = 0; i < image->pretokenizer.count; i++) {
        const struct btk_step *const step = &image->pretokenizer.steps[i];
        if (step->kind == BTK_STEP_SPACES && step->numbers[1] == BTK_PREPEND_FIRST) return true;
    }
    return false;
}

// The same of text that an earlier step has written; the others know their place.
static bool reads_places_of_written(const struct btk_step_list *steps)
{
    bool is_written = false;
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct btk_step *const step = &steps->steps[i];
        if (is_written && step->kind == BTK_STEP_SPACES && step->numbers[1] == BTK_PREPEND_FIRST)
            return true;
        is_written |= writes(step);
    }
    return false;
}

static uint32_t growth_of(const struct btk_step *step)
{
    uint8_t mark[4];
    if (step->kind == BTK_STEP_ALPHABET) return 2;
    if (step->kind != BTK_STEP_SPACES) return 1;
    const uint32_t mark_bytes = (uint32_t)btk_utf8_encode(step->numbers[0], mark);
    return mark_bytes + (step->numbers[1] != BTK_PREPEND_NEVER);
}

uint32_t btk_pretokenizer_growth(const struct btk_image *image)
{
    uint64_t growth = 1;
    for (uint32_t i = 0; i < image->pretokenizer.count && growth < UINT32_MAX; i++)
        growth *= growth_of(&image->pretokenizer.steps[i]);
    return growth < UINT32_MAX ? (uint32_t)growth : UINT32_MAX;
}

static int compile_regexes(struct btk_pretokenizer *pretokenizer, struct btk_error *error)
{
    for (uint32_t i = 0; i < pretokenizer->steps.count; i++) {
        const struct btk_step *const step = &pretokenizer->steps.steps[i];
        if (step->kind != BTK_STEP_SPLIT_REGEX) continue;
        const struct btk_bytes pattern = btk_image_step_data(pretokenizer->image, step);
        const int status = btk_regex_new(pattern, &pretokenizer->regexes[i], error);
        if (status < 0) return status;
    }
    return 0;
}

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory for the pre-tokenizer");
}

static int allocate(struct btk_pretokenizer *pretokenizer)
{
    for (unsigned i = 0; i < 2; i++) {
        struct btk_piece_list *const list = &pretokenizer->lists[i];
        list->pieces = malloc(FIRST_PIECES * sizeof *list->pieces);
        if (!list->pieces) return -ENOMEM;
        list->capacity = FIRST_PIECES;
    }
    bool has_text = false;
    for (uint32_t i = 0; i < pretokenizer->steps.count; i++)
        has_text |= writes(&pretokenizer->steps.steps[i]);
    for (unsigned i = 0; has_text && i < 2; i++) {
        const int status =
            btk_stage_text_reset(&pretokenizer->texts[i], BTK_STAGE_FIRST_TEXT_BYTES, true);
        if (status < 0) return status;
        pretokenizer->texts[i].spill_count = 0;
    }
    pretokenizer->regexes = calloc(pretokenizer->steps.count + 1ul, sizeof(struct btk_regex *));
    return pretokenizer->regexes ? 0 : -ENOMEM;
}

int btk_pretokenizer_new(const struct btk_image *image, const struct btk_kernels *kernels,
                         struct btk_pretokenizer **out_pretokenizer, struct btk_error *error)
{
    struct btk_pretokenizer *pretokenizer = calloc(1, sizeof *pretokenizer);
    if (!pretokenizer) return no_memory(error);
    pretokenizer->image = image;
    pretokenizer->kernels = kernels;
    pretokenizer->steps = image->pretokenizer;
    int status = allocate(pretokenizer);
    if (status < 0)
        no_memory(error);
    else
        status = compile_regexes(pretokenizer, error);
    if (status < 0)
        btk_pretokenizer_free(&pretokenizer);
    else
        *out_pretokenizer = pretokenizer;
    return status;
}

void btk_pretokenizer_free(struct btk_pretokenizer **pretokenizer)
{
    struct btk_pretokenizer *const old = *pretokenizer;
    if (!old) return;
    for (uint32_t i = 0; old->regexes && i < old->steps.count; i++)
        btk_regex_free(&old->regexes[i]);
    free(old->regexes);
    for (unsigned i = 0; i < 2; i++) {
        free(old->lists[i].pieces);
        btk_stage_text_clear(&old->texts[i]);
    }
    free(old);
    *pretokenizer = NULL;
}

uint64_t btk_pretokenizer_spill_count(const struct btk_pretokenizer *pretokenizer)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < 2; i++)
        count += pretokenizer->lists[i].spill_count + pretokenizer->texts[i].spill_count;
    return count;
}

void btk_pretokenizer_set_progress(struct btk_pretokenizer *pretokenizer,
                                   struct btk_progress progress)
{
    pretokenizer->progress = progress;
}

// A space is dropped, or begins a piece: it parts the text in any case.
static bool parts_at_spaces(const struct btk_step_list *steps)
{
    if (!steps->count) return false;
    const struct btk_step *const first = &steps->steps[0];
    switch (first->kind) {
    case BTK_STEP_SPLIT_WHITESPACE: return first->numbers[0] == BTK_SPLIT_REMOVED && !first->flags;
    case BTK_STEP_SPLIT_WORDS: return first->numbers[0] == BTK_SPLIT_REMOVED && first->flags;
    case BTK_STEP_SPACES: return first->flags & BTK_SPACES_SPLIT;
    default: return false;
    }
}

size_t btk_pretokenizer_window(const struct btk_pretokenizer *pretokenizer, struct btk_bytes text)
{
    if (text.length <= WINDOW_BYTES || !parts_at_spaces(&pretokenizer->steps)) return text.length;
    const uint8_t *cut = memrchr(text.data + 1, ' ', WINDOW_BYTES - 1);
    if (!cut) cut = memchr(text.data + WINDOW_BYTES, ' ', text.length - WINDOW_BYTES);
    return cut ? (size_t)(cut - text.data) : text.length;
}

static void release_list(struct btk_piece_list *list)
{
    if (list->capacity <= KEPT_PIECES) return;
    struct btk_piece *const pieces = realloc(list->pieces, FIRST_PIECES * sizeof *pieces);
    if (!pieces) return;
    list->pieces = pieces;
    list->capacity = FIRST_PIECES;
}

void btk_pretokenizer_release(struct btk_pretokenizer *pretokenizer)
{
    for (unsigned i = 0; i < 2; i++) {
        release_list(&pretokenizer->lists[i]);
        if (pretokenizer->texts[i].capacity > KEPT_TEXT_BYTES)
            btk_stage_text_clear(&pretokenizer->texts[i]);
    }
}

static struct btk_span written_span(const struct btk_stage *stage)
{
    const struct btk_stage_text *const text = stage->text;
    return (struct btk_span){
        .text = {text->text, text->length},
        .begins = stage->has_maps ? text->begins : NULL,
        .ends = stage->has_maps ? text->ends : NULL,
        .readable_end = text->text + text->capacity, // the slack behind stays unread
    };
}

// One step: the stage's pieces are those that it made.
static int run_step(struct btk_pretokenizer *pretokenizer, uint32_t index, struct btk_stage *stage)
{
    const struct btk_step *const step = &pretokenizer->steps.steps[index];
    struct btk_piece_list *const list =
        &pretokenizer->lists[stage->in == pretokenizer->lists[0].pieces];
    stage->step = step;
    stage->data = btk_image_step_data(pretokenizer->image, step);
    stage->regex = pretokenizer->regexes[index];
    stage->out = list;
    stage->text = &pretokenizer->texts[stage->span.text.data == pretokenizer->texts[0].text];
    list->count = 0;
    list->is_out_of_memory = false;
    const int status = stage_functions[step->kind](stage);
    if (status < 0) return status;
    if (list->is_out_of_memory) return -ENOMEM;
    stage->in = list->pieces;
    stage->in_count = list->count;
    if (writes(step)) stage->span = written_span(stage);
    return 0;
}

int btk_pretokenizer_run(struct btk_pretokenizer *pretokenizer, const struct btk_span *span,
                         bool wants_maps, struct btk_span *out_span,
                         const struct btk_piece **out_pieces, size_t *out_count)
{
    struct btk_piece_list *const first = &pretokenizer->lists[0];
    struct btk_stage stage = {
        .kernels = pretokenizer->kernels,
        .pretok = &pretokenizer->pretok,
        .progress = &pretokenizer->progress,
        .span = *span,
        .has_maps = wants_maps || reads_places_of_written(&pretokenizer->steps),
    };
    if (span->text.length > UINT32_MAX) return -E2BIG;
    first->count = 0;
    btk_piece_list_push(first, 0, span->text.length);
    stage.in = first->pieces;
    stage.in_count = first->count;
    for (uint32_t i = 0; i < pretokenizer->steps.count; i++) {
        const int status = run_step(pretokenizer, i, &stage);
        if (status < 0) return status;
    }
    *out_span = stage.span;
    *out_pieces = stage.in;
    *out_count = stage.in_count;
    return 0;
}
