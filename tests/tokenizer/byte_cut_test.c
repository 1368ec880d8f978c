// SPDX-License-Identifier: Apache-2.0
// What stands between the cuts of a piece, merged by itself and from whole characters on, gives what the
// whole piece gives from its bytes on.
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tokenizer/small_models.h"
#include "tokenizer/model/bpe.h"
#include "tokenizer/model/byte_cut.h"

enum {
    MODELS = 300,
    TEXTS = 100,
    MERGES = 60,
    CHARS = 40,
    TEXT_BYTES = 4 * CHARS,
    SAMPLE_BYTES = 600
};

static struct btk_small_model model;

// Few characters that share bytes, so that merges of parts of characters meet each other.
static size_t random_text(uint64_t *seed, size_t chars, uint8_t *out)
{
    static const char *const letters[] = {"a",
                                          " ",
                                          "\303\251",
                                          "\303\251",
                                          "\344\270\255",
                                          "\344\270\200",
                                          "\345\233\275",
                                          "\345\270\255",
                                          "\360\237\230\200"};
    size_t length = 0;
    for (size_t i = 0; i < chars; i++) {
        const char *const one = letters[btk_small_random(seed) % BTK_ARRAY_COUNT(letters)];
        memcpy(out + length, one, strlen(one));
        length += strlen(one);
    }
    return length;
}

static uint32_t find_token(const uint8_t *bytes, size_t length)
{
    for (uint32_t id = 0; id < model.token_count; id++)
        if (model.tokens[id].length == length && memcmp(model.tokens[id].bytes, bytes, length) == 0)
            return id;
    return UINT32_MAX;
}

// Joins two tokens that stand side by side in a text.
static void add_merge(uint64_t *seed, const uint8_t *sample, size_t sample_bytes)
{
    const size_t begin = btk_small_random(seed) % (sample_bytes - 10);
    const size_t left_bytes = 1 + btk_small_random(seed) % 5;
    const size_t right_bytes = 1 + btk_small_random(seed) % 5;
    const uint32_t left = find_token(sample + begin, left_bytes);
    const uint32_t right = find_token(sample + begin + left_bytes, right_bytes);
    const size_t length = left_bytes + right_bytes;
    if (left == UINT32_MAX || right == UINT32_MAX
        || find_token(sample + begin, length) != UINT32_MAX)
        return;
    struct btk_small_token *const token = &model.tokens[model.token_count];
    memcpy(token->bytes, sample + begin, length);
    token->length = length;
    model.merges[model.merge_count++] = (struct btk_small_merge){left, right, model.token_count++};
}

static void make_model(uint64_t *seed)
{
    uint8_t sample[SAMPLE_BYTES];
    const size_t sample_bytes = random_text(seed, SAMPLE_BYTES / 4, sample);
    btk_small_bpe(&model, 1, 0);
    for (unsigned tries = 0; tries < 4000 && model.merge_count < MERGES; tries++)
        add_merge(seed, sample, sample_bytes);
    const bool is_shuffled = btk_small_random(seed) % 2;
    // In half of the models ranks do not follow each other as merges do that stand on others.
    for (uint32_t i = model.merge_count; i > 1 && is_shuffled; i--) {
        const size_t other = btk_small_random(seed) % i;
        const struct btk_small_merge merge = model.merges[i - 1];
        model.merges[i - 1] = model.merges[other];
        model.merges[other] = merge;
    }
}

// All of it from its bytes on.
static size_t merge_plainly(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                            struct btk_bytes text, uint32_t *out_ids)
{
    struct btk_image_config config = *image->config;
    struct btk_image plain = *image;
    size_t count;
    config.model_flags &= ~(uint32_t)BTK_MODEL_HAS_BYTE_CUTS;
    plain.config = &config;
    cr_assert_eq(btk_bpe_merge(&plain, scratch, text, &count), 0);
    memcpy(out_ids, scratch->ids, count * sizeof *out_ids);
    return count;
}

// Returns how many cuts there were.
static size_t compare(const struct btk_image *image, struct btk_bpe_scratch *scratch,
                      struct btk_bytes text)
{
    uint32_t whole[TEXT_BYTES];
    size_t part_count, count = 0, cuts = 0;
    const size_t whole_count = merge_plainly(image, scratch, text, whole);
    for (size_t begin = 0, end; begin < text.length; begin = end) {
        end = btk_byte_next_cut(image, text, begin);
        const struct btk_bytes part = {text.data + begin, end - begin};
        cr_assert_eq(btk_bpe_merge(image, scratch, part, &part_count), 0);
        cr_assert_leq(count + part_count, whole_count);
        cr_assert_eq(memcmp(whole + count, scratch->ids, part_count * sizeof *whole), 0);
        count += part_count;
        cuts += end < text.length;
    }
    cr_assert_eq(count, whole_count);
    return cuts;
}

Test(byte_cut, parts_and_whole_characters_merge_to_what_the_bytes_of_the_piece_merge_to,
     .timeout = 100)
{
    uint64_t seed = 5;
    size_t cuts = 0, whole_chars = 0;
    for (unsigned i = 0; i < MODELS; i++) {
        struct btk_buffer json;
        struct btk_image image;
        struct btk_bpe_scratch scratch;
        struct btk_error error;
        size_t bytes;
        make_model(&seed);
        btk_small_bpe_json(&model, "", &json);
        void *const memory = btk_small_image(&json, &bytes);
        cr_assert_eq(btk_image_view(memory, bytes, &image, &error), 0);
        cr_assert(image.config->model_flags & BTK_MODEL_HAS_BYTE_CUTS);
        for (uint64_t j = 0; j <= image.whole_char_mask; j++)
            whole_chars += image.whole_chars[j].key != UINT32_MAX;
        cr_assert_eq(btk_bpe_scratch_init(&scratch, &image, TEXT_BYTES), 0);
        for (unsigned j = 0; j < TEXTS; j++) {
            uint8_t text[TEXT_BYTES];
            const size_t length = random_text(&seed, 1 + btk_small_random(&seed) % CHARS, text);
            cuts += compare(&image, &scratch, (struct btk_bytes){text, length});
        }
        btk_bpe_scratch_clear(&scratch);
        btk_buffer_clear(&json);
        free(memory);
    }
    cr_assert_gt(cuts, MODELS * TEXTS); // otherwise nothing was shown
    cr_assert_gt(whole_chars, MODELS / 2);
}
