// SPDX-License-Identifier: Apache-2.0
// Pre-tokenizer patterns as bit algebra over class masks: no regex library, no table of states.
//
// A kernel turns 64 bytes into one mask for each class. The family of GPT-2's patterns (words.h) makes
// of these the mask of the characters with which a piece begins, and a kernel numbers of that mask.
// For the others a run of a class is a shift and a count of trailing ones; bytes above 0x7f are
// decoded and asked for their class one by one, in the tables of common/unicode.h. So a pattern knows
// no instruction set, and a kernel no pattern.
//
// Ownership: borrows text and kernels. Threads: one a struct.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "kernels/kernels.h"

// A half-open range of bytes in the text.
struct btk_piece {
    uint32_t begin;
    uint32_t end;
};

enum {
    BTK_PRETOK_WINDOW_BYTES = 4096,
    BTK_PRETOK_WINDOW_BLOCKS = BTK_PRETOK_WINDOW_BYTES / 64,
    BTK_PRETOK_STARTS_BLOCKS = 16,
};

// What a block of words.h must know of the characters before it: of the last one in bit 0, but of
// the last three in bits 0 to 2 for the two of numbers, the last one in bit 2.
struct btk_words_carry {
    uint64_t word;
    uint64_t space;
    uint64_t blank;
    uint64_t newline; // but those that belong to what stands before
    uint64_t other;
    uint64_t tail;
    uint64_t before; // may begin a word
    uint64_t after_lower;
    uint64_t no_case;
    uint64_t absorbs; // takes marks behind it
    uint64_t numbers;
    uint64_t number_starts;
    uint64_t alone;       // of a run that is cut out before all else
    uint64_t gap;         // deepseek3 alone has these three
    uint64_t punctuation; // ASCII, that begins a piece
    uint64_t letters;     // ASCII, behind such
    uint64_t contraction; // the characters of this block that belong to one, from bit 0 on
};

// The pieces of a window, and one block more of masks.
struct btk_piece_starts {
    struct btk_char_masks masks[BTK_PRETOK_STARTS_BLOCKS + 1];
    uint32_t offsets[1 + 64 * BTK_PRETOK_STARTS_BLOCKS];
};

// Where pieces begin in the block at `base`, and behind which bytes they end, that were not given yet.
struct btk_pretok_bert {
    uint64_t begins;
    uint64_t ends;
    size_t base;
    uint32_t open_begin; // of the piece that has begun
    bool is_open;
    bool was_word; // the last byte of the block before is inside of a word,
    bool was_last; // is the last one of a punctuation
};

// Walks over one text. The masks are those of the window that begins at window_begin.
struct btk_pretok {
    const struct btk_kernels *kernels;
    const uint8_t *text;
    size_t length;   // bytes, at most UINT32_MAX
    size_t position; // where the next piece begins, or is looked for
    size_t word_end; // of what is cut into pieces now; falcon alone
    bool is_walking; // has left the algebra for good; clip alone
    struct btk_pretok_bert bert;
    size_t window_begin;
    size_t window_end;
    size_t offset_index; // of the begin of the next piece, in starts.offsets
    size_t offset_count;
    struct btk_words_carry carry;
    union {
        struct btk_word_masks words[BTK_PRETOK_WINDOW_BLOCKS];
        struct btk_bert_masks bert[BTK_PRETOK_WINDOW_BLOCKS];
        struct btk_piece_starts starts;
    } masks;
};

// `text` is valid UTF-8.
void btk_pretok_init(struct btk_pretok *pretok, const struct btk_kernels *kernels,
                     struct btk_bytes text);

// The next pieces, at most `capacity` of them; 0: that was all. One function a pattern, declared by
// the list.
typedef size_t btk_pretok_next_fn(struct btk_pretok *pretok, struct btk_piece *out_pieces,
                                  size_t capacity);
#include "kernels/pretok/pattern_list.h"
#define PATTERN(name, NAME, source) btk_pretok_next_fn btk_pretok_##name##_next;
BTK_PATTERN_LIST(PATTERN)
#undef PATTERN

enum btk_pattern {
#define PATTERN(name, NAME, source) BTK_PATTERN_##NAME,
    BTK_PATTERN_LIST(PATTERN)
#undef PATTERN
        BTK_PATTERN_COUNT
};

// gpt2: the first piece of " " + text, without that space; empty when the space is a piece of its
// own. `pretok` is fresh; the text is not empty and does not begin with ' '.
bool btk_pretok_gpt2_first_after_space(struct btk_pretok *pretok, struct btk_piece *out_piece);
