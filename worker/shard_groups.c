// SPDX-License-Identifier: Apache-2.0
// Encodes the documents of a shard that are more than one text, or become more than one encoding:
// pairs, words, truncation, padding. The documents that are padded together are copied, encoded in one
// call of the engine, and then copied into the block:
//
//     slab -> private copies -> struct btk_encodings -> columns of the block
#include <errno.h>
#include <string.h>

#include "ipc/document.h"
#include "worker/shard.h"

// A shard is not to become more than this beyond what its texts hold themselves, however many
// documents it has (struct btk_encoding_options says what counts).
#define SHARD_COST_MAX BTK_ENCODING_COST_MAX

enum { ENCODING_COST = 16 };

// Documents that are encoded together.
struct group {
    uint32_t first;
    uint32_t count;
    uint64_t text_bytes;
};

static int fill_options(const struct btk_shard *shard, struct btk_encoding_options *options,
                        struct btk_error_info *error)
{
    const struct btk_batch_options *const given = shard->options;
    const uint8_t truncation = btk_batch_options_truncation_source(given);
    const uint8_t padding = btk_batch_options_padding_source(given);
    *options = (struct btk_encoding_options)BTK_ENCODING_DEFAULTS;
    options->encode = btk_shard_encode_options(shard);
    options->fields = given->fields;
    btk_tokenizer_configured(shard->tokenizer, &options->truncation, &options->padding);
    if (padding == BTK_OPTION_IS_OFF) options->padding.is_on = false;
    if (padding == BTK_OPTION_IS_GIVEN) options->padding = btk_batch_options_padding(given);
    if (truncation == BTK_OPTION_IS_OFF) options->truncation.is_on = false;
    if (truncation != BTK_OPTION_IS_GIVEN) return 0;
    options->truncation = btk_batch_options_truncation(given);
    return btk_truncation_check(shard->tokenizer, &options->truncation, error);
}

static uint64_t cost_max_of(const struct btk_shard *shard)
{
    const uint64_t asked = shard->options->cost_max;
    return asked > 0 && asked < SHARD_COST_MAX ? asked : SHARD_COST_MAX;
}

// --- Groups

static struct group group_at(const struct btk_shard *shard, uint32_t first, bool is_grouped)
{
    struct group group = {.first = first};
    bool is_last = false;
    while (!is_last && first + group.count < shard->document_count) {
        const uint32_t index = first + group.count++;
        group.text_bytes += btk_shard_document(shard, index).length;
        is_last = !is_grouped || (shard->ends[index] & BTK_GROUP_END) != 0;
    }
    return group;
}

static int read_document(const struct btk_shard *shard, struct btk_bytes copy,
                         struct btk_encode_input *out_input, struct btk_error_info *error)
{
    *out_input = (struct btk_encode_input){.text = {(const char *)copy.data, copy.length, NULL, 0}};
    if (!shard->has_shapes) return 0;
    struct btk_error why;
    const int rc = btk_document_read(copy, out_input, &why);
    if (rc != 0) memcpy(error->message, why.message, sizeof error->message);
    return rc;
}

// Copies all documents to where nobody changes them, and lists them.
static int read_group(const struct btk_shard *shard, const struct group *group,
                      struct btk_error_info *error)
{
    struct btk_workspace *const workspace = shard->workspace;
    const uint64_t room = group->text_bytes + (uint64_t)group->count * BTK_DOCUMENT_ALIGNMENT;
    int rc = btk_private_memory_reserve(&workspace->text, room);
    if (rc != 0) return rc;
    uint8_t *at = workspace->text.address;
    workspace->inputs.length = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct btk_bytes document = btk_shard_document(shard, group->first + i);
        struct btk_encode_input input;
        btk_shard_copy(shard, at, document);
        rc = read_document(shard, (struct btk_bytes){at, document.length}, &input, error);
        if (rc == 0) rc = btk_buffer_append(&workspace->inputs, &input, sizeof input);
        if (rc != 0) return rc;
        at += btk_align_up(document.length, BTK_DOCUMENT_ALIGNMENT);
    }
    return 0;
}

