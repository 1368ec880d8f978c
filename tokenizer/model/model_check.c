// SPDX-License-Identifier: Apache-2.0
// The tables of models: does each lead to tokens and nodes that there are, and does each search end?
#include "common/utf8.h"
#include "tokenizer/image_check.h"
#include "tokenizer/model/bpe_cut.h"
#include "tokenizer/model/short_piece.h"
#include "tokenizer/model/whole_chars.h"

static bool is_power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static bool has_trie(const struct btk_image *view)
{
    const struct btk_image_config *const config = view->config;
    return config->model == BTK_MODEL_WORDPIECE || config->model == BTK_MODEL_UNIGRAM
           || (config->model == BTK_MODEL_BPE && (config->model_flags & BTK_MODEL_HAS_SYMBOLS));
}

int btk_model_check_sizes(const struct btk_image *view, struct btk_error *error)
{
    const uint32_t model = view->config->model;
    const bool is_bpe = model == BTK_MODEL_BPE;
    const bool has_byte_cuts = view->config->model_flags & BTK_MODEL_HAS_BYTE_CUTS;
    const struct {
        enum btk_section section;
        size_t slot_bytes;
        bool is_needed;
    } tables[] = {
        {BTK_SECTION_TEXT_LOOKUP, sizeof(struct btk_lookup_slot), true},
        {BTK_SECTION_BYTES_LOOKUP, sizeof(struct btk_lookup_slot), model != BTK_MODEL_WORDPIECE},
        {BTK_SECTION_CHAR_IDS, sizeof(struct btk_edge_slot), is_bpe},
        {BTK_SECTION_MERGES,
         view->config->model_flags & BTK_MODEL_PACKED_MERGES ? sizeof(uint64_t)
                                                             : sizeof(struct btk_merge_slot),
         is_bpe},
        {BTK_SECTION_MERGE_FILTER, sizeof(uint64_t), is_bpe},
        {BTK_SECTION_CUT_PAIRS, sizeof(uint64_t),
         (view->config->model_flags & BTK_MODEL_HAS_CUTS) != 0},
        {BTK_SECTION_CUT_FILTER, sizeof(uint64_t), has_byte_cuts},
        {BTK_SECTION_WHOLE_CHARS, sizeof(struct btk_edge_slot), has_byte_cuts},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(tables); i++) {
        const uint64_t bytes = btk_image_section_bytes(view, tables[i].section);
        if (tables[i].is_needed
            && (bytes % tables[i].slot_bytes || !is_power_of_two(bytes / tables[i].slot_bytes)))
            return btk_image_refuse_section(error, tables[i].section, "has the wrong length");
    }
    return 0;
}

static bool is_token(const struct btk_image *view, uint32_t id)
{
    return id < view->config->token_count;
}

static int check_ids(const struct btk_image *view, enum btk_section section,
                     struct btk_error *error)
{
    const uint32_t *const ids = btk_image_section_data(view->header, section);
    const uint64_t count = btk_image_section_bytes(view, section) / sizeof *ids;
    const uint32_t token_count = view->config->token_count;
    uint64_t bad_count = 0;
    for (uint64_t i = 0; i < count; i++)
        bad_count += (ids[i] != BTK_NO_TOKEN) & (ids[i] >= token_count);
    return bad_count ? btk_image_refuse_section(error, section, "has no such id") : 0;
}

static int check_char_table(const struct btk_image *view, enum btk_section section,
                            struct btk_error *error)
{
    const struct btk_edge_slot *const slots = btk_image_section_data(view->header, section);
    const uint64_t count = btk_image_section_bytes(view, section) / sizeof *slots;
    const uint32_t token_count = view->config->token_count;
    const uint32_t flags = section == BTK_SECTION_WHOLE_CHARS ? BTK_WHOLE_CHAR_NO_ASCII : 0;
    uint64_t empty_count = 0, bad_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned is_used = slots[i].key != UINT32_MAX;
        empty_count += !is_used;
        bad_count += is_used & ((slots[i].child & ~flags) >= token_count);
    }
    if (bad_count) return btk_image_refuse_section(error, section, "has no such id");
    return empty_count ? 0 : btk_image_refuse_section(error, section, "is full");
}

