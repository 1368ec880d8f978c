// SPDX-License-Identifier: Apache-2.0
// Splitting at any pattern (tokenizer/regex.h).
#include "tokenizer/pretokenizer/stage.h"
#include "tokenizer/regex.h"

static int split_regex(struct btk_splitter *splitter, const struct btk_stage *stage,
                       struct btk_piece piece)
{
    struct btk_regex_walk walk;
    struct btk_regex_piece part;
    int status;
    btk_regex_walk_init(
        &walk, stage->regex,
        (struct btk_bytes){stage->span.text.data + piece.begin, piece.end - piece.begin});
    while ((status = btk_regex_walk_next(&walk, &part)) > 0)
        btk_splitter_add(splitter, piece.begin + part.begin, piece.begin + part.end, part.is_match);
    return status;
}

int btk_stage_split_regex(struct btk_stage *stage)
{
    struct btk_splitter splitter = btk_splitter_of(stage);
    for (size_t i = 0; i < stage->in_count; i++) {
        btk_stage_tick(stage, i);
        const int status = split_regex(&splitter, stage, stage->in[i]);
        if (status < 0) return status;
        btk_splitter_end(&splitter);
    }
    return 0;
}
