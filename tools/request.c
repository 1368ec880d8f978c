// SPDX-License-Identifier: Apache-2.0
#include "tools/request.h"

void btk_request_batch_init(struct btk_request_batch *batch)
{
    btk_buffer_init(&batch->text);
    btk_buffer_init(&batch->ends);
    btk_buffer_init(&batch->shapes);
    btk_buffer_init(&batch->word_ends);
    btk_buffer_init(&batch->lines);
    batch->options = NULL;
    batch->has_shapes = false;
}

void btk_request_batch_reset(struct btk_request_batch *batch)
{
    batch->text.length = 0;
    batch->ends.length = 0;
    batch->shapes.length = 0;
    batch->word_ends.length = 0;
    batch->lines.length = 0;
    batch->has_shapes = false;
}

void btk_request_batch_clear(struct btk_request_batch *batch)
{
    btk_buffer_clear(&batch->text);
    btk_buffer_clear(&batch->ends);
    btk_buffer_clear(&batch->shapes);
    btk_buffer_clear(&batch->word_ends);
    btk_buffer_clear(&batch->lines);
}

int btk_request_end_document(struct btk_request_batch *batch, const struct btk_request_shape *shape)
{
    static const struct btk_request_shape plain = {.pair_begin = BTK_REQUEST_NO_PAIR};
    const uint64_t end = batch->text.length;
    if (shape) batch->has_shapes = true;
    const int status = btk_buffer_append(&batch->shapes, shape ? shape : &plain, sizeof plain);
    return status < 0 ? status : btk_buffer_append(&batch->ends, &end, sizeof end);
}

int btk_request_add_line(struct btk_request_batch *batch, const struct btk_request_line *line)
{
    return btk_buffer_append(&batch->lines, line, sizeof *line);
}

static struct btk_encode_text text_of(const struct btk_request_batch *batch, struct btk_bytes text,
                                      bool is_split, uint64_t first_word, uint32_t word_count)
{
    static const uint64_t no_words[1];
    const uint64_t *const ends = (const uint64_t *)(const void *)batch->word_ends.data;
    return (struct btk_encode_text){
        .data = text.length ? (const char *)text.data : "",
        .bytes = text.length,
        .word_ends = !is_split    ? NULL
                     : word_count ? ends + first_word
                                  : no_words,
        .word_count = word_count,
    };
}

struct btk_encode_input btk_request_input(const struct btk_request_batch *batch, size_t index)
{
    const struct btk_request_shape *const shape = btk_request_shape_of(batch, index);
    const struct btk_bytes all = btk_request_document(batch, index);
    struct btk_bytes text = all, pair = {NULL, 0};
    const bool has_pair = shape->pair_begin != BTK_REQUEST_NO_PAIR;
    if (has_pair) {
        text.length = shape->pair_begin;
        pair = (struct btk_bytes){all.data + shape->pair_begin, all.length - shape->pair_begin};
    }
    return (struct btk_encode_input){
        .text = text_of(batch, text, shape->is_split, shape->first_word, shape->word_count),
        .has_pair = has_pair,
        .pair = text_of(batch, pair, shape->pair_is_split, shape->first_word + shape->word_count,
                        shape->pair_word_count),
    };
}
