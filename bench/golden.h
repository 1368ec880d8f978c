// SPDX-License-Identifier: Apache-2.0
// Are these the ids that the reference produces? Only figures of such ids are figures.
//
// Digests come from bench/goldens (inside the program, for our own texts and embedded tokenizers) or
// from a file of the same form (--reference): {"<text>": {"bytes", "tokens", "ids_xxh64", ...}, ...}.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base.h"
#include "common/error.h"

struct btk_json;

enum btk_golden_part { // which figures of a text
    BTK_GOLDEN_PIECES, // bytes, tokens, ids_xxh64, offsets_xxh64: the pieces one after the other
    BTK_GOLDEN_WHOLE,  // whole_bytes, ...: the measured part in one call
    BTK_GOLDEN_LINES,  // lines_bytes, ...: its lines
};

enum btk_golden_verdict {
    BTK_GOLDEN_NONE,      // nothing that speaks of these bytes
    BTK_GOLDEN_EQUAL,     // the reference's ids
    BTK_GOLDEN_DIFFERENT, // not its ids
};

struct btk_golden_answer { // ours
    uint64_t bytes;
    uint64_t tokens;
    uint64_t ids_xxh64;
    uint64_t offsets_xxh64;
    bool has_offsets; // compared where the reference has them too
};

// `goldens`: the root of such a file. `text_name`: a file's name, with or without ".txt". Pieces of
// another size than the recorded ones may be told equal, never different: `is_recorded_cut`.
enum btk_golden_verdict btk_golden_compare(const struct btk_json *goldens, const char *text_name,
                                           enum btk_golden_part part, bool is_recorded_cut,
                                           const struct btk_golden_answer *answer);

// Is the text of the ids, piece by piece, what the reference decodes: decoded_bytes, decoded_xxh64?
enum btk_golden_verdict btk_golden_compare_decoded(const struct btk_json *goldens,
                                                   const char *text_name, uint64_t text_bytes,
                                                   uint64_t text_xxh64);
