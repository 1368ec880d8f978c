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