static int check_chars(const struct btk_image *view, struct btk_error *error)
{
    int status = check_char_table(view, BTK_SECTION_CHAR_IDS, error);
    if (!status && (view->config->model_flags & BTK_MODEL_HAS_BYTE_CUTS))
        status = check_char_table(view, BTK_SECTION_WHOLE_CHARS, error);
    return status ? status : check_ids(view, BTK_SECTION_BYTE_IDS, error);
}

// What a rank leads to is checked with RANK_IDS: a merge has one that leads to a token.
static void count_packed(const struct btk_image *view, uint64_t *out_empty, uint64_t *out_bad)
{
    const uint32_t rank_bits = 64 - 2 * view->config->merge_token_bits;
    const uint32_t rank_count = view->config->rank_count;
    uint64_t empty_count = 0, bad_count = 0;
    for (uint64_t i = 0; i <= view->merge_mask; i++) {
        const uint64_t slot = view->packed_merges[i];
        const uint64_t rank = slot & ((UINT64_C(1) << rank_bits) - 1);
        const bool is_empty = slot == UINT64_MAX;
        empty_count += is_empty;
        bad_count += !is_empty && (rank >= rank_count || view->rank_ids[rank] == BTK_NO_TOKEN);
    }
    *out_empty = empty_count;
    *out_bad = bad_count;
}

static void count_slots(const struct btk_image *view, uint64_t *out_empty, uint64_t *out_bad)
{
    const uint32_t rank_count = view->config->rank_count, token_count = view->config->token_count;
    uint64_t empty_count = 0, bad_count = 0;
    for (uint64_t i = 0; i <= view->merge_mask; i++) {
        const struct btk_merge_slot merge = view->merges[i];
        const unsigned is_used = merge.key != UINT64_MAX;
        empty_count += !is_used;
        bad_count += is_used & ((merge.id >= token_count) | (merge.rank >= rank_count));
    }
    *out_empty = empty_count;
    *out_bad = bad_count;
}

static int check_merges(const struct btk_image *view, struct btk_error *error)
{
    const bool is_packed = view->config->model_flags & BTK_MODEL_PACKED_MERGES;
    uint64_t empty_count, bad_count;
    int status = check_ids(view, BTK_SECTION_RANK_IDS, error);
    if (status < 0) return status;
    if (is_packed && (view->config->merge_token_bits < 1 || view->config->merge_token_bits > 31))
        return btk_image_refuse(error, "its merges have no room for ranks");
    if (is_packed)
        count_packed(view, &empty_count, &bad_count);
    else
        count_slots(view, &empty_count, &bad_count);
    if (bad_count)
        return btk_image_refuse_section(error, BTK_SECTION_MERGES, "has no such id or rank");
    return empty_count ? 0 : btk_image_refuse_section(error, BTK_SECTION_MERGES, "is full");
}

static int check_cuts(const struct btk_image *view, struct btk_error *error)
{
    if (!(view->config->model_flags & BTK_MODEL_HAS_CUTS)) return 0;
    for (uint64_t i = 0; i <= view->cut_mask; i++)
        if (view->cut_pairs[i] == UINT64_MAX) return 0;
    return btk_image_refuse_section(error, BTK_SECTION_CUT_PAIRS, "is full");
}

static int check_bpe(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_image_config *const config = view->config;
    if (config->prefix_bytes > BTK_AFFIX_BYTES_LIMIT
        || config->suffix_bytes > BTK_AFFIX_BYTES_LIMIT)
        return btk_image_refuse(error, "its prefix or suffix is too long");
    if (config->rank_count > btk_max_size(view->merge_mask, BTK_TOKEN_LIMIT))
        return btk_image_refuse(error, "its merges have too many ranks");
    if (!(config->dropout >= 0 && config->dropout <= 1))
        return btk_image_refuse(error, "its dropout is not between 0 and 1");
    if ((config->model_flags & BTK_MODEL_COUNTS_ALPHABET)
        && !(config->flags & BTK_PIPELINE_MODEL_READS_BYTES))
        return btk_image_refuse(error, "it counts an alphabet that it does not read");
    if ((config->model_flags & BTK_MODEL_HAS_BYTE_CUTS)
        && (!(config->flags & BTK_PIPELINE_MODEL_READS_BYTES)
            || (config->model_flags & BTK_MODEL_HAS_CUTS)))
        return btk_image_refuse(error, "it cuts bytes that it does not read");
    if ((config->model_flags & (BTK_MODEL_HAS_SYMBOLS | BTK_MODEL_READS_WORDS))
        && (config->flags & BTK_PIPELINE_MODEL_READS_BYTES))
        return btk_image_refuse(error, "it reads both bytes and longer symbols");
    int status = check_chars(view, error);
    for (unsigned byte = 0; byte < 256 && (config->model_flags & BTK_MODEL_HAS_BYTE_CUTS); byte++)
        if (!is_token(view, view->byte_ids[byte]))
            return btk_image_refuse_section(error, BTK_SECTION_BYTE_IDS, "lacks a byte");
    if (!status) status = check_merges(view, error);
    return status < 0 ? status : check_cuts(view, error);
}

