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
#include "tokenizer/normalizer/steps.h"
#include "tokenizer/text_cut.h"

enum { SHORT_TEXT_BYTES = 4096 }; // choosing a kernel is not worth it

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
        if (btk_image_section_bytes(view, exact[i].section) != exact[i].bytes)
            return btk_image_refuse_section(error, exact[i].section, "has the wrong length");
    return 0;
}

static bool is_token(const struct btk_image *view, uint32_t id)
{
    return id < view->config->token_count;
}

static int check_ends(const struct btk_image *view, enum btk_section ends_section,
                      enum btk_section text_section, struct btk_error *error)
{
    const uint32_t *const ends = btk_image_section_data(view->header, ends_section);
    if (ends[0] != 0) return btk_image_refuse_section(error, ends_section, "does not begin at 0");
    uint32_t bad_count = 0;
    for (uint32_t i = 0; i < view->config->token_count; i++) bad_count += ends[i + 1] < ends[i];
    if (bad_count) return btk_image_refuse_section(error, ends_section, "goes back");
    if (ends[view->config->token_count] != btk_image_section_bytes(view, text_section))
        return btk_image_refuse_section(error, ends_section, "does not end where the text does");
    return 0;
}

// An empty slot must be there, or a search for what is missing would not end. (These loops count what
// is wrong instead of leaving at once: without branches they are several times as fast.)
int btk_image_check_lookup(const struct btk_image *view, enum btk_section section,
                           struct btk_error *error)
{
    const struct btk_lookup_slot *const slots = btk_image_section_data(view->header, section);
    const uint64_t count = btk_image_section_bytes(view, section) / sizeof *slots;
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
    const uint64_t text_bytes = btk_image_section_bytes(view, BTK_SECTION_NORMAL_FORM_TEXT);
    if (btk_image_section_bytes(view, section) % sizeof *view->normal_forms)
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
        btk_image_section_bytes(view, nodes_section + 1) / sizeof(struct btk_added_edge);
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
    if (!status) status = btk_image_check_lookup(view, BTK_SECTION_TEXT_LOOKUP, error);
    if (!status) status = btk_model_check(view, error);
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
    const uint64_t bytes = btk_image_section_bytes(view, section);
    const struct btk_step *const steps = btk_image_section_data(view->header, section);
    if (bytes % sizeof *steps || bytes > BTK_STEP_LIMIT * sizeof *steps)
        return btk_image_refuse_section(error, section, "has the wrong length");
    const uint64_t data_bytes = btk_image_section_bytes(view, BTK_SECTION_STEP_DATA);
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
    if (!status) status = btk_model_check_sizes(&view, error);
    if (!status) status = btk_normalizer_check(&view, error);
    if (!status) status = btk_pretokenizer_check(&view, error);
    if (!status) status = btk_postprocessor_check(&view, error);
    if (!status) status = check_tables(&view, error);
    return status;
}
