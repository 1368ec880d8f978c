// SPDX-License-Identifier: Apache-2.0
// BertNormalizer: clean text, set Chinese characters apart, strip accents, lower-case; in one pass,
// with the place in the source of every byte that comes out.
//
// Source: the reference's normalizers/bert.rs, in its order, and the alignments of its
// tokenizer/normalizer.rs: what a character became belongs to that character; in NFD, what was not
// inserted takes the source characters in order, also where marks were reordered.
//
// ASCII without control characters goes through a kernel; of other characters the result is
// remembered (a character without marks around it always gives the same).
//
// Ownership: the struct borrows kernels and `chars`. Threads: one a struct.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/unicode.h"
#include "kernels/kernels.h"
#include "tokenizer/progress.h"

enum { BTK_BERT_MEMO_SLOTS = 2048, BTK_BERT_FOLDED_BYTES_MAX = 16 };

// What one character becomes.
struct btk_bert_folded {
    uint32_t code_point; // UINT32_MAX: empty
    uint8_t length;      // bytes
    bool first_combines; // its decomposition begins with a mark
    uint8_t bytes[BTK_BERT_FOLDED_BYTES_MAX];
};

struct btk_bert {
    const struct btk_kernels *kernels;
    uint32_t flags;                 // set of enum btk_bert_flag
    bool keeps_spaces;              // \t \n \r may stay: nobody will look at them
    bool keeps_characters;          // nobody asks for the place of a part of a character
    uint16_t apart_class;           // classes of enum btk_unicode_class: of what is set apart,
    uint16_t fold_classes;          // of what always becomes the same, not always itself,
    uint16_t special_classes;       // of what becomes a space or nothing, or depends on marks
    struct btk_unicode_char *chars; // room for btk_unicode_nfd_bound(longest text)
    struct btk_progress progress;   // ticks every 8 KiB
    struct btk_bert_folded memo[BTK_BERT_MEMO_SLOTS];
};

// Where the result goes: `text` has room for btk_bert_bound(); the maps, NULL when not wanted, hold
// for each byte of it where its source character begins and ends. They are not written when nothing
// moved: then byte i of the text became byte i.
struct btk_bert_output {
    uint8_t *text;
    uint32_t *begins;
    uint32_t *ends;
    bool has_moved; // set by btk_bert_normalize(): there are maps
};

static inline size_t btk_bert_bound(size_t text_bytes)
{
    return 4 * text_bytes + 64;
}

void btk_bert_init(struct btk_bert *bert, const struct btk_kernels *kernels, uint32_t flags);

// Normalizes valid UTF-8. `base` is added to all places in the maps. Returns the length.
size_t btk_bert_normalize(struct btk_bert *bert, struct btk_bytes text, uint32_t base,
                          struct btk_bert_output *output);
