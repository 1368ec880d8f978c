// SPDX-License-Identifier: Apache-2.0
// The proof of the places where a text may be cut (tokenizer/text_cut.h), from the model to the source.
#include "common/unicode.h"
#include "common/utf8.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/compile/compiler.h"
#include "tokenizer/compile/cut_relation.h"
#include "tokenizer/model/model.h"
#include "tokenizer/postprocessor/program.h"

// --- Added tokens

static bool may_be_word(uint32_t class)
{
    return !btk_cut_class_is_ascii(class) || (btk_unicode_classes(class) & BTK_CLASS_REGEX_WORD);
}

static bool may_be_space(uint32_t class)
{
    return btk_cut_class_is_ascii(class) ? btk_unicode_classes(class) & BTK_CLASS_REGEX_SPACE
                                         : btk_cut_class_level(class) == BTK_TEXT_CUT_CHANGES;
}

// What added tokens, those of the text as it came or of the normalized one, ask for at their ends.
struct ends {
    struct btk_cut_set firsts, lasts;           // of all
    struct btk_cut_set word_firsts, word_lasts; // of those that have to be words
    struct btk_cut_set space_firsts;            // of those that take spaces before them
    struct btk_cut_set space_lasts;             // and behind them
    bool takes_before, takes_behind;
    bool are_inside; // the places, of words
};

static void add_ends(struct ends *ends, uint32_t flags, uint32_t first, uint32_t last)
{
    btk_cut_set_add(&ends->firsts, first);
    btk_cut_set_add(&ends->lasts, last);
    if (flags & BTK_ADDED_SINGLE_WORD) btk_cut_set_add(&ends->word_firsts, first);
    if (flags & BTK_ADDED_SINGLE_WORD) btk_cut_set_add(&ends->word_lasts, last);
    if (flags & BTK_ADDED_LSTRIP) btk_cut_set_add(&ends->space_firsts, first);
    if (flags & BTK_ADDED_RSTRIP) btk_cut_set_add(&ends->space_lasts, last);
    ends->takes_before |= (flags & BTK_ADDED_LSTRIP) != 0;
    ends->takes_behind |= (flags & BTK_ADDED_RSTRIP) != 0;
}

// Removes the pairs within a token.
static void remove_pairs(struct btk_cut_relation *relation, const struct btk_compiler_added *added,
                         struct ends *ends)
{
    const struct btk_bytes text = added->pattern;
    uint32_t first = 0, last = 0;
    size_t length;
    for (size_t at = 0; at < text.length; at += length) {
        const uint32_t class = btk_text_cut_class(btk_utf8_decode(text.data + at, &length));
        if (at)
            btk_cut_set_remove(&relation->rows[last], class);
        else
            first = class;
        last = class;
    }
    add_ends(ends, added->flags, first, last);
}

// Inside of a word: neither is x the end of a token, or of the spaces that it takes, nor y the beginning.
static bool is_inside(const struct ends *ends, uint32_t left, uint32_t right)
{
    return !btk_cut_set_has(&ends->lasts, left) && !btk_cut_set_has(&ends->firsts, right)
           && !(ends->takes_before && may_be_space(right))
           && !(ends->takes_behind && may_be_space(left));
}

static bool is_apart(const void *context, uint32_t left, uint32_t right)
{
    const struct ends *const ends = context;
    if (btk_cut_set_has(&ends->word_firsts, right) && may_be_word(left)) return false;
    if (btk_cut_set_has(&ends->word_lasts, left) && may_be_word(right)) return false;
    if (ends->takes_before && may_be_space(left)
        && (may_be_space(right) || btk_cut_set_has(&ends->space_firsts, right)))
        return false;
    if (ends->takes_behind && may_be_space(right)
        && (may_be_space(left) || btk_cut_set_has(&ends->space_lasts, left)))
        return false;
    return !ends->are_inside || is_inside(ends, left, right);
}

