// SPDX-License-Identifier: Apache-2.0
// What the files of the engine share: the opened tokenizer, the scratch, and one call of encode.
//
//     encode_call.c     the calls that encode one text
//     encode.c          text -> gaps between added tokens -> windows -> spans
//     encode_span.c     span (normalized) -> added tokens, pieces
//     encode_pieces.c   pieces -> tokens, those that are remembered
//     encode_piece.c    a piece that is not
//     postprocessor.c   columns: units of offsets, trimming, special tokens
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <budtiktok/tokenizer.h>

#include "common/base.h"
#include "common/buffer.h"
#include "common/error.h"
#include "kernels/kernels.h"
#include "kernels/pretok/pretok.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/char_places.h"
#include "tokenizer/image.h"
#include "tokenizer/model/model.h"
#include "tokenizer/model/piece_cache.h"
#include "tokenizer/normalizer/bert.h"
#include "tokenizer/normalizer/normalizer.h"
#include "tokenizer/pretokenizer/pretokenizer.h"
#include "tokenizer/profiler.h"
#include "tokenizer/progress.h"
#include "tokenizer/span.h"

enum {
    BTK_WINDOW_BYTES = 16 * 1024, // of source text, normalized at a time
    BTK_LONG_PIECE_BYTES = 65536, // longest piece without a spill, but for Unigram
    BTK_PIECE_BATCH = 256,        // pieces that a pattern gives at a time
    BTK_READ_SLACK_BYTES = 32,    // behind our own buffers, for whole loads
    BTK_COPY_BYTES_MAX = 1 << 20, // largest copy of a text that a scratch keeps
};

struct btk_tokenizer {
    struct btk_image image;
    void *memory; // the image, when it is ours
    struct btk_added_filter raw_filter;
    struct btk_added_filter normal_filter;
    size_t normalizer_growth; // bytes that it makes of one, at the most
};

// What struct btk_tokenizer keeps of it.
size_t btk_normalizer_growth(const struct btk_image *image);

// Normalized text with the place in the source of each byte.
struct btk_normal_buffer {
    uint8_t *text;
    uint32_t *begins;
    uint32_t *ends;
    struct btk_unicode_char *chars;
    size_t source_bytes_max; // what may be normalized into it
};

// The maps are eight bytes a byte: a spill that needs none goes without. -ENOMEM.
BTK_MUST_USE int btk_normal_buffer_init(struct btk_normal_buffer *buffer, size_t source_bytes_max,
                                        bool has_maps);
void btk_normal_buffer_clear(struct btk_normal_buffer *buffer);

// The special token that a text may not have.
struct btk_special_found {
    uint32_t id;
    uint32_t offset;
};

struct btk_scratch {
    const struct btk_kernels *kernels;
    struct btk_piece_cache *cache;
    struct btk_model_scratch model;
    bool model_is_certain;             // its tokens may be cached
    struct btk_bert *bert;             // NULL: another normalizer, or none
    struct btk_normalizer *normalizer; // NULL: not of steps
    struct btk_normal_buffer normal;
    struct btk_normal_buffer prefixed;     // first piece with its added space
    struct btk_pretokenizer *pretokenizer; // NULL: the pattern below
    struct btk_pretok pretok;
    struct btk_piece pieces[BTK_PIECE_BATCH];
    uint8_t *copy; // of texts that are validated
    size_t copy_bytes;
    size_t copy_begin;             // where the text begins in it
    struct btk_encodings *general; // for post-processors without a template; NULL: not used yet
    struct btk_char_places char_places;
    struct btk_buffer shown; // texts of tokens that do not show their own: see btk_encoding.sources
    struct btk_special_found special_found;
    uint64_t spill_count;
    uint32_t word_count; // of the last text, those without tokens as well: see text_cut.h
    struct btk_progress progress;
    struct btk_profiler profiler;
};

struct btk_encoder;

// Makes room for `count` more tokens: the columns may stand elsewhere then. -ENOMEM.
typedef int btk_encode_grow_fn(struct btk_encoder *encoder, size_t count);

