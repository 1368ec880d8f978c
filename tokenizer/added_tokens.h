// SPDX-License-Identifier: Apache-2.0
// Finds added tokens in a text: the leftmost, of those the longest, none inside another.
//
// Source: find_matches() of the reference's tokenizer/added_vocabulary.rs, with its side effects: a
// token that may only be a word of its own, or is special and not wanted, is passed over with all its
// bytes; spaces taken on the
// right do not move the search, so the next match may begin inside of them. A match of
// spaces that were all taken before is empty.
//
// Ownership: borrows tries and text. Threads: a filter is immutable, a finder is for one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "tokenizer/image.h"

// Which two bytes a token can begin with; made once for a trie.
struct btk_added_filter {
    bool is_empty;
    int only_first; // the one first byte there is; -1: several
    uint8_t first[256];
    uint8_t pairs[8192]; // bit (first << 8 | second)
};

void btk_added_filter_init(struct btk_added_filter *filter, const struct btk_added_trie *trie);

struct btk_added_finder {
    const struct btk_added_trie *trie;
    const struct btk_added_filter *filter;
    struct btk_bytes text;
    bool skips_special; // encode_special_tokens: what they spell is text like any other
    size_t position;    // where the search goes on
    size_t taken;       // end of the last match with its spaces
    size_t spaces_begin, spaces_end; // a run of spaces that ends there, and is known already
};

struct btk_added_match {
    size_t begin; // with the spaces that it takes
    size_t end;
    uint32_t id;
    bool has_spaces; // it took some
    bool is_special;
};

// `text` is valid UTF-8. Special tokens are found, too: who wants them not sets skips_special.
void btk_added_finder_init(struct btk_added_finder *finder, const struct btk_added_trie *trie,
                           const struct btk_added_filter *filter, struct btk_bytes text);

// The next match; false: that was all.
bool btk_added_finder_next(struct btk_added_finder *finder, struct btk_added_match *out_match);
