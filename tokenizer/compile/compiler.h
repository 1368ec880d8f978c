// SPDX-License-Identifier: Apache-2.0
// What the steps of compile/ share: the document, what was understood of it, the sections so far.
//
// Errors: a step that fails has filled compiler->error and returns a negative errno value.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/error.h"
#include "common/json.h"
#include "tokenizer/compile/format/format.h"
#include "tokenizer/compile/regex_ast.h"
#include "tokenizer/image.h"
#include "tokenizer/image_format.h"

// An added token that is no part of the model; not in the image.
#define BTK_COMPILER_TOKEN_OUTSIDE (1u << 31)

struct btk_compiler_token {
    struct btk_bytes text;
    uint32_t flags;          // set of enum btk_token_flag, BTK_COMPILER_TOKEN_OUTSIDE
    struct btk_bytes normal; // with BTK_TOKEN_NORMALIZED: what it shows
};

struct btk_compiler_added {
    struct btk_bytes text;
    struct btk_bytes pattern; // what is looked for: the text, or its normalized form
    uint32_t id;
    uint32_t flags; // set of enum btk_added_flag
    bool is_normalized;
};

struct btk_compiler {
    const struct btk_json *root;
    const struct btk_format *format;   // another format than tokenizer.json; NULL: none
    const struct btk_json *more_added; // tokens named beside the file; NULL: none
    struct btk_arena arena;            // all that is borrowed below
    struct btk_error *error;
    struct btk_image_config config;
    struct btk_compiler_token *tokens; // config.token_count of them, token_capacity allocated
    uint32_t token_capacity;
    struct btk_compiler_added *added; // config.added_count
    uint32_t *added_slots;            // hash table of indices into `added`
    uint64_t added_slot_mask;
    struct btk_bytes prefix;       // continuing_subword_prefix
    struct btk_bytes suffix;       // BPE: end_of_word_suffix
    struct btk_merge_slot *merges; // BPE, by rank: merge_count of them
    uint32_t merge_count;
    double *scores;      // Unigram: config.vocabulary_count of them
    double lowest_score; // Unigram of SentencePiece: of its normal pieces
    struct btk_template_token template_tokens[2 * BTK_TEMPLATE_LIMIT];
    struct btk_buffer sections[BTK_SECTION_COUNT];
};

// "<place>: <what>". Return -EINVAL, -ENOTSUP.
int btk_compiler_refuse(struct btk_compiler *compiler, const char *place, const char *format, ...)
    BTK_PRINTF(3, 4);
int btk_compiler_unsupported(struct btk_compiler *compiler, const char *place,
                             struct btk_bytes found, const char *supported);
int btk_compiler_no_memory(struct btk_compiler *compiler);

// Members of an object with defaults; a value of another type is refused. `place` is that of the
// object.
int btk_compiler_bool(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, const char *name, bool *in_out_value);
int btk_compiler_text(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, const char *name, struct btk_bytes *in_out_value);
// A member that is true or false, true if it is not there, as a flag of the configuration.
int btk_compiler_flag(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, const char *name, uint32_t flag);
// The member "type".
int btk_compiler_type(struct btk_compiler *compiler, const struct btk_json *object,
                      const char *place, struct btk_bytes *out_type);

// In which dialect are the patterns of the file?
enum btk_regex_dialect btk_compiler_dialect(const struct btk_compiler *compiler);

// The id of a token of the model or an added one; BTK_NO_TOKEN. Uses the table that
// btk_compile_text_lookup() made last.
uint32_t btk_compiler_find_token(const struct btk_compiler *compiler, struct btk_bytes text);
// Of the model alone.
uint32_t btk_compiler_find_model_token(const struct btk_compiler *compiler, struct btk_bytes text);
bool btk_compiler_has_token(const struct btk_compiler *compiler, uint32_t id); // any
bool btk_compiler_is_model_token(const struct btk_compiler *compiler, uint32_t id);
int btk_compile_text_lookup(struct btk_compiler *compiler);

// Room for tokens up to `id`; new ones have no text and no flags.
int btk_compiler_grow_tokens(struct btk_compiler *compiler, uint32_t id);

