// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/postprocessor/program.h"

#include <assert.h>
#include <stddef.h>

// Without a post-processor the sequences stand one behind the other; only those of a pair that were
// not cut know which they are.
static const struct btk_post_range plain_ranges[] = {{0, 0, 0, 1}, {1, 0, 0, 1}};
static const struct btk_post_part plain_single[] = {{.sequence = 0}};
static const struct btk_post_part plain_pair[] = {
    {.sequence = 0, .first_range = {0, 0}, .range_count = {1, 0}},
    {.sequence = 1, .type_ids = {1, 1}, .first_range = {1, 0}, .range_count = {1, 0}},
};

static struct btk_post_program plain_program(unsigned mode)
{
    const bool is_pair = mode & BTK_POST_IS_PAIR;
    return (struct btk_post_program){
        .part_count = is_pair ? 2 : 1,
        .parts = is_pair ? plain_pair : plain_single,
        .ranges = plain_ranges,
    };
}

struct btk_post_program btk_post_program_get(const struct btk_image *image, unsigned mode)
{
    assert(mode < BTK_POST_MODE_COUNT);
    if (!image->postprocessor.count) return plain_program(mode);
    const struct btk_step *const step = &image->postprocessor.steps[mode];
    const uint8_t *at = btk_image_step_data(image, step).data;
    const struct btk_post_head *const head = (const void *)at;
    struct btk_post_program program = {
        .added_count = head->added_count,
        .fails = head->fails,
        .part_count = step->numbers[0],
    };
    at += sizeof *head;
    program.parts = (const void *)at;
    at += step->numbers[0] * sizeof *program.parts;
    program.tokens = (const void *)at;
    at += step->numbers[1] * sizeof *program.tokens;
    program.trims = (const void *)at;
    at += step->numbers[2] * sizeof *program.trims;
    program.ranges = (const void *)at;
    return program;
}

static const struct btk_step *find_step(const struct btk_image *image, uint32_t kind)
{
    for (uint32_t i = 0; i < image->postprocessor.count; i++)
        if (image->postprocessor.steps[i].kind == kind) return &image->postprocessor.steps[i];
    return NULL;
}

struct btk_bytes btk_post_text(const struct btk_image *image, uint32_t index)
{
    const struct btk_step *const step = find_step(image, BTK_POST_TEXTS);
    if (!step || index - 1 >= step->numbers[0]) return (struct btk_bytes){NULL, 0};
    const uint32_t *const ends = (const void *)btk_image_step_data(image, step).data;
    const uint8_t *const text = (const uint8_t *)(ends + step->numbers[0]);
    const uint32_t begin = index > 1 ? ends[index - 2] : 0;
    return (struct btk_bytes){text + begin, ends[index - 1] - begin};
}

const struct btk_post_truncation *btk_post_truncation_get(const struct btk_image *image)
{
    const struct btk_step *const step = find_step(image, BTK_POST_TRUNCATION);
    return step ? (const void *)btk_image_step_data(image, step).data : NULL;
}

const struct btk_post_padding *btk_post_padding_get(const struct btk_image *image,
                                                    struct btk_bytes *out_token)
{
    const struct btk_step *const step = find_step(image, BTK_POST_PADDING);
    if (!step) return NULL;
    const struct btk_bytes data = btk_image_step_data(image, step);
    *out_token = (struct btk_bytes){data.data + sizeof(struct btk_post_padding),
                                    data.length - sizeof(struct btk_post_padding)};
    return (const void *)data.data;
}
