// SPDX-License-Identifier: Apache-2.0
// Sets of classes of characters and relations between them: what the proof of cuts is worked out with
// (tokenizer/text_cut.h).
//
// A relation holds of pairs x|y, the last character of the left part and the first one of the right part, as
// a stage sees them. Images say what a stage makes of a character at such a place: the set of classes
// that its last, or first, character may then have. So what holds behind a stage holds before it of x|y if
// it does of all that x and y may become (btk_cut_pull_back).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tokenizer/image.h"
#include "tokenizer/text_cut.h"

struct btk_cut_set {
    uint64_t words[BTK_TEXT_CUT_ROW_WORDS];
};

struct btk_cut_relation {
    struct btk_cut_set rows[BTK_TEXT_CUT_CLASSES];
};

struct btk_cut_images {
    struct btk_cut_set last[BTK_TEXT_CUT_CLASSES];  // of what ends the left part
    struct btk_cut_set first[BTK_TEXT_CUT_CLASSES]; // of what begins the right part
    bool changes[BTK_TEXT_CUT_CLASSES];             // it may not be the very character
};

static inline bool btk_cut_set_has(const struct btk_cut_set *set, uint32_t class)
{
    return set->words[class / 64] >> class % 64 & 1;
}

static inline void btk_cut_set_add(struct btk_cut_set *set, uint32_t class)
{
    set->words[class / 64] |= UINT64_C(1) << class % 64;
}

static inline void btk_cut_set_remove(struct btk_cut_set *set, uint32_t class)
{
    set->words[class / 64] &= ~(UINT64_C(1) << class % 64);
}

static inline bool btk_cut_class_is_ascii(uint32_t class)
{
    return class < BTK_TEXT_CUT_ASCII;
}

// Of a class beyond ASCII; U+2581 may change.
enum btk_text_cut_level btk_cut_class_level(uint32_t class);
// Of any.
enum btk_unicode_kind btk_cut_class_kind(uint32_t class);
// ASCII, or what no normalizer changes.
bool btk_cut_class_is_plain(uint32_t class);

void btk_cut_relation_fill(struct btk_cut_relation *relation, bool holds);
bool btk_cut_relation_is_empty(const struct btk_cut_relation *relation);
void btk_cut_relation_and(struct btk_cut_relation *relation, const struct btk_cut_relation *other);
void btk_cut_relation_or(struct btk_cut_relation *relation, const struct btk_cut_relation *other);
void btk_cut_relation_remove_row(struct btk_cut_relation *relation, uint32_t class);
void btk_cut_relation_remove_column(struct btk_cut_relation *relation, uint32_t class);

// Whether a relation holds of x|y; `context` is the caller's.
typedef bool btk_cut_predicate(const void *context, uint32_t left, uint32_t right);
void btk_cut_relation_restrict(struct btk_cut_relation *relation, btk_cut_predicate *holds,
                               const void *context);

// All stay what they are.
void btk_cut_images_init(struct btk_cut_images *images);
// A character of the class becomes any, or nothing.
void btk_cut_images_any(struct btk_cut_images *images, uint32_t class);
// It becomes a text that is not empty; `always`, or it may stay.
void btk_cut_images_text(struct btk_cut_images *images, uint32_t class, struct btk_bytes text,
                         bool always);

void btk_cut_pull_back(struct btk_cut_relation *relation, const struct btk_cut_images *images);

// --- The stages

// x|y of a pattern: a piece ends there, and on both sides nothing else depends on it.
bool btk_cut_of_pattern(uint32_t pattern, uint32_t left, uint32_t right);
// The same of BertPreTokenizer.
bool btk_cut_of_bert(uint32_t left, uint32_t right);

// What the model reads for a character. Worked out from the last stage to the first, as relations are.
enum btk_cut_read { BTK_CUT_READS_ITSELF, BTK_CUT_READS_MARK, BTK_CUT_READS_OTHERS };
struct btk_cut_reading {
    uint8_t of[BTK_TEXT_CUT_CLASSES]; // enum btk_cut_read
};
void btk_cut_reading_pull_back(struct btk_cut_reading *reading,
                               const struct btk_cut_images *images);

// What a pre-tokenizer proves.
struct btk_cut_pieces {
    struct btk_cut_relation between; // pieces always end there
    struct btk_cut_relation inside;  // and here never, and the model reads what `reading` says
    struct btk_cut_reading reading;
    bool demands_blank;           // y is ' ' in the source, too
    enum btk_no_text_cuts reason; // why there are none
};
void btk_cut_of_pretokenizer(const struct btk_image *image, struct btk_cut_pieces *out);

// From the normalized text to the source. False: there is no place left, and *out_reason says why.
bool btk_cut_of_normalizer(const struct btk_image *image, struct btk_cut_relation *relation,
                           struct btk_cut_reading *reading, enum btk_no_text_cuts *out_reason);

// Are there texts whose beginning moves the offsets of all that is behind it?
bool btk_cut_normalizer_moves_offsets(const struct btk_image *image);
