// SPDX-License-Identifier: Apache-2.0
// How a text is cut for measuring: the same cuts everywhere, so that digests can be compared.
//
//     | measured part, at most BTK_CUT_BODY_BYTES | ... | last 64 KiB: warms up, never measured |
//
// The measured part falls into pieces of about `chunk` bytes, each ending behind its last newline,
// else before its last space, else at a character, looked for in its second half. Blank pieces and
// pieces that were there before are left out.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

enum { BTK_CUT_WARM_UP_BYTES = 65536, BTK_CUT_BODY_BYTES = 8000200, BTK_CUT_CHUNK_BYTES = 4096 };

struct btk_text_parts {
    struct btk_bytes body;
    struct btk_bytes warm_up;
};

// `text` is UTF-8. One that is not longer than the warm-up has no body.
struct btk_text_parts btk_text_split(struct btk_bytes text);

struct btk_pieces {
    struct btk_bytes *pieces; // into the text
    size_t count;
    size_t bytes; // of all of them
};

// -ENOMEM.
BTK_MUST_USE int btk_pieces_cut(struct btk_bytes body, size_t chunk_bytes,
                                struct btk_pieces *out_pieces);
// One piece a line, without its end.
BTK_MUST_USE int btk_pieces_lines(struct btk_bytes body, struct btk_pieces *out_pieces);
// All of it as one piece.
BTK_MUST_USE int btk_pieces_whole(struct btk_bytes body, struct btk_pieces *out_pieces);
void btk_pieces_clear(struct btk_pieces *pieces);
