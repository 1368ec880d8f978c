// SPDX-License-Identifier: Apache-2.0
// Does everything in an image stay inside of it?
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "common/utf8.h"
#include "kernels/kernels.h"
#include "tokenizer/decoder/plan.h"
#include "tokenizer/image.h"
#include "tokenizer/image_check.h"
#include "tokenizer/model/bpe_cut.h"
#include "tokenizer/model/short_piece.h"
#include "tokenizer/model/whole_chars.h"
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/text_cut.h"

enum { SHORT_TEXT_BYTES = 4096 }; // choosing a kernel is not worth it

static uint64_t section_bytes(const struct btk_image *view, enum btk_section section)
{
    return view->header->sections[section].bytes;
}

static const void *section_data(const struct btk_image_header *header, enum btk_section section)
{
    return (const uint8_t *)header + header->sections[section].offset;
}

bool btk_image_is_utf8(struct btk_bytes text)
{
    const struct btk_kernels *kernels;
    struct btk_error error;
    if (text.length < SHORT_TEXT_BYTES)
        return btk_utf8_valid_prefix(text.data, text.length) == text.length;
    if (btk_kernels_select(getenv("BUDTIKTOK_SIMD"), &kernels, &error) < 0)
        kernels = &btk_kernels_scalar;
    return kernels->utf8_valid_prefix(text.data, text.length) == text.length;
}

static bool is_power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static bool reads_bytes(const struct btk_image *view)
{
    return view->config->flags & BTK_PIPELINE_MODEL_READS_BYTES;
}

// Sizes follow from counts: each section is exactly as long as its table says.
static int check_sizes(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_image_config *const config = view->config;
    if (config->token_count > BTK_TOKEN_LIMIT)
        return btk_image_refuse(error, "it has too many tokens");
    if (config->prefix_count > BTK_TEMPLATE_LIMIT || config->suffix_count > BTK_TEMPLATE_LIMIT)
        return btk_image_refuse(error, "its template is too long");
    const uint64_t ends_bytes = (config->token_count + 1ull) * sizeof(uint32_t);
    const bool is_bpe = config->model == BTK_MODEL_BPE;
    const bool falls_back = config->model_flags & BTK_MODEL_BYTE_FALLBACK;
    const bool has_rank_ids =
        config->model_flags & (BTK_MODEL_KEEPS_STALE | BTK_MODEL_PACKED_MERGES);
    const bool has_cuts = config->model_flags & BTK_MODEL_HAS_CUTS;
    const bool has_text_cuts = config->text_cuts != BTK_TEXT_CUTS_NONE;
    const uint64_t affix_bytes = config->prefix_bytes + (uint64_t)config->suffix_bytes;
    const struct {
        enum btk_section section;
        uint64_t bytes;
    } exact[] = {
        {BTK_SECTION_TOKENS, config->token_count * sizeof(struct btk_token_info)},
        {BTK_SECTION_TOKEN_ENDS, ends_bytes},
        {BTK_SECTION_BYTES_ENDS, reads_bytes(view) ? ends_bytes : 0},
        {BTK_SECTION_DECODED_ENDS, btk_decoder_plan(view).is_fused ? ends_bytes : 0},
        {BTK_SECTION_BYTE_IDS, is_bpe ? BTK_CHAR_PLACES * 256 * sizeof(uint32_t) : 0},
        {BTK_SECTION_FALLBACK_IDS, falls_back ? 256 * sizeof(uint32_t) : 0},
        {BTK_SECTION_AFFIXES, falls_back ? affix_bytes : 0},
        {BTK_SECTION_RANK_IDS, has_rank_ids ? config->rank_count * sizeof(uint32_t) : 0},
        {BTK_SECTION_CUT_BITS,
         has_cuts ? BTK_CUT_CLASSES * BTK_CUT_ROW_WORDS * sizeof(uint64_t) : 0},
        {BTK_SECTION_SCORES,
         config->model == BTK_MODEL_UNIGRAM ? config->token_count * sizeof(double) : 0},
        {BTK_SECTION_TEXT_CUTS,
         has_text_cuts ? BTK_TEXT_CUT_CLASSES * BTK_TEXT_CUT_ROW_WORDS * sizeof(uint64_t) : 0},
        {BTK_SECTION_TEMPLATE, (config->prefix_count + (uint64_t)config->suffix_count)
                                   * sizeof(struct btk_template_token)},
    };
    for (size_t i = 0; i < BTK_ARRAY_COUNT(exact); i++)
        if (section_bytes(view, exact[i].section) != exact[i].bytes)
            return btk_image_refuse_section(error, exact[i].section, "has the wrong length");
    return 0;
}