static void remove_added(const struct btk_compiler *compiler, bool is_normalized, bool are_inside,
                         struct btk_cut_relation *relation)
{
    struct ends ends = {.are_inside = are_inside};
    for (uint32_t i = 0; i < compiler->config.added_count; i++)
        if (compiler->added[i].is_normalized == is_normalized)
            remove_pairs(relation, &compiler->added[i], &ends);
    btk_cut_relation_restrict(relation, is_apart, &ends);
}

// --- Trimming: the first token of a text keeps the one space that another one loses

// The right part begins with a token of the very character, which is no space.
static bool begins_with_no_space(const void *context, uint32_t left, uint32_t right)
{
    const struct btk_cut_reading *const reading = context;
    (void)left;
    return btk_cut_class_is_plain(right) && reading->of[right] == BTK_CUT_READS_ITSELF
           && !(btk_cut_class_is_ascii(right)
                && (btk_unicode_classes(right) & BTK_CLASS_WHITESPACE));
}

static bool trims_first(const struct btk_image *view)
{
    const struct btk_post_program program = btk_post_program_get(view, 0);
    for (uint32_t i = 0; i < program.part_count; i++)
        for (uint32_t j = 0; j < program.parts[i].trim_count; j++)
            if (program.trims[program.parts[i].first_trim + j].adds_prefix_space) return true;
    return false;
}

static bool has_all_bytes(const struct btk_image *view)
{
    for (unsigned byte = 0; byte < 256; byte++)
        if (view->byte_ids[byte] == BTK_NO_TOKEN) return false;
    return true;
}

// Does every character become tokens of its own text, and the first one of a text the first ones?
static bool keeps_first(const struct btk_image *view)
{
    const struct btk_image_config *const config = view->config;
    return config->pretokenizer == BTK_PRETOKENIZER_BYTE_LEVEL
           && config->pattern != BTK_PATTERN_CLIP
           && !(config->flags & BTK_PIPELINE_ADD_PREFIX_SPACE)
           && (config->flags & BTK_PIPELINE_MODEL_READS_BYTES) && has_all_bytes(view);
}

// --- All

// Does the text stand there once, and nothing else, when no special tokens are added?
static bool shows_text_once(const struct btk_image *view)
{
    const struct btk_post_program program = btk_post_program_get(view, 0);
    uint32_t count = 0, other_count = 0;
    for (uint32_t i = 0; i < program.part_count; i++) {
        count += program.parts[i].sequence == 0;
        other_count += program.parts[i].before_count + program.parts[i].after_count;
    }
    return count == 1 && !other_count && !program.fails;
}

struct proof {
    const struct btk_compiler *compiler;
    const struct btk_image *view;
    struct btk_cut_pieces pieces;
    enum btk_no_text_cuts reason; // where the last pair went
    bool moves_offsets;
};

static bool has_places(struct proof *proof, const struct btk_cut_relation *relation,
                       enum btk_no_text_cuts reason)
{
    proof->reason = reason;
    return !btk_cut_relation_is_empty(relation);
}

// A character that the model reads as others is not asked for in its cuts.
static bool is_read_itself(const void *context, uint32_t left, uint32_t right)
{
    const struct btk_cut_reading *const reading = context;
    return reading->of[left] != BTK_CUT_READS_OTHERS && reading->of[right] != BTK_CUT_READS_OTHERS;
}

// `context`: NULL when the normalizer changes it.
static bool begins_with_blank(const void *context, uint32_t left, uint32_t right)
{
    (void)left;
    return context && right == ' ';
}