// An empty table of `slot_bytes` a slot, all bits set, with at least twice as many slots as
// `used_count`, at the end of the section (which is empty).
int btk_compiler_table(struct btk_compiler *compiler, enum btk_section section, size_t slot_bytes,
                       uint64_t used_count, uint64_t *out_mask);

// Appends a step to one of the sections of steps and `data` to STEP_DATA; fills data_begin and
// data_bytes.
int btk_compiler_add_step(struct btk_compiler *compiler, enum btk_section section,
                          struct btk_step step, struct btk_bytes data);

// Fills compiler->merges from an array of strings or of pairs.
int btk_compile_read_merges(struct btk_compiler *compiler, const struct btk_json *merges);

// The parts of a charsmap, in the arena; the texts stand behind the units.
struct btk_compiler_charsmap {
    uint32_t *units;
    uint32_t unit_count;
    struct btk_bytes texts;
    uint32_t growth;        // bytes that one byte becomes at most
    uint32_t stable_growth; // where the text is in NFKD already
};

// `longest_counts`: where one key begins another, the longer one is taken.
int btk_compiler_read_charsmap(struct btk_compiler *compiler, struct btk_bytes charsmap,
                               const char *place, bool longest_counts,
                               struct btk_compiler_charsmap *out_charsmap);
// Adds the normalizer's step of a charsmap (normalizer/steps.h, PRECOMPILED).
int btk_compile_charsmap(struct btk_compiler *compiler, struct btk_bytes charsmap,
                         const char *place);

// Adds the normalizer's step of a SentencePiece model (normalizer/steps.h, SENTENCEPIECE).
int btk_compile_spaces(struct btk_compiler *compiler, const struct btk_format_spaces *spaces,
                       bool is_suffix);

// Is it one of sentencepiece? Then the model comes from the format.
bool btk_compiler_is_sentencepiece(const struct btk_compiler *compiler);
int btk_compile_sentencepiece(struct btk_compiler *compiler);
// Is the token a user-defined symbol of it, which BPE reads as one symbol?
bool btk_compiler_is_symbol(const struct btk_compiler *compiler, uint32_t id);

// The stages of compiling, in their order.
int btk_compile_vocabulary(struct btk_compiler *compiler); // all of model
int btk_compile_normalizer(struct btk_compiler *compiler);
int btk_compile_pretokenizer(struct btk_compiler *compiler);
int btk_compile_decoder(struct btk_compiler *compiler);
int btk_compile_added_tokens(struct btk_compiler *compiler); // needs all of the above
int btk_compile_postprocessor(struct btk_compiler *compiler);
int btk_compile_texts(struct btk_compiler *compiler);   // tokens, their texts and bytes
int btk_compile_decoded(struct btk_compiler *compiler); // what the decoder makes of them
int btk_compile_bpe(struct btk_compiler *compiler);
int btk_compile_cuts(struct btk_compiler *compiler); // needs the tables of BPE
int btk_compile_unigram(struct btk_compiler *compiler);
int btk_compile_trie(struct btk_compiler *compiler);         // WordPiece, Unigram
int btk_compile_piece_lookup(struct btk_compiler *compiler); // all but WordPiece
int btk_compile_fallback(struct btk_compiler *compiler);     // BPE, Unigram
// Fills CUT_FILTER, from an image that has the tables of BPE and knows which tokens are whole.
int btk_compile_byte_cuts(struct btk_compiler *compiler, const struct btk_image *view);
// Fills WHOLE_CHARS, from the same, if there are cuts.
int btk_compile_whole_chars(struct btk_compiler *compiler, const struct btk_image *view);
// Fills PIECES, by the model of an image that has all the rest.
int btk_compile_pieces(struct btk_compiler *compiler, const struct btk_image *view);
// Fills TEXT_CUTS, and what the configuration says of it, from such an image.
int btk_compile_text_cuts(struct btk_compiler *compiler, const struct btk_image *view);
int btk_compile_image(struct btk_compiler *compiler, struct btk_buffer *out_image);
