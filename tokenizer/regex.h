// SPDX-License-Identifier: Apache-2.0
// The general matcher: any pattern that was rewritten for it (tokenizer/compile/regex_compile.h),
// found in a text with a bound on time.
//
// It is the library of Debian 12, Oniguruma 6.9.8. Its tables of Unicode are never asked: the
// rewritten pattern has every class written out. Patterns of real tokenizers have matchers of
// their own (kernels/pretok); this one is for all others.
//
// Time: a match may take ten million steps back, as in the reference, which then dies; a whole
// text may take a number of steps that grows with its length alone. What needs more ends with
// -ETIME. The answer never depends on the clock.
//
// Ownership: btk_regex_new() to btk_regex_free(). Threads: one struct a thread; nothing is shared
// but the library's own start, which is done once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_regex;

// `rewritten_pattern` is what btk_regex_compile() wrote. -EINVAL: the library refuses it (the
// error says why), -ENOMEM.
BTK_MUST_USE int btk_regex_new(struct btk_bytes rewritten_pattern, struct btk_regex **out,
                               struct btk_error *error);
void btk_regex_free(struct btk_regex **regex); // NULL and a pointer to NULL are fine

// The first match at or after byte `from`, which is at most the length and no inside of a
// character. `text` is valid UTF-8. Returns 1 and where it is, 0: there is none, -ETIME, -ENOMEM.
BTK_MUST_USE int btk_regex_find(struct btk_regex *regex, struct btk_bytes text, size_t from,
                                size_t *out_begin, size_t *out_end);

// All matches of a text and the gaps between them, in order, without holes: what the reference's
// Pattern gives. A gap is never empty, save that the empty text is one empty gap. A match may be
// empty, but not where the match before it ended.
struct btk_regex_walk {
    struct btk_regex *regex;
    struct btk_bytes text;
    size_t from;           // where the next search begins
    size_t covered;        // end of the last piece
    size_t last_match_end; // SIZE_MAX before the first match
    uint64_t steps_left;   // of the whole text
    size_t match_begin;    // a match that waits behind its gap
    size_t match_end;
    bool match_waits;
    bool is_over;
};

struct btk_regex_piece {
    size_t begin, end; // bytes
    bool is_match;
};

void btk_regex_walk_init(struct btk_regex_walk *walk, struct btk_regex *regex,
                         struct btk_bytes text);

// Returns 1 and the next piece, 0 at the end, -ETIME, -ENOMEM. After an error the walk is over.
BTK_MUST_USE int btk_regex_walk_next(struct btk_regex_walk *walk, struct btk_regex_piece *out);