// From what the pre-tokenizer proves, one of the two, to the source.
static bool try_prove(struct proof *proof, struct btk_cut_relation *relation)
{
    const bool are_inside = relation == &proof->pieces.inside;
    struct btk_cut_reading reading = proof->pieces.reading;
    enum btk_no_text_cuts reason = BTK_NO_TEXT_CUTS_NORMALIZER;
    if (!has_places(proof, relation, proof->pieces.reason)) return false;
    remove_added(proof->compiler, true, are_inside, relation);
    if (!has_places(proof, relation, BTK_NO_TEXT_CUTS_ADDED)) return false;
    const uint8_t blank = reading.of[' '];
    const bool is_left = btk_cut_of_normalizer(proof->view, relation, &reading, &reason);
    if (are_inside) btk_cut_relation_restrict(relation, is_read_itself, &reading);
    if (proof->pieces.demands_blank)
        btk_cut_relation_restrict(relation, begins_with_blank,
                                  reading.of[' '] == blank ? &reading : NULL);
    if (!has_places(proof, relation, reason) || !is_left) return false;
    if (trims_first(proof->view) && !proof->moves_offsets)
        btk_cut_relation_restrict(relation, begins_with_no_space, &reading);
    remove_added(proof->compiler, false, are_inside, relation);
    if (are_inside) proof->pieces.reading = reading;
    return has_places(proof, relation, BTK_NO_TEXT_CUTS_ADDED);
}

static int keep(struct btk_compiler *compiler, const struct btk_cut_relation *relation,
                enum btk_text_cuts kind)
{
    compiler->config.text_cuts = kind;
    compiler->config.no_text_cuts = 0;
    return btk_buffer_append(&compiler->sections[BTK_SECTION_TEXT_CUTS], relation->rows,
                             sizeof relation->rows)
                   < 0
               ? btk_compiler_no_memory(compiler)
               : 0;
}

static enum btk_text_cuts kind_inside(const struct proof *proof)
{
    return proof->pieces.reading.of[' '] == BTK_CUT_READS_MARK ? BTK_TEXT_CUTS_INSIDE_MARKED_WORDS
                                                               : BTK_TEXT_CUTS_INSIDE_WORDS;
}

// One of the two, NULL: there is none.
static const struct btk_cut_relation *prove(struct proof *proof, enum btk_text_cuts *out_kind)
{
    btk_cut_of_pretokenizer(proof->view, &proof->pieces);
    *out_kind = BTK_TEXT_CUTS_BETWEEN_WORDS;
    if (try_prove(proof, &proof->pieces.between)) return &proof->pieces.between;
    if (!(proof->view->config->model_flags & BTK_MODEL_HAS_CUTS)
        || !try_prove(proof, &proof->pieces.inside))
        return NULL;
    *out_kind = kind_inside(proof);
    return &proof->pieces.inside;
}

int btk_compile_text_cuts(struct btk_compiler *compiler, const struct btk_image *view)
{
    struct btk_image_config *const config = &compiler->config;
    struct proof *const proof = btk_arena_allocate(&compiler->arena, sizeof *proof);
    if (!proof) return btk_compiler_no_memory(compiler);
    proof->compiler = compiler;
    proof->view = view;
    config->text_cuts = BTK_TEXT_CUTS_NONE;
    config->no_text_cuts = BTK_NO_TEXT_CUTS_DROPOUT;
    if (!btk_model_is_certain(config)) return 0;
    config->no_text_cuts = BTK_NO_TEXT_CUTS_TEMPLATE;
    if (!shows_text_once(view)) return 0;
    proof->moves_offsets =
        btk_cut_normalizer_moves_offsets(view) || (trims_first(view) && !keeps_first(view));
    enum btk_text_cuts kind;
    const struct btk_cut_relation *relation = prove(proof, &kind);
    if (!relation && trims_first(view) && !proof->moves_offsets) {
        proof->moves_offsets = true; // rather than none
        relation = prove(proof, &kind);
    }
    config->no_text_cuts = proof->reason;
    if (!relation) return 0;
    if (proof->moves_offsets) config->flags |= BTK_PIPELINE_CUTS_MOVE_OFFSETS;
    return keep(compiler, relation, kind);
}
