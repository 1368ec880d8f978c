// SPDX-License-Identifier: Apache-2.0
// Which characters byte-level BPE always puts together (model/whole_chars.h).
#include <string.h>

#include "common/utf8.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/lookup_hash.h"
#include "tokenizer/model/merge_table.h"
#include "tokenizer/model/whole_chars.h"

enum { CHAR_BYTES_MAX = 4 };

// Of each token: the lowest rank of a merge that has it at its left, and at its right.
struct lowest_ranks {
    uint32_t *at_left;
    uint32_t *at_right;
};

static bool try_allocate(struct btk_compiler *compiler, struct lowest_ranks *out)
{
    const size_t bytes = compiler->config.token_count * sizeof(uint32_t);
    out->at_left = btk_arena_allocate(&compiler->arena, bytes);
    out->at_right = btk_arena_allocate(&compiler->arena, bytes);
    if (!out->at_left || !out->at_right) return false;
    memset(out->at_left, 0xff, bytes);
    memset(out->at_right, 0xff, bytes);
    return true;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

// Can a character of a text end where these bytes do? Continuation bytes alone are the end of one.
static bool ends_character(struct btk_bytes text)
{
    size_t at = text.length;
    while (at > 0 && is_continuation(text.data[at - 1])) at--;
    return at == 0 || btk_utf8_length(text.data[at - 1]) == text.length - at + 1;
}

// Can one begin where they do?
static bool begins_character(struct btk_bytes text)
{
    return text.length && !is_continuation(text.data[0]);
}

// Only of merges that a border between two characters can lie in: others are inside of characters.
// `has_ascii`: also of merges with tokens that begin or end with ASCII at the side of the character.
static void fill_ranks(const struct btk_compiler *compiler, const struct btk_image *view,
                       bool has_ascii, const struct lowest_ranks *out)
{
    for (uint32_t i = 0; i < compiler->merge_count; i++) {
        const struct btk_merge_slot merge = compiler->merges[i];
        const uint32_t left_id = (uint32_t)(merge.key >> 32), right_id = (uint32_t)merge.key;
        const struct btk_bytes left = btk_image_model_text(view, left_id);
        const struct btk_bytes right = btk_image_model_text(view, right_id);
        uint32_t *const at_left = &out->at_left[left_id], *const at_right =
                                                              &out->at_right[right_id];
        if (!left.length || !ends_character(left) || !begins_character(right)) continue;
        if (merge.rank < *at_left && (has_ascii || right.data[0] >= 0x80)) *at_left = merge.rank;
        if (merge.rank < *at_right && (has_ascii || left.data[left.length - 1] >= 0x80))
            *at_right = merge.rank;
    }
}

struct symbols {
    uint32_t ids[CHAR_BYTES_MAX];
    size_t count;
};

// Is nothing around these symbols merged with them before a merge of this rank?
static bool are_left_alone(const struct lowest_ranks *ranks, const struct symbols *symbols,
                           uint32_t rank)
{
    return ranks->at_right[symbols->ids[0]] > rank
           && ranks->at_left[symbols->ids[symbols->count - 1]] > rank;
}

// Does the merge that comes first among the symbols, the leftmost of equal ones.
static uint32_t merge_first(const struct btk_image *view, struct symbols *symbols)
{
    struct btk_merge_slot first = {.rank = BTK_NO_RANK};
    size_t at = 0;
    for (size_t i = 0; i + 1 < symbols->count; i++) {
        const struct btk_merge_slot merge =
            btk_merge_find(view, symbols->ids[i], symbols->ids[i + 1]);
        if (merge.rank >= first.rank) continue;
        first = merge;
        at = i;
    }
    if (first.rank == BTK_NO_RANK) return BTK_NO_RANK;
    symbols->ids[at] = btk_merge_id(view, first);
    symbols->count--;
    for (size_t i = at + 1; i < symbols->count; i++) symbols->ids[i] = symbols->ids[i + 1];
    return first.rank;
}

static bool is_whole(const struct btk_image *view, const struct lowest_ranks *ranks,
                     struct btk_bytes bytes, uint32_t id)
{
    struct symbols symbols = {.count = bytes.length};
    uint32_t rank = 0;
    for (size_t i = 0; i < bytes.length; i++) symbols.ids[i] = view->byte_ids[bytes.data[i]];
    while (symbols.count > 1) {
        const struct symbols before = symbols;
        rank = merge_first(view, &symbols);
        if (rank == BTK_NO_RANK || !are_left_alone(ranks, &before, rank)) return false;
    }
    return symbols.ids[0] == id && are_left_alone(ranks, &symbols, rank);
}

static bool try_char(struct btk_bytes text, uint32_t *out_code_point)
{
    size_t length;
    if (text.length < 2 || text.length > CHAR_BYTES_MAX
        || btk_utf8_valid_prefix(text.data, text.length) != text.length)
        return false;
    *out_code_point = btk_utf8_decode(text.data, &length);
    return length == text.length;
}

struct kinds {
    struct lowest_ranks all;
    struct lowest_ranks high; // without ASCII
};

// What stands in the table; BTK_NO_TOKEN: nothing.
static uint32_t value_of(const struct btk_image *view, const struct kinds *kinds,
                         struct btk_bytes text, uint32_t id)
{
    if (is_whole(view, &kinds->all, text, id)) return id;
    return is_whole(view, &kinds->high, text, id) ? id | BTK_WHOLE_CHAR_NO_ASCII
                                                  : (uint32_t)BTK_NO_TOKEN;
}

static uint64_t each_char(const struct btk_image *view, const struct kinds *kinds,
                          struct btk_edge_slot *slots, uint64_t mask)
{
    uint64_t count = 0;
    for (uint32_t id = 0; id < view->config->token_count; id++) {
        const struct btk_bytes text = btk_image_model_text(view, id);
        uint32_t code_point;
        if (!try_char(text, &code_point)) continue;
        const uint32_t value = value_of(view, kinds, text, id);
        if (value == BTK_NO_TOKEN) continue;
        count++;
        if (!slots) continue;
        uint64_t at = btk_edge_hash(code_point);
        while (slots[at & mask].key != UINT32_MAX) at++;
        slots[at & mask] = (struct btk_edge_slot){code_point, value};
    }
    return count;
}

int btk_compile_whole_chars(struct btk_compiler *compiler, const struct btk_image *view)
{
    struct kinds kinds;
    uint64_t mask;
    if (!(compiler->config.model_flags & BTK_MODEL_HAS_BYTE_CUTS)) return 0;
    if (!try_allocate(compiler, &kinds.all) || !try_allocate(compiler, &kinds.high))
        return btk_compiler_no_memory(compiler);
    fill_ranks(compiler, view, true, &kinds.all);
    fill_ranks(compiler, view, false, &kinds.high);
    const int status =
        btk_compiler_table(compiler, BTK_SECTION_WHOLE_CHARS, sizeof(struct btk_edge_slot),
                           each_char(view, &kinds, NULL, 0), &mask);
    if (status < 0) return status;
    each_char(view, &kinds, (void *)compiler->sections[BTK_SECTION_WHOLE_CHARS].data, mask);
    return 0;
}