static bool has_trie(const struct btk_image *view)
{
    const struct btk_image_config *const config = view->config;
    return config->model == BTK_MODEL_WORDPIECE || config->model == BTK_MODEL_UNIGRAM
           || (config->model == BTK_MODEL_BPE && (config->model_flags & BTK_MODEL_HAS_SYMBOLS));
}

static int check_table_sizes(const struct btk_image *view, struct btk_error *error)
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
        const uint64_t bytes = section_bytes(view, tables[i].section);
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

static int check_ends(const struct btk_image *view, enum btk_section ends_section,
                      enum btk_section text_section, struct btk_error *error)
{
    const uint32_t *const ends = section_data(view->header, ends_section);
    if (ends[0] != 0) return btk_image_refuse_section(error, ends_section, "does not begin at 0");
    uint32_t bad_count = 0;
    for (uint32_t i = 0; i < view->config->token_count; i++) bad_count += ends[i + 1] < ends[i];
    if (bad_count) return btk_image_refuse_section(error, ends_section, "goes back");
    if (ends[view->config->token_count] != section_bytes(view, text_section))
        return btk_image_refuse_section(error, ends_section, "does not end where the text does");
    return 0;
}

// An empty slot must be there, or a search for what is missing would not end. (These loops count what
// is wrong instead of leaving at once: without branches they are several times as fast.)
static int check_lookup(const struct btk_image *view, enum btk_section section,
                        struct btk_error *error)
{
    const struct btk_lookup_slot *const slots = section_data(view->header, section);
    const uint64_t count = section_bytes(view, section) / sizeof *slots;
    const uint32_t token_count = view->config->token_count;
    uint64_t empty_count = 0, bad_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned is_used = slots[i].id != BTK_NO_TOKEN;
        empty_count += !is_used;
        bad_count += is_used & (slots[i].id >= token_count);
    }
    if (bad_count) return btk_image_refuse_section(error, section, "has no such id");
    return empty_count ? 0 : btk_image_refuse_section(error, section, "is full");
}

static int check_normal_forms(const struct btk_image *view, struct btk_error *error)
{
    const enum btk_section section = BTK_SECTION_NORMAL_FORMS;
    const uint64_t text_bytes = section_bytes(view, BTK_SECTION_NORMAL_FORM_TEXT);
    if (section_bytes(view, section) % sizeof *view->normal_forms)
        return btk_image_refuse_section(error, section, "has the wrong length");
    for (uint32_t i = 0; i < view->normal_form_count; i++) {
        const struct btk_normal_form form = view->normal_forms[i];
        if (!is_token(view, form.id) || (i && form.id <= view->normal_forms[i - 1].id))
            return btk_image_refuse_section(error, section, "has no such id");
        if (form.begin + (uint64_t)form.bytes > text_bytes)
            return btk_image_refuse_section(error, section, "has text outside of the image");
    }
    return 0;
}

static uint32_t longest_text(const uint32_t *ends, uint32_t count)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < count; i++)
        longest = ends[i + 1] - ends[i] > longest ? ends[i + 1] - ends[i] : longest;
    return longest;
}

// All texts together are UTF-8, and none begins within a character.
static int check_token_text(const struct btk_image *view, struct btk_error *error)
{
    const uint32_t token_count = view->config->token_count;
    const struct btk_bytes all = {view->token_text, view->token_ends[token_count]};
    bool is_sound = btk_image_is_utf8(all);
    for (uint32_t id = 0; is_sound && id < token_count; id++) {
        const uint32_t begin = view->token_ends[id];
        is_sound = begin == all.length || (all.data[begin] & 0xc0) != 0x80;
    }
    return is_sound ? 0 : btk_image_refuse_section(error, BTK_SECTION_TOKEN_TEXT, "is not UTF-8");
}

// Bounds of results follow from the longest token, so it has to be true.
static int check_texts(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_image_config *const config = view->config;
    const size_t token_bytes_max = longest_text(view->token_ends, config->token_count);
    const size_t model_bytes_max =
        reads_bytes(view) ? longest_text(view->bytes_ends, config->token_count) : 0;
    size_t shown_bytes_max = 0;
    const int status = check_token_text(view, error);
    if (status < 0) return status;
    for (uint32_t id = 0; id < config->token_count; id++) {
        const bool has_form = view->tokens[id].flags & BTK_TOKEN_NORMALIZED;
        const struct btk_bytes shown =
            has_form ? btk_image_shown_text(view, id) : btk_image_token_text(view, id);
        shown_bytes_max = btk_max_size(shown_bytes_max, shown.length);
        if (has_form && !btk_image_is_utf8(shown))
            return btk_image_refuse_section(error, BTK_SECTION_TOKEN_TEXT, "is not UTF-8");
    }
    if (token_bytes_max != config->token_bytes_max || shown_bytes_max != config->shown_bytes_max
        || model_bytes_max != config->model_bytes_max)
        return btk_image_refuse(error, "its longest token is of another length");
    return 0;
}

