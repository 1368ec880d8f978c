// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/normalizer/normalizer.h"

#include <errno.h>
#include <stdlib.h>

#include "tokenizer/normalizer/step_functions.h"

struct btk_normalizer {
    const struct btk_kernels *kernels;
    struct btk_progress progress;
    struct btk_pass_buffer buffers[2];
    struct btk_pass_chars chars[2];
    uint64_t spill_count;
    uint32_t step_count;
    struct btk_step_runner steps[];
};

typedef void btk_step_fn(struct btk_step_runner *runner, struct btk_pass *pass);

static btk_step_fn *const step_functions[] = {
#define STEP(NAME, function) [BTK_NORMALIZER_STEP_##NAME] = btk_normalizer_##function,
    BTK_NORMALIZER_LIST(STEP)
#undef STEP
};

static int no_memory(struct btk_error *error)
{
    return btk_error_set(error, ENOMEM, BTK_NO_OFFSET, "not enough memory for the normalizer");
}

static void clear_buffer(struct btk_pass_buffer *buffer)
{
    free(buffer->text);
    free(buffer->begins);
    free(buffer->ends);
    *buffer = (struct btk_pass_buffer){0};
}

static bool try_init_buffer(struct btk_pass_buffer *buffer)
{
    buffer->text = malloc(BTK_PASS_BYTES + BTK_PASS_SLACK_BYTES);
    buffer->begins = malloc(BTK_PASS_BYTES * sizeof *buffer->begins);
    buffer->ends = malloc(BTK_PASS_BYTES * sizeof *buffer->ends);
    buffer->text_capacity = buffer->map_capacity = BTK_PASS_BYTES;
    if (buffer->text && buffer->begins && buffer->ends) return true;
    clear_buffer(buffer);
    return false;
}

static bool try_init_chars(struct btk_pass_chars *chars)
{
    chars->chars = malloc(BTK_PASS_CHARS * sizeof *chars->chars);
    chars->capacity = chars->chars ? BTK_PASS_CHARS : 0;
    return chars->chars;
}

static int prepare_step(struct btk_normalizer *normalizer, const struct btk_image *image,
                        uint32_t index, struct btk_error *error)
{
    struct btk_step_runner *const runner = &normalizer->steps[index];
    runner->step = &image->normalizer.steps[index];
    runner->data = btk_image_step_data(image, runner->step);
    runner->chars = normalizer->chars;
    if (runner->step->kind == BTK_NORMALIZER_STEP_PRECOMPILED) btk_precompiled_prepare(runner);
    if (runner->step->kind == BTK_NORMALIZER_STEP_SENTENCEPIECE) btk_sentencepiece_prepare(runner);
    if (runner->step->kind != BTK_NORMALIZER_STEP_REPLACE_ALL) return 0;
    const struct btk_bytes pattern = {runner->data.data, runner->step->numbers[0]};
    return btk_regex_new(pattern, &runner->regex, error);
}

static int init(struct btk_normalizer *normalizer, const struct btk_image *image,
                struct btk_error *error)
{
    if (!try_init_buffer(&normalizer->buffers[0]) || !try_init_buffer(&normalizer->buffers[1])
        || !try_init_chars(&normalizer->chars[0]) || !try_init_chars(&normalizer->chars[1]))
        return no_memory(error);
    int status = 0;
    for (uint32_t i = 0; i < normalizer->step_count && !status; i++)
        status = prepare_step(normalizer, image, i, error);
    return status;
}

int btk_normalizer_new(const struct btk_image *image, const struct btk_kernels *kernels,
                       struct btk_normalizer **out_normalizer, struct btk_error *error)
{
    const uint32_t count = image->normalizer.count;
    struct btk_normalizer *normalizer =
        calloc(1, sizeof *normalizer + count * sizeof *normalizer->steps);
    if (!normalizer) return no_memory(error);
    normalizer->kernels = kernels;
    normalizer->step_count = count;
    const int status = init(normalizer, image, error);
    if (status < 0)
        btk_normalizer_free(&normalizer);
    else
        *out_normalizer = normalizer;
    return status;
}

void btk_normalizer_free(struct btk_normalizer **normalizer)
{
    if (!*normalizer) return;
    clear_buffer(&(*normalizer)->buffers[0]);
    clear_buffer(&(*normalizer)->buffers[1]);
    free((*normalizer)->chars[0].chars);
    free((*normalizer)->chars[1].chars);
    for (uint32_t i = 0; i < (*normalizer)->step_count; i++)
        btk_regex_free(&(*normalizer)->steps[i].regex);
    free(*normalizer);
    *normalizer = NULL;
}

void btk_normalizer_set_progress(struct btk_normalizer *normalizer, struct btk_progress progress)
{
    normalizer->progress = progress;
}

uint64_t btk_normalizer_spill_count(const struct btk_normalizer *normalizer)
{
    return normalizer->spill_count;
}

// Where the memory for the usual size is not there any more, the next pass asks for it again.
void btk_normalizer_release(struct btk_normalizer *normalizer)
{
    for (unsigned i = 0; i < 2; i++) {
        struct btk_pass_buffer *const buffer = &normalizer->buffers[i];
        if (btk_max_size(buffer->text_capacity, buffer->map_capacity) > BTK_PASS_BYTES) {
            clear_buffer(buffer);
            (void)try_init_buffer(buffer);
        }
        struct btk_pass_chars *const chars = &normalizer->chars[i];
        if (chars->capacity > BTK_PASS_CHARS) {
            free(chars->chars);
            (void)try_init_chars(chars);
        }
    }
}

static struct btk_span written_span(const struct btk_pass *pass)
{
    const struct btk_pass_buffer *const buffer = pass->buffer;
    return (struct btk_span){
        .text = {buffer->text, pass->length},
        .base = pass->source->base,
        .begins = pass->has_maps ? buffer->begins : NULL,
        .ends = pass->has_maps ? buffer->ends : NULL,
        .readable_end = buffer->text + pass->length + BTK_PASS_SLACK_BYTES,
    };
}

int btk_normalizer_run(struct btk_normalizer *normalizer, const struct btk_span *source,
                       bool wants_maps, struct btk_span *out)
{
    struct btk_span result = *source;
    size_t empty_bytes = 0;
    unsigned next = 0;
    for (uint32_t i = 0; i < normalizer->step_count && result.text.length; i++) {
        struct btk_step_runner *const runner = &normalizer->steps[i];
        struct btk_pass pass = {
            .source = &result,
            .buffer = &normalizer->buffers[next],
            .kernels = normalizer->kernels,
            .progress = &normalizer->progress,
            .spill_count = &normalizer->spill_count,
            .origin = btk_span_source_begin(source, 0),
            .empty_bytes = empty_bytes,
            .all_is_empty = true,
            .wants_maps = wants_maps,
        };
        step_functions[runner->step->kind](runner, &pass);
        if (pass.status < 0) return pass.status;
        if (!pass.starts) continue;
        result = written_span(&pass);
        next ^= 1;
        empty_bytes = pass.out_empty;
    }
    *out = result;
    return 0;
}
