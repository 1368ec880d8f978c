// SPDX-License-Identifier: Apache-2.0
// The filter of cuts in pieces of byte-level BPE (model/byte_cut.h).
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/model/byte_cut.h"

enum {
    WORDS_MIN = 64,
    WORDS_MAX = 1 << 15, // 256 KiB
    PAIRS_A_WORD = 4,    // one bit in sixteen is set then
};

struct filter {
    uint64_t *words;
    uint64_t word_mask;
};

static void set(const struct filter *filter, uint32_t left, uint32_t right)
{
    const uint64_t bit = btk_cut_bit(left, right, filter->word_mask);
    filter->words[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

// What stands at one side of a merge.
enum side { SIDE_CHAR, SIDE_PART, SIDE_NEVER };

// The character that the text ends with. SIDE_NEVER: it ends within one.
static enum side last_side(struct btk_bytes text, uint32_t *out_char)
{
    size_t at = text.length;
    while (at > 0 && is_continuation(text.data[at - 1])) at--;
    if (!at) return SIDE_PART;
    at--;
    const size_t length = text.length - at;
    if (btk_utf8_valid_prefix(text.data + at, length) != length) return SIDE_NEVER;
    size_t unused;
    *out_char = btk_utf8_decode(text.data + at, &unused);
    return SIDE_CHAR;
}

// The character that the text begins with. SIDE_NEVER: it begins within one.
static enum side first_side(struct btk_bytes text, uint32_t *out_char)
{
    if (is_continuation(text.data[0])) return SIDE_NEVER;
    const size_t length = btk_utf8_length(text.data[0]);
    if (length > text.length || btk_utf8_valid_prefix(text.data, length) != length)
        return SIDE_PART;
    size_t unused;
    *out_char = btk_utf8_decode(text.data, &unused);
    return SIDE_CHAR;
}

static void add_merge(const struct filter *filter, struct btk_bytes left, struct btk_bytes right)
{
    uint32_t before = BTK_CUT_ANY, behind = BTK_CUT_ANY;
    const enum side left_side = last_side(left, &before), right_side = first_side(right, &behind);
    if (left_side == SIDE_NEVER || right_side == SIDE_NEVER) return;
    if (left_side == SIDE_PART && right_side == SIDE_PART)
        set(filter, BTK_CUT_BYTE | left.data[left.length - 1], BTK_CUT_BYTE | right.data[0]);
    else
        set(filter, before, behind);
}

static void add_merges(const struct btk_compiler *compiler, const struct btk_image *view,
                       const struct filter *filter)
{
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const uint64_t key = compiler->merges[i].key;
        const struct btk_bytes left = btk_image_model_text(view, (uint32_t)(key >> 32));
        const struct btk_bytes right = btk_image_model_text(view, (uint32_t)key);
        if (left.length && right.length) add_merge(filter, left, right);
    }
}

// A token that a piece may be without merging: no cut in it, and none around it where merges make
// something else of it.
static void add_token(const struct filter *filter, struct btk_bytes text, bool is_whole)
{
    if (!text.length || btk_utf8_valid_prefix(text.data, text.length) != text.length) return;
    size_t length;
    uint32_t left = btk_utf8_decode(text.data, &length);
    if (!is_whole) set(filter, BTK_CUT_ANY, left);
    for (size_t at = length; at < text.length; at += length) {
        const uint32_t right = btk_utf8_decode(text.data + at, &length);
        set(filter, left, right);
        left = right;
    }
    if (!is_whole) set(filter, left, BTK_CUT_ANY);
}

static bool allows_cuts(const struct btk_image *view)
{
    const struct btk_image_config *const config = view->config;
    if (config->model != BTK_MODEL_BPE || !(config->flags & BTK_PIPELINE_MODEL_READS_BYTES)
        || config->prefix_bytes || config->suffix_bytes || config->dropout > 0
        || (config->model_flags & (BTK_MODEL_KEEPS_STALE | BTK_MODEL_COUNTS_ALPHABET)))
        return false;
    for (unsigned byte = 0; byte < 256; byte++)
        if (view->byte_ids[byte] == BTK_NO_TOKEN) return false;
    return true;
}

int btk_compile_byte_cuts(struct btk_compiler *compiler, const struct btk_image *view)
{
    if (!allows_cuts(view)) return 0;
    uint64_t words = WORDS_MIN;
    while (words < WORDS_MAX && words * PAIRS_A_WORD < compiler->merge_count / 8) words *= 2;
    struct btk_buffer *const section = &compiler->sections[BTK_SECTION_CUT_FILTER];
    const size_t bytes = words * sizeof(uint64_t);
    if (btk_buffer_reserve(section, bytes) < 0) return btk_compiler_no_memory(compiler);
    memset(section->data, 0, bytes);
    section->length = bytes;
    const struct filter filter = {(void *)section->data, words - 1};
    add_merges(compiler, view, &filter);
    if (view->config->flags & BTK_PIPELINE_IGNORE_MERGES)
        for (uint32_t id = 0; id < view->config->token_count; id++)
            add_token(&filter, btk_image_model_text(view, id),
                      view->tokens[id].flags & BTK_TOKEN_WHOLE);
    compiler->config.model_flags |= BTK_MODEL_HAS_BYTE_CUTS;
    return 0;
}