// One call of encode.
struct btk_encoder {
    const struct btk_tokenizer *tokenizer;
    const struct btk_image *image;
    struct btk_scratch *scratch;
    const struct btk_encode_options *options;
    struct btk_encoding *encoding;
    struct btk_bytes text;
    btk_encode_grow_fn *grow; // NULL: the columns are the caller's, and what they are
    void *grow_context;
    bool annotates; // anything but ids is wanted
    uint32_t word_id;
    // Of each token: what trimming takes off. BTK_SPACES_OF_SOURCE until offsets are made those of the
    // source. NULL: offsets are trimmed at once.
    uint32_t *spaces;
    struct btk_bytes shown; // what an added token showed last: the next may show a part of it
    uint32_t shown_at;      // where it stands in scratch->shown
};

#define BTK_SPACES_OF_SOURCE UINT32_MAX

// All of these: -ENOBUFS, -ENOMEM; -ENODATA: the unknown token is needed and there is none; -EPERM: a
// special token that may not be there.

// Room for `count` more tokens, if there is or can be any.
BTK_MUST_USE int btk_encode_reserve(struct btk_encoder *encoder, size_t count);

// The token `at` shows this text in place of its own.
BTK_MUST_USE int btk_encode_show(struct btk_encoder *encoder, size_t at, struct btk_bytes text);

// What was shown last is no longer there to be shared.
static inline void btk_encode_forget_shown(struct btk_encoder *encoder)
{
    encoder->shown = (struct btk_bytes){0};
}

// The tokens of pieces of a span. `are_words`: each gets the encoder's word_id, which goes on; else they are
// parts of one word, and it does not.
BTK_MUST_USE int btk_encode_pieces(struct btk_encoder *encoder, const struct btk_span *span,
                                   const struct btk_piece *pieces, size_t count, bool are_words);

// Where a piece would be remembered. Pieces without a short key have that of none.
struct btk_probe {
    struct btk_short_key key;
    struct btk_piece_line *line;
};

// The tokens of a piece that its line does not have.
BTK_MUST_USE int btk_encode_missed(struct btk_encoder *encoder, const struct btk_span *span,
                                   struct btk_piece piece, const struct btk_probe *probe);

// The tokens of a piece that is known, whatever columns there are and however much room.
BTK_MUST_USE int btk_encode_short(struct btk_encoder *encoder, const struct btk_span *span,
                                  struct btk_piece piece, const struct btk_short_piece *known);

// Added tokens of the normalized text, pieces, tokens.
BTK_MUST_USE int btk_encode_span(struct btk_encoder *encoder, const struct btk_span *span);

// An added token at [begin, end) of the span.
BTK_MUST_USE int btk_encode_added(struct btk_encoder *encoder, const struct btk_span *span,
                                  const struct btk_added_match *match);

// The tokens of encoder->text, all columns in bytes of it.
BTK_MUST_USE int btk_encode_text(struct btk_encoder *encoder);

// The tokens before and behind the text.
BTK_MUST_USE int btk_postprocess_prefix(struct btk_encoder *encoder);
BTK_MUST_USE int btk_postprocess_suffix(struct btk_encoder *encoder);

// From byte places to what was asked for, for the tokens [first, count) of the text.
void btk_postprocess_columns(struct btk_encoder *encoder, size_t first);
// The offsets alone.
void btk_postprocess_offsets(struct btk_encoder *encoder, size_t first);

// Spaces at the beginning and at the end of a text, as trimming counts them.
void btk_postprocess_count_spaces(struct btk_bytes text, uint32_t out_spaces[2]);

// Takes spaces off the offsets of the token `index` of an encoding.
void btk_postprocess_trim(bool adds_prefix_space, size_t index, const uint32_t spaces[2],
                          uint32_t offsets[2]);

// What special_text means for this tokenizer: never DEFAULT.
enum btk_special_text btk_encode_special_text(const struct btk_encoder *encoder);

// Fills the error for what btk_encode_text() returned.
int btk_encode_explain(int status, const struct btk_encoder *encoder, struct btk_error *error);

// Copies an error of ours into one of the public header's.
int btk_error_export(const struct btk_error *error, struct btk_error_info *out_error);
