// SPDX-License-Identifier: Apache-2.0
// Images whose post-processor was made by hand: each number that leads outside is refused.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "tests/tokenizer/small_tokenizers.h"
#include "tokenizer/image.h"
#include "tokenizer/postprocessor/program.h"

static const char more[] =
    "\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\","
    "\"trim_offsets\":true,\"add_prefix_space\":true},{\"type\":\"BertProcessing\","
    "\"cls\":[\"odd\",1],\"sep\":[\"bar\",2]}]},"
    "\"truncation\":{\"direction\":\"Right\",\"max_length\":7,\"strategy\":\"OnlyFirst\","
    "\"stride\":1},\"padding\":{\"strategy\":\"BatchLongest\",\"direction\":\"Left\","
    "\"pad_to_multiple_of\":8,\"pad_id\":3,\"pad_type_id\":2,\"pad_token\":\"<>\"},";

static struct btk_image_header *make_image(void)
{
    struct btk_buffer image = btk_small_image(btk_small_wordpiece_json("", more));
    struct btk_image_header *const header =
        aligned_alloc(BTK_IMAGE_ALIGNMENT, btk_align_up(image.length, BTK_IMAGE_ALIGNMENT));
    cr_assert_not_null(header);
    memcpy(header, image.data, image.length);
    btk_buffer_clear(&image);
    return header;
}

static struct btk_step *step_of(struct btk_image_header *header, unsigned index)
{
    return (struct btk_step *)(void *)((uint8_t *)header
                                       + header->sections[BTK_SECTION_POSTPROCESSOR_STEPS].offset)
           + index;
}

static uint8_t *data_of(struct btk_image_header *header, unsigned step)
{
    return (uint8_t *)header + header->sections[BTK_SECTION_STEP_DATA].offset
           + step_of(header, step)->data_begin;
}

static int verify(struct btk_image_header *header, struct btk_error *error)
{
    header->checksum =
        btk_hash_xxh3((uint8_t *)header + sizeof *header, header->bytes - sizeof *header, 0);
    return btk_image_verify(header, header->bytes, error);
}

static void expect_refused(struct btk_image_header *header, const char *part)
{
    struct btk_error error;
    cr_expect_eq(verify(header, &error), -EPROTO, "%s was let through", part);
    cr_expect_not_null(strstr(error.message, part), "%s", error.message);
    free(header);
}

// The parts of the pair with special tokens, which has everything.
static struct btk_post_part *parts_of(struct btk_image_header *header)
{
    return (void *)(data_of(header, 3) + sizeof(struct btk_post_head));
}

Test(hostile_postprocessor, what_the_compiler_makes_is_sound)
{
    struct btk_error error;
    struct btk_image_header *const header = make_image();
    cr_expect_eq(verify(header, &error), 0, "%s", error.message);
    cr_expect_eq(parts_of(header)[1].sequence, 1);
    free(header);
}

Test(hostile_postprocessor, parts_stay_inside_of_their_lists)
{
    struct btk_image_header *header = make_image();
    parts_of(header)[0].sequence = 2;
    expect_refused(header, "no such sequence");
    header = make_image();
    ((struct btk_post_part *)(void *)(data_of(header, 0) + sizeof(struct btk_post_head)))
        ->sequence = 1;
    expect_refused(header, "no such sequence");
    header = make_image();
    parts_of(header)[1].first_token = UINT32_MAX;
    expect_refused(header, "no such special token");
    header = make_image();
    parts_of(header)[1].after_count = UINT32_MAX;
    expect_refused(header, "no such special token");
    header = make_image();
    parts_of(header)[0].trim_count++;
    parts_of(header)[0].first_trim++;
    expect_refused(header, "no such trim");
    header = make_image();
    parts_of(header)[1].first_range[1] = 1000;
    expect_refused(header, "no such range");
}

Test(hostile_postprocessor, ranges_and_tokens_stay_inside_of_what_they_name)
{
    struct btk_image_header *header = make_image();
    const struct btk_step *const step = step_of(header, 3);
    const size_t tokens_at =
        sizeof(struct btk_post_head) + step->numbers[0] * sizeof(struct btk_post_part);
    const size_t ranges_at = tokens_at + step->numbers[1] * sizeof(struct btk_post_token)
                             + step->numbers[2] * sizeof(struct btk_post_trim);
    struct btk_post_range *range = (void *)(data_of(header, 3) + ranges_at);
    range->end = 3;
    expect_refused(header, "range outside of its part");
    header = make_image();
    range = (void *)(data_of(header, 3) + ranges_at);
    range->begin = range->end + 1;
    expect_refused(header, "range outside of its part");
    header = make_image();
    range = (void *)(data_of(header, 3) + ranges_at);
    range->sequence_id = BTK_POST_SEQUENCE_LIMIT;
    expect_refused(header, "too many sequences");
    header = make_image();
    struct btk_post_token *token = (void *)(data_of(header, 3) + tokens_at);
    token->text = 9;
    expect_refused(header, "no such text");
    header = make_image();
    token = (void *)(data_of(header, 3) + tokens_at);
    token[1] = (struct btk_post_token){.id = 1 << 20};
    expect_refused(header, "no such id");
}

Test(hostile_postprocessor, steps_have_their_order_and_their_lengths)
{
    struct btk_image_header *header = make_image();
    step_of(header, 2)->flags = 1;
    expect_refused(header, "no program for a mode");
    header = make_image();
    step_of(header, 3)->numbers[1] = BTK_POST_TOKEN_LIMIT + 1;
    expect_refused(header, "too long");
    header = make_image();
    step_of(header, 3)->numbers[3]++;
    expect_refused(header, "program of the wrong length");
    header = make_image();
    step_of(header, 4)->numbers[0] = 1 << 15;
    expect_refused(header, "no texts");
    header = make_image();
    *(uint32_t *)(void *)data_of(header, 4) = 1000;
    expect_refused(header, "text outside of its data");
    header = make_image();
    const struct btk_step truncation = *step_of(header, 5);
    *step_of(header, 5) = *step_of(header, 6);
    *step_of(header, 6) = truncation;
    expect_refused(header, "order");
    header = make_image();
    ((struct btk_post_truncation *)(void *)data_of(header, 5))->strategy = 3;
    expect_refused(header, "no such truncation");
    header = make_image();
    ((struct btk_post_padding *)(void *)data_of(header, 6))->direction = 2;
    expect_refused(header, "no such padding");
    header = make_image();
    data_of(header, 6)[sizeof(struct btk_post_padding)] = 0xff;
    expect_refused(header, "not UTF-8");
}
