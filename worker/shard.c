// SPDX-License-Identifier: Apache-2.0
#include "worker/shard.h"

#include <errno.h>
#include <string.h>

#include "common/status.h"

static int copy_ends(struct btk_shard *shard, const struct btk_assignment *assignment,
                     const uint8_t *slab)
{
    const size_t bytes = assignment->document_count * sizeof(uint64_t);
    const int rc = btk_private_memory_reserve(&shard->workspace->ends, bytes);
    if (rc != 0) return rc;
    const uint8_t *table = slab + assignment->table_offset;
    shard->ends = shard->workspace->ends.address;
    btk_shard_copy(
        shard, shard->workspace->ends.address,
        (struct btk_bytes){table + assignment->first_document * sizeof(uint64_t), bytes});
    return 0;
}

int btk_shard_open(struct btk_shard *shard, const struct btk_assignment *assignment,
                   const uint8_t *slab, struct btk_error *error)
{
    const int rc = copy_ends(shard, assignment, slab);
    if (rc != 0) return btk_error_set(error, -rc, BTK_NO_OFFSET, "shard: %s", strerror(-rc));
    shard->text = slab + assignment->text_offset;
    shard->begin = assignment->shard_begin;
    shard->document_count = assignment->document_count;
    shard->has_shapes = (assignment->flags & BTK_ASSIGNMENT_HAS_SHAPES) != 0;
    uint64_t before = shard->begin;
    const uint64_t limit = assignment->shard_begin + assignment->shard_bytes;
    for (uint32_t i = 0; i < shard->document_count; i++) {
        const uint64_t end = btk_document_end(shard->ends[i]);
        if (end < before || end > limit)
            return btk_error_set(error, EPROTO, BTK_NO_OFFSET,
                                 "document %u of the shard ends at %llu: expected %llu to %llu", i,
                                 (unsigned long long)end, (unsigned long long)before,
                                 (unsigned long long)limit);
        before = end;
    }
    return 0;
}

uint64_t btk_shard_bound(const struct btk_shard *shard)
{
    const struct btk_encode_options options = btk_shard_encode_options(shard);
    const bool is_decode = shard->options->op == BTK_OPERATION_DECODE;
    uint64_t bound = 0;
    for (uint32_t i = 0; i < shard->document_count; i++) {
        const size_t bytes = btk_shard_document(shard, i).length;
        bound += is_decode ? btk_decode_bound(shard->tokenizer, bytes / sizeof(uint32_t))
                           : btk_encode_bound(shard->tokenizer, bytes, &options);
    }
    return bound;
}

void btk_shard_copy(const struct btk_shard *shard, void *destination, struct btk_bytes source)
{
    uint8_t *out = destination;
    while (source.length > 0) {
        const size_t window = btk_min_size(source.length, BTK_SHARD_WINDOW_BYTES);
        memcpy(out, source.data, window);
        btk_worker_page_add(&shard->page->progress, 1);
        out += window;
        source.data += window;
        source.length -= window;
    }
}

struct btk_encode_options btk_shard_encode_options(const struct btk_shard *shard)
{
    const uint32_t flags = shard->options->flags;
    struct btk_encode_options options = BTK_ENCODE_DEFAULTS;
    options.add_special_tokens = (flags & BTK_OPTIONS_ADD_SPECIAL_TOKENS) != 0;
    if ((flags & BTK_OPTIONS_OFFSETS_BYTE) != 0) options.offsets_unit = BTK_OFFSETS_BYTE;
    if ((flags & BTK_OPTIONS_UTF8_REPLACE) != 0) options.invalid_utf8 = BTK_INVALID_UTF8_REPLACE;
    options.special_text = btk_batch_options_special_text(shard->options);
    return options;
}

bool btk_shard_is_plain(const struct btk_shard *shard)
{
    const uint32_t beyond =
        BTK_FIELD_SEQUENCE_IDS | BTK_FIELD_ATTENTION_MASK | BTK_FIELD_OVERFLOWING;
    return !shard->has_shapes && (shard->options->fields & beyond) == 0
           && (shard->options->flags & BTK_OPTIONS_GROUPED) == 0
           && btk_batch_options_truncation_source(shard->options) == BTK_OPTION_IS_OFF
           && btk_batch_options_padding_source(shard->options) == BTK_OPTION_IS_OFF;
}

void btk_shard_fail_document(struct btk_result_block *block, int rc,
                             const struct btk_error_info *error)
{
    const uint32_t status = btk_status_of_engine(rc);
    if (btk_status_has_offset(status))
        btk_result_block_fail(block, status, error->offset, NULL);
    else
        btk_result_block_fail(block, status, 0, error->message);
}

static void renew_lease(void *context)
{
    struct btk_worker_page *page = context;
    btk_worker_page_add(&page->progress, 1);
}

void btk_shard_report_progress(const struct btk_shard *shard)
{
    btk_scratch_set_progress(shard->scratch, renew_lease, shard->page);
}

static void trim_buffer(struct btk_buffer *buffer)
{
    if (buffer->capacity > BTK_PRIVATE_MEMORY_KEEP_BYTES) btk_buffer_clear(buffer);
}

void btk_workspace_trim(struct btk_workspace *workspace)
{
    btk_private_memory_trim(&workspace->ends);
    btk_private_memory_trim(&workspace->text);
    btk_private_memory_trim(&workspace->columns);
    btk_private_memory_trim(&workspace->sources);
    btk_private_memory_trim(&workspace->block);
    trim_buffer(&workspace->buffers.token_text);
    trim_buffer(&workspace->buffers.messages);
    trim_buffer(&workspace->buffers.encodings);
    trim_buffer(&workspace->inputs);
    if (workspace->encodings != NULL
        && btk_encodings_bytes(workspace->encodings) > BTK_ENCODINGS_KEEP_BYTES)
        btk_encodings_free(&workspace->encodings);
}

void btk_workspace_clear(struct btk_workspace *workspace)
{
    btk_private_memory_clear(&workspace->ends);
    btk_private_memory_clear(&workspace->text);
    btk_private_memory_clear(&workspace->columns);
    btk_private_memory_clear(&workspace->sources);
    btk_private_memory_clear(&workspace->block);
    btk_buffer_clear(&workspace->buffers.token_text);
    btk_buffer_clear(&workspace->buffers.messages);
    btk_buffer_clear(&workspace->buffers.encodings);
    btk_buffer_clear(&workspace->inputs);
    btk_encodings_free(&workspace->encodings);
}