static int encode_group(const struct btk_shard *shard, const struct group *group,
                        const struct btk_encoding_options *options, struct btk_error_info *error)
{
    struct btk_workspace *const workspace = shard->workspace;
    int rc = workspace->encodings == NULL ? btk_encodings_new(&workspace->encodings, error) : 0;
    if (rc == 0) rc = read_group(shard, group, error);
    if (rc != 0) return rc;
    return btk_encode_batch(shard->tokenizer, shard->scratch,
                            (const struct btk_encode_input *)(const void *)workspace->inputs.data,
                            group->count, options, workspace->encodings, error);
}

// --- Results

// Adds to *cost what the document costs.
static int add_document(const struct btk_shard *shard, uint32_t document,
                        struct btk_result_block *block, uint64_t *cost)
{
    const struct btk_encodings *const encodings = shard->workspace->encodings;
    const size_t count = btk_encodings_count(encodings, document);
    for (size_t i = 0; i < count && !block->is_full; i++) {
        const struct btk_encoding_view view = btk_encodings_get(encodings, document, i);
        const int rc = btk_result_block_add_encoding(block, &view);
        if (rc != 0) return rc;
        *cost += view.token_count + ENCODING_COST;
    }
    return 0;
}

// The documents before `begin` are in the block; what it needs with all others of the group.
static uint64_t wanted_by(const struct btk_shard *shard, const struct group *group, uint32_t begin,
                          const struct btk_result_block *block)
{
    const struct btk_encodings *const encodings = shard->workspace->encodings;
    uint64_t tokens = block->header.token_count;
    for (uint32_t i = begin; i < group->count; i++)
        for (size_t j = 0; j < btk_encodings_count(encodings, i); j++)
            tokens += btk_encodings_get(encodings, i, j).token_count;
    return tokens;
}

static void add_group(const struct btk_shard *shard, const struct group *group,
                      struct btk_result_block *block, uint64_t *cost)
{
    const struct btk_error_info error = {.message = "the text of its tokens is too long"};
    for (uint32_t i = 0; i < group->count && !block->is_full; i++) {
        const int rc = add_document(shard, i, block, cost);
        if (block->is_full) block->wanted = wanted_by(shard, group, i, block);
        if (block->is_full) return;
        if (rc == 0)
            btk_result_block_end(block, 0);
        else
            btk_shard_fail_document(block, rc, &error);
        btk_worker_page_add(&shard->page->progress, 1);
    }
}

static void fail_group(const struct group *group, struct btk_result_block *block, int rc,
                       const struct btk_error_info *error)
{
    for (uint32_t i = 0; i < group->count && !block->is_full; i++)
        btk_shard_fail_document(block, rc, error);
}

void btk_shard_encode_groups(const struct btk_shard *shard, struct btk_result_block *block)
{
    const bool is_grouped = btk_batch_options_is_grouped(shard->options);
    struct btk_error_info error = {.offset = BTK_NO_OFFSET, .message = "not enough memory"};
    struct btk_encoding_options options;
    const int options_rc = fill_options(shard, &options, &error);
    const uint64_t cost_max = cost_max_of(shard);
    uint64_t cost = 0; // of all groups
    btk_shard_report_progress(shard);
    for (uint32_t i = 0; i < shard->document_count && !block->is_full;) {
        const struct group group = group_at(shard, i, is_grouped);
        uint64_t group_cost = 0;
        options.cost_max = cost < cost_max ? cost_max - cost : 1;
        const int rc = options_rc != 0 ? options_rc : encode_group(shard, &group, &options, &error);
        if (rc == 0)
            add_group(shard, &group, block, &group_cost);
        else
            fail_group(&group, block, rc, &error);
        cost += group_cost > group.text_bytes ? group_cost - group.text_bytes : 0;
        i += group.count;
    }
}