static int check_ids(const struct btk_image *view, enum btk_section section,
                     struct btk_error *error)
{
    const uint32_t *const ids = section_data(view->header, section);
    const uint64_t count = section_bytes(view, section) / sizeof *ids;
    const uint32_t token_count = view->config->token_count;
    uint64_t bad_count = 0;
    for (uint64_t i = 0; i < count; i++)
        bad_count += (ids[i] != BTK_NO_TOKEN) & (ids[i] >= token_count);
    return bad_count ? btk_image_refuse_section(error, section, "has no such id") : 0;
}

static int check_char_table(const struct btk_image *view, enum btk_section section,
                            struct btk_error *error)
{
    const struct btk_edge_slot *const slots = section_data(view->header, section);
    const uint64_t count = section_bytes(view, section) / sizeof *slots;
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
    const uint64_t bytes = section_bytes(view, BTK_SECTION_TRIE);
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

// The edge of a trie that leads to a node: the tree stands in the order of its levels, so edge i leads
// to node i + 1, and the edges of all nodes follow each other.
static uint32_t parent_of(const struct btk_added_trie *trie, uint32_t node)
{
    uint32_t low = 0, high = node;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (trie->nodes[middle].first_edge <= node - 1)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// Does what leads to a node end with a whole character? Texts are UTF-8, and no token begins within
// a character of them.
static bool ends_character(const struct btk_added_trie *trie, uint32_t node)
{
    size_t continuations = 0;
    for (; node; node = parent_of(trie, node)) {
        const uint32_t byte = trie->edges[node - 1].byte;
        if (byte < 0x80) return continuations == 0;
        if (byte >= 0xc0) return btk_utf8_length((uint8_t)byte) == continuations + 1;
        if (++continuations > 3) return false;
    }
    return false;
}

static int check_added_trie(const struct btk_image *view, const struct btk_added_trie *trie,
                            enum btk_section nodes_section, struct btk_error *error)
{
    const uint64_t edge_count =
        section_bytes(view, nodes_section + 1) / sizeof(struct btk_added_edge);
    if (edge_count + 1 != trie->node_count && (edge_count || trie->node_count))
        return btk_image_refuse_section(error, nodes_section, "is no tree");
    uint64_t next_edge = 0;
    for (uint32_t i = 0; i < trie->node_count; i++) {
        const struct btk_added_node node = trie->nodes[i];
        if (node.first_edge != next_edge || node.edge_count > edge_count - next_edge)
            return btk_image_refuse_section(error, nodes_section, "has no such edge");
        next_edge += node.edge_count;
        for (uint32_t edge = node.first_edge; edge < next_edge; edge++)
            if (trie->edges[edge].node != edge + 1 || edge < i || trie->edges[edge].byte > 0xff)
                return btk_image_refuse_section(error, nodes_section + 1, "has no such node");
    }
    for (uint32_t i = 0; i < trie->node_count; i++) {
        if (trie->nodes[i].token == BTK_NO_TOKEN) continue;
        if (!is_token(view, trie->nodes[i].token))
            return btk_image_refuse_section(error, nodes_section, "has no such id");
        if (!ends_character(trie, i))
            return btk_image_refuse_section(error, nodes_section, "divides a character");
    }
    const uint32_t first_count = trie->node_count ? trie->nodes[0].edge_count : 0;
    for (uint32_t edge = 0; edge < first_count; edge++)
        if (trie->edges[edge].byte >= 0x80 && trie->edges[edge].byte < 0xc0)
            return btk_image_refuse_section(error, nodes_section, "divides a character");
    return 0;
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
    const uint64_t bytes = section_bytes(view, BTK_SECTION_PIECES);
    if (bytes % BTK_IMAGE_ALIGNMENT || bytes / BTK_IMAGE_ALIGNMENT > UINT32_MAX)
        return btk_image_refuse_section(error, BTK_SECTION_PIECES, "has the wrong length");
    uint64_t bad_count = 0;
    for (uint64_t i = 0; i < bytes / sizeof *view->pieces; i++)
        bad_count += !is_sound_piece(&view->pieces[i], view->config->token_count);
    return bad_count ? btk_image_refuse_section(error, BTK_SECTION_PIECES, "has no such piece") : 0;
}

static int check_model(const struct btk_image *view, struct btk_error *error)
{
    const uint32_t model = view->config->model;
    int status = check_ids(view, BTK_SECTION_FALLBACK_IDS, error);
    if (!status) status = check_pieces(view, error);
    if (!status && model != BTK_MODEL_WORDPIECE)
        status = check_lookup(view, BTK_SECTION_BYTES_LOOKUP, error);
    if (!status && model == BTK_MODEL_BPE) status = check_bpe(view, error);
    if (!status && has_trie(view)) status = check_trie(view, error);
    return status;
}

static int check_tables(const struct btk_image *view, struct btk_error *error)
{
    int status = check_ends(view, BTK_SECTION_TOKEN_ENDS, BTK_SECTION_TOKEN_TEXT, error);
    if (!status && reads_bytes(view))
        status = check_ends(view, BTK_SECTION_BYTES_ENDS, BTK_SECTION_BYTES_TEXT, error);
    if (!status && btk_decoder_plan(view).is_fused)
        status = check_ends(view, BTK_SECTION_DECODED_ENDS, BTK_SECTION_DECODED_TEXT, error);
    if (!status) status = check_normal_forms(view, error);
    if (!status) status = check_texts(view, error);
    if (!status) status = btk_decoder_check_texts(view, error);
    if (!status) status = check_lookup(view, BTK_SECTION_TEXT_LOOKUP, error);
    if (!status) status = check_model(view, error);
    if (!status) status = check_added_trie(view, &view->raw_trie, BTK_SECTION_RAW_NODES, error);
    if (!status)
        status = check_added_trie(view, &view->normal_trie, BTK_SECTION_NORMAL_NODES, error);
    return status;
}

static int check_config(const struct btk_image *view, struct btk_error *error)
{
    const struct btk_image_config *const config = view->config;
    if (config->model < BTK_MODEL_WORDPIECE || config->model > BTK_MODEL_WORDLEVEL)
        return btk_image_refuse(error, "its model is unknown");
    if (config->unknown_id != BTK_NO_TOKEN && !is_token(view, config->unknown_id))
        return btk_image_refuse(error, "its unknown token does not exist");
    const uint32_t template_count = config->prefix_count + config->suffix_count;
    for (uint32_t i = 0; i < template_count; i++)
        if (!is_token(view, view->template_tokens[i].id))
            return btk_image_refuse_section(error, BTK_SECTION_TEMPLATE, "has no such id");
    return 0;
}

// What stands in the data of a step is checked by the stage that reads it (image_check.h).
static int check_steps(const struct btk_image *view, enum btk_section section,
                       struct btk_error *error)
{
    const uint64_t bytes = section_bytes(view, section);
    const struct btk_step *const steps = section_data(view->header, section);
    if (bytes % sizeof *steps || bytes > BTK_STEP_LIMIT * sizeof *steps)
        return btk_image_refuse_section(error, section, "has the wrong length");
    const uint64_t data_bytes = section_bytes(view, BTK_SECTION_STEP_DATA);
    for (uint64_t i = 0; i < bytes / sizeof *steps; i++)
        if (steps[i].data_begin % 8 || steps[i].data_begin > data_bytes
            || steps[i].data_bytes > data_bytes - steps[i].data_begin)
            return btk_image_refuse_section(error, section, "has data outside of the image");
    return 0;
}

static int check_all_steps(const struct btk_image *view, struct btk_error *error)
{
    for (unsigned i = BTK_SECTION_NORMALIZER_STEPS; i <= BTK_SECTION_DECODER_STEPS; i++) {
        const int status = check_steps(view, i, error);
        if (status < 0) return status;
    }
    return 0;
}

int btk_image_verify(const void *image, size_t bytes, struct btk_error *error)
{
    struct btk_image view;
    int status = btk_image_view(image, bytes, &view, error);
    if (status < 0) return status;
    const uint64_t checksum =
        btk_hash_xxh3((const uint8_t *)image + sizeof *view.header, bytes - sizeof *view.header, 0);
    if (checksum != view.header->checksum) return btk_image_refuse(error, "its checksum is wrong");
    status = check_all_steps(&view, error);
    if (!status) status = btk_decoder_check(&view, error);
    if (!status) status = check_sizes(&view, error);
    if (!status) status = check_config(&view, error);
    if (!status) status = btk_text_cuts_check(&view, error);
    if (!status) status = check_table_sizes(&view, error);
    if (!status) status = btk_normalizer_check(&view, error);
    if (!status) status = btk_pretokenizer_check(&view, error);
    if (!status) status = btk_postprocessor_check(&view, error);
    if (!status) status = check_tables(&view, error);
    return status;
}
