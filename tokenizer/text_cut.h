// SPDX-License-Identifier: Apache-2.0
// Where a text may be cut, so that its two parts can be encoded apart: shards of one long document.
//
//     text     ... I n   1 9 8 4 ,   h e   s a i d ...      a place between two characters x|y
//                     ^           ^     ^                   here each is proven: letter | space, ...
//     ids      of the left part, then those of the right part, are those of the whole
//
// A place is a cut if the pair of its two characters is one of those that the compiler has proved for this
// tokenizer (compile/compile_text_cuts.c). Nothing else of the text counts, so every worker finds the same
// cuts whatever part of the text it sees, and a cut of a text is a cut of each part that has both
// characters. So the parts between any cuts, encoded one by one without special tokens, give
//
//     ids        of the whole, joined
//     offsets    the same, each part's on top of the bytes or characters before it; but see below
//     word ids   each part's on top of the number of words before it, those without tokens as well
//                (btk_scratch.word_count). If config.text_cuts says INSIDE, the right part's first word is
//                the left one's last, so its word ids count on from one less.
//
// What is proved, from the end of the pipeline to its beginning; a stage sees what the stages before it
// make of x and y, and where that is not known the place is none:
//
//   model           pieces are encoded one by one, so what a piece becomes depends on it alone (not with
//                   dropout, which draws numbers). If no pre-tokenizer makes pieces, model/bpe_cut.h says where
//                   a piece may be cut. Unigram has no such place: it rounds sums that began with the piece.
//   pre-tokenizer   a piece always ends between x and y; what ends there is the same when the text
//                   does, and what begins there is the same when the text does. Later steps see pieces
//                   and not over their edges. Steps before may cut there or not, as long as that changes no
//                   other place. A character that is put before a text is put before the right part, too,
//                   unless that begins with ' ' already.
//   normalizer      the two parts, normalized apart, are the whole: steps that look at both ends of a
//                   text (Strip, Prepend) have no cut, normal forms have one before a character
//                   that nothing joins to what is before it, replacing has one where no match lies across.
//   added tokens    none has x and y beside each other; none that takes spaces has some on the other
//                   side; none that has to be a word has a character of words beside it.
//   post-processor  trimming treats the first token of a text in another way: then y is no space, and becomes
//                   the first token.
//
// Offsets are not proved (btk_text_cuts_move_offsets) where there would be no cuts else: if trimming does
// not leave any, and if a charsmap removes characters: the reference moves all offsets of a text that
// begins with one.
//
// A worker of the bytes [begin, end) looks for its first cut in the text up to `end`: if it gets `end`, there
// is nothing to do. Else it ends at the first cut of the whole text at `end` or behind it. So neighbours
// agree, and each place is looked at twice at the most, even if the text has no cut at all.
//
// Characters are told apart by classes: each of ASCII; all others by their kind (common/unicode_kinds.h) and
// by what a normalizer may do to them; U+2581 has a class of its own.
//
//     TEXT_CUTS    uint64_t[classes][4]: row x, bit y: x|y is a cut. There if config.text_cuts is not NONE.
//
// Pure functions; nothing is allocated. Most texts have a cut every few bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/unicode_kinds.h"
#include "tokenizer/image.h"

// What may become of a character beyond ASCII.
enum btk_text_cut_level {
    BTK_TEXT_CUT_PLAIN,   // nothing changes it
    BTK_TEXT_CUT_FOLDS,   // NFC leaves it, and nothing joins it to what is before it
    BTK_TEXT_CUT_CHANGES, // any other: marks, spaces, controls, ...
    BTK_TEXT_CUT_LEVELS
};

enum {
    BTK_TEXT_CUT_ASCII = 128,
    BTK_TEXT_CUT_MARK = BTK_TEXT_CUT_ASCII + BTK_TEXT_CUT_LEVELS * BTK_KIND_COUNT, // U+2581
    BTK_TEXT_CUT_CLASSES,
    BTK_TEXT_CUT_ROW_WORDS = (BTK_TEXT_CUT_CLASSES + 63) / 64,
};

static inline uint32_t btk_text_cut_class_of(enum btk_text_cut_level level,
                                             enum btk_unicode_kind kind)
{
    return BTK_TEXT_CUT_ASCII + (uint32_t)level * BTK_KIND_COUNT + (uint32_t)kind;
}

// The class of a code point.
uint32_t btk_text_cut_class(uint32_t code_point);

// May the text be cut before its byte `at`? Never at its ends, within a character, or beside what is
// not UTF-8: the text need not be valid.
bool btk_text_is_cut(const struct btk_image *image, struct btk_bytes text, size_t at);

// The first cut at `at` or behind it; the end of the text when there is none. Of the beginning of a text,
// its beginning.
size_t btk_text_next_cut(const struct btk_image *image, struct btk_bytes text, size_t at);

// May offsets of the parts be others than those of the whole? Who wants offsets does not cut then.
bool btk_text_cuts_move_offsets(const struct btk_image *image);

// Why a tokenizer has none, in words; NULL: it has some.
const char *btk_text_cut_reason(const struct btk_image *image);
