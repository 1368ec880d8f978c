// SPDX-License-Identifier: Apache-2.0
// How a benchmark cuts a text, so that its figures and digests can be laid beside those of others.
//
//     file   [ body: measured, at most `limit` bytes ] ... [ warm-up: the last 64 KiB, never measured ]
//     piece  about `piece_bytes`: ends behind the last newline of its second half, else before the
//            last space of it, else between two characters
//
// Blank pieces and pieces that came before are left out: a cold pass never sees the same one twice.
// The goldens in bench/goldens were recorded with these cuts; to change one is to lose them.
//
// Ownership: pieces point into the text. Threads: none.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

#define BTK_CUT_WARM_UP_BYTES   65536
#define BTK_CUT_BODY_BYTES      8000200
#define BTK_CUT_PIECE_BYTES     4096
#define BTK_CUT_PIECE_BYTES_MIN 4 // the longest character

struct btk_cut_list {
    struct btk_bytes *pieces;
    size_t count;
    size_t bytes; // of all pieces together
};

// Body and warm-up of valid UTF-8. A text that is not longer than the warm-up is all body.
void btk_cut_split(struct btk_bytes text, size_t limit_bytes, struct btk_bytes *out_body,
                   struct btk_bytes *out_warm_up);

// The pieces of valid UTF-8. -ENOMEM.
BTK_MUST_USE int btk_cut_pieces(struct btk_bytes text, size_t piece_bytes,
                                struct btk_cut_list *out_list);
// Its lines, all of them, without \n or \r\n. -ENOMEM.
BTK_MUST_USE int btk_cut_lines(struct btk_bytes text, struct btk_cut_list *out_list);
// The text itself as the only piece. -ENOMEM.
BTK_MUST_USE int btk_cut_whole(struct btk_bytes text, struct btk_cut_list *out_list);

void btk_cut_clear(struct btk_cut_list *list); // empty ones are fine