// A step takes a byte or more of the text, so a walk ends wherever it leads.
static int check_trie(const struct btk_image *view, struct btk_error *error)
{
    enum { BYTES = 256 };
    const uint64_t bytes = btk_image_section_bytes(view, BTK_SECTION_TRIE);
    const uint64_t count = bytes / sizeof *view->trie;
    const uint32_t token_count = view->config->token_count;
    if (bytes % sizeof *view->trie || count < BYTES || count > UINT32_MAX)
        return btk_image_refuse_section(error, BTK_SECTION_TRIE, "has the wrong length");
    uint64_t bad_node_count = 0, bad_id_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct btk_trie_unit unit = view->trie[i];
        bad_node_count += unit.base > count - BYTES;
        bad_node_count += (unit.mark != BTK_NO_NODE) & (unit.mark >= count);
        bad_id_count += (unit.token != BTK_NO_TOKEN) & (unit.token >= token_count);
    }
    if (bad_node_count)
        return btk_image_refuse_section(error, BTK_SECTION_TRIE, "has no such node");
    if (bad_id_count) return btk_image_refuse_section(error, BTK_SECTION_TRIE, "has no such id");
    return view->config->continuation_root < count
               ? 0
               : btk_image_refuse_section(error, BTK_SECTION_TRIE, "has no root");
}

// As many tokens as it says, inside of the piece; nothing behind its text.
static bool is_sound_piece(const struct btk_short_piece *piece, uint32_t token_count)
{
    const uint64_t last = ~piece->words[1], first = ~piece->words[0]; // 0: padding alone
    const int length = last    ? 16 - __builtin_clzll(last) / 8
                       : first ? 8 - __builtin_clzll(first) / 8
                               : 0;
    const uint32_t count = piece->layout & 3, ends = piece->layout >> 2;
    if (btk_short_piece_is_nothing(piece)) return true;
    bool is_sound = length > 0 && count > 0 && (uint32_t)__builtin_popcount(ends) + 1 == count
                    && !(ends >> (length - 1));
    for (uint32_t i = 0; i < count; i++) is_sound &= piece->ids[i] < token_count;
    return is_sound;
}

static int check_pieces(const struct btk_image *view, struct btk_error *error)
{
    const uint64_t bytes = btk_image_section_bytes(view, BTK_SECTION_PIECES);
    if (bytes % BTK_IMAGE_ALIGNMENT || bytes / BTK_IMAGE_ALIGNMENT > UINT32_MAX)
        return btk_image_refuse_section(error, BTK_SECTION_PIECES, "has the wrong length");
    uint64_t bad_count = 0;
    for (uint64_t i = 0; i < bytes / sizeof *view->pieces; i++)
        bad_count += !is_sound_piece(&view->pieces[i], view->config->token_count);
    return bad_count ? btk_image_refuse_section(error, BTK_SECTION_PIECES, "has no such piece") : 0;
}

int btk_model_check(const struct btk_image *view, struct btk_error *error)
{
    const uint32_t model = view->config->model;
    int status = check_ids(view, BTK_SECTION_FALLBACK_IDS, error);
    if (!status) status = check_pieces(view, error);
    if (!status && model != BTK_MODEL_WORDPIECE)
        status = btk_image_check_lookup(view, BTK_SECTION_BYTES_LOOKUP, error);
    if (!status && model == BTK_MODEL_BPE) status = check_bpe(view, error);
    if (!status && has_trie(view)) status = check_trie(view, error);
    return status;
}
