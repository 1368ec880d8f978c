// SPDX-License-Identifier: Apache-2.0
#include "tools/request.h"

void btk_request_batch_init(struct btk_request_batch *batch)
{
    btk_buffer_init(&batch->text);
    btk_buffer_init(&batch->ends);
    btk_buffer_init(&batch->lines);
    batch->add_special_tokens = true;
}

void btk_request_batch_reset(struct btk_request_batch *batch)
{
    batch->text.length = 0;
    batch->ends.length = 0;
    batch->lines.length = 0;
}

void btk_request_batch_clear(struct btk_request_batch *batch)
{
    btk_buffer_clear(&batch->text);
    btk_buffer_clear(&batch->ends);
    btk_buffer_clear(&batch->lines);
}

int btk_request_end_document(struct btk_request_batch *batch)
{
    const uint64_t end = batch->text.length;
    return btk_buffer_append(&batch->ends, &end, sizeof end);
}

int btk_request_add_line(struct btk_request_batch *batch, const struct btk_request_line *line)
{
    return btk_buffer_append(&batch->lines, line, sizeof *line);
}
